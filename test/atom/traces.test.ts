import {expect, test} from 'vitest';
import {startGearmand} from '../support/servers/gearmand.ts';
import {recordGearman} from '../support/servers/recording-proxy.ts';
import {TRACE_KINDS, traceJob, traceStart} from '../support/workers/trace.ts';
import {startWorker} from '../support/workers/worker.ts';
import {openInstalledSite, withInstalledAtom} from './installed-atom.ts';

/** The root of AtoM's descriptions. */
const ROOT_OBJECT = 1;

withInstalledAtom((atom) => {
  test('rows, log lines, output and packets are as recorded from this version', {
    timeout: 400_000,
  }, async () => {
    const gearmand = await startGearmand();
    const recorder = await recordGearman(gearmand.endpoint);
    const site = await openInstalledSite(atom, [recorder.endpoint]);
    const worker = await startWorker(site);
    const rig = {
      site,
      recorder,
      worker,
      objectId: ROOT_OBJECT,
      userId: site.userId,
      submit: (_: unknown, ...job: Parameters<typeof site.submit>) => site.submit(...job),
    };
    const traces: Record<string, unknown> = {start: traceStart(rig)};
    for (const kind of TRACE_KINDS) traces[kind] = await traceJob(rig, kind);
    await worker.kill();
    await site.drop();
    recorder.close();
    await gearmand.kill();
    await expect(`${JSON.stringify(traces, null, 2)}\n`).toMatchFileSnapshot(`traces/${atom.version}.json`);
  });
});
