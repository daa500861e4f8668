import {readdirSync, readFileSync} from 'node:fs';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {
  ADMIN_ID,
  type AtomSite,
  createSite,
  type GearmanProcess,
  startGearmand,
  startWorker,
  submitJob,
} from '../../support/sandbox.ts';
import {type RecordingProxy, recordGearman} from '../../support/servers/recording-proxy.ts';
import type {JobWork} from '../../support/servers/submit-job.ts';
import {TRACE_KINDS, type TraceRig, type Traces, traceJob, traceStart} from '../../support/workers/trace.ts';

/** What AtoM's own worker left behind; `npm run test:atom -- -u` records it again. */
const TRACES = new URL('../../atom/traces/', import.meta.url);

const OBJECT_ID = 512;

for (const file of readdirSync(TRACES)) {
  const version = file.replace('.json', '');
  const recorded: Traces = JSON.parse(readFileSync(new URL(file, TRACES), 'utf8'));

  describe(`the sandbox's worker as ${version} leaves the same rows, log lines, output and packets as AtoM's`, () => {
    let gearmand: GearmanProcess;
    let recorder: RecordingProxy;
    let site: AtomSite;
    let rig: TraceRig;

    beforeAll(async () => {
      gearmand = await startGearmand();
      recorder = await recordGearman(gearmand.endpoint);
      site = await createSite({version, gearman: [recorder.endpoint]});
      rig = {
        site,
        recorder,
        worker: await startWorker(site),
        objectId: OBJECT_ID,
        userId: ADMIN_ID,
        // The work of its imports takes long enough to be seen.
        holdImports: async () => async () => {},
        submit: async (kind, jobClass, parameters) => {
          const {description} = parameters;
          const notes = typeof description === 'string' ? [{text: description}] : [];
          const objectId = parameters.objectId === undefined ? null : OBJECT_ID;
          const work = workOf(recorded, kind);
          return (await submitJob(site, {jobClass, parameters, objectId, notes, work})).id;
        },
      };
    });

    afterAll(async () => {
      await site.drop();
      recorder.close();
      await gearmand.kill();
    });

    test('a start', () => expect(traceStart(rig)).toEqual(recorded.start));

    for (const kind of TRACE_KINDS) {
      test(`a job that ${kind}`, async () => {
        expect(await traceJob(rig, kind)).toEqual(recorded[kind]);
      });
    }
  });
}

/** What a class does and says is its own; what AtoM's base class, its import and its worker add is the sandbox's. */
function workOf(traces: Traces, kind: keyof Traces): JobWork {
  if (kind === 'start') return {};
  const {log, submitted, ended} = traces[kind];
  const own = log
    .map((line) => line.replace(/^.*?": /, ''))
    .filter((message) => !/^(Job started|Parameters: |Job finished|Deleting temporary)/.test(message));
  switch (kind) {
    case 'completes':
      return {log: own, notes: ended.notes.slice(submitted.notes.length).map(({content}) => String(content))};
    case 'exports':
      return {log: own, download: true};
    case 'throws':
      return {exception: own[0]!.replace('Exception: ', '')};
    case 'imports':
      return {seconds: 2, log: own.filter((message) => message.startsWith('>>'))};
    default:
      return {};
  }
}
