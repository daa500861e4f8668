import {expect, test} from 'vitest';
import {uniqueKey} from '../../../../src/queue/unique-key.ts';
import {later, live, logOf, realHost} from '../../../support/live.ts';
import {useLiveRig} from '../../../support/live-rig.ts';
import {submitBackground, submitJob, until} from '../../../support/sandbox.ts';
import {insertLost} from '../../../support/site/queue-site.ts';

const rig = useLiveRig();
const PARAMETERS = '{"name":"arFindingAidJob","id":"7"}';

test('never begun and in no queue: without a probe, whatever workers do', async () => {
  const never = await insertLost(rig.site);
  const move = await rig.execute('arObjectMoveJob');
  const {states, reasons} = await live(rig.at, {host: realHost(rig.site)});
  expect([states, reasons[never]]).toEqual([
    {[never]: 'lost', [move.id]: 'executing'},
    'No Gearman server has it, and no worker ever began it.',
  ]);
});

test('gearmand was restarted with its queue in memory: what waited is lost', async () => {
  const {id} = await submitJob(rig.site);
  await rig.restartGearmand();
  expect((await live(rig.at, {host: realHost(rig.site)})).states).toEqual({[id]: 'lost'});
});

test.each([
  ['that began', PARAMETERS],
  ['that never began', undefined],
])(
  'is not claimed of a job %s and is submitted again while the processes are read',
  async (_what, parameters) => {
    const id = await insertLost(rig.site, parameters);
    expect((await live(rig.at)).states).toEqual({[id]: 'lost'});
    const host = realHost(rig.site);
    const name = rig.site.functionName('arFindingAidJob');
    const processes = async () => {
      const own = PARAMETERS.replace('"7"', `"${id}"`);
      await submitBackground(rig.gearmand.endpoint, name, uniqueKey(name, own)!, own);
      return host.processes();
    };
    const {states, reasons} = await live(rig.at, {host: {...host, processes}});
    expect([states, reasons[id]]).toEqual([
      {[id]: '?'},
      'The queue changed while atomctl read it; try again in some seconds.',
    ]);
  },
);

test('it lacked a parameter, so it failed in Gearman and its row says Running', async () => {
  const {id} = await submitJob(rig.site, {parameters: {}});
  await rig.start('--abilities=arFindingAidJob');
  await until(async () => (await rig.at.server.jobs()).length === 0);
  expect((await live(rig.at, {host: realHost(rig.site)})).states).toEqual({[id]: 'lost'});
});

test('its worker and its gearmand were killed: lost after fifteen minutes of silence, not before', async () => {
  const {id, worker} = await rig.execute();
  await worker.kill();
  await rig.restartGearmand();
  const host = realHost(rig.site);
  const early = await live(rig.at, {host, now: later(14)});
  expect([early.states, early.reasons[id]]).toEqual([
    {[id]: 'executing?'},
    'The last line of its log is 14m old, and a Gearman server may have restarted since it began.',
  ]);
  const {states, reasons} = await live(rig.at, {host, now: later(16)});
  expect([states, reasons[id]]).toEqual([
    {[id]: 'lost'},
    'No Gearman server has it, and no worker can be running it.',
  ]);
});

test('the last lines of its log have no time: its last dated line counts', async () => {
  const id = await insertLost(rig.site, PARAMETERS);
  await rig.site.query("UPDATE job SET output = CONCAT(output, 'second line\\nthird line\\n') WHERE id = ?", [
    id,
  ]);
  expect((await live(rig.at)).states).toEqual({[id]: 'lost'});
});

test('the only workers are idle and connected, or execute jobs that are known', async () => {
  const lost = await insertLost(rig.site, PARAMETERS);
  await rig.start();
  const host = realHost(rig.site);
  expect((await live(rig.at, {host})).states).toEqual({[lost]: 'lost'});
  const busy = await rig.execute();
  expect((await live(rig.at, {host})).states).toEqual({[lost]: 'lost', [busy.id]: 'executing'});
});

test('a worker that Gearman does not see may have been given it again, although it began long after', async () => {
  const lost = await insertLost(rig.site, PARAMETERS);
  await rig.execute('arObjectMoveJob');
  await rig.restartGearmand();
  expect((await live(rig.at, {host: realHost(rig.site)})).states[lost]).toBe('executing?');
});

test('its name looks like a line of the log: only its own parameters count (T6)', async () => {
  const name = 'Report": Parameters: {"id":1}';
  const jobClass = 'arInformationObjectCsvExportJob';
  const job = await submitJob(rig.site, {jobClass, name, work: {seconds: 600}});
  const worker = await rig.start(`--abilities=${jobClass}`);
  await rig.logged(job, `"id":"${job.id}"`);
  expect(await logOf(rig.site, job.id)).toContain(name);
  expect((await live(rig.at)).states).toEqual({[job.id]: 'executing'});
  await worker.kill();
  await until(async () => (await live(rig.at)).states[job.id] === 'queued');
  await rig.restartGearmand();
  expect((await live(rig.at, {host: realHost(rig.site), now: later(16)})).states).toEqual({[job.id]: 'lost'});
});

test('jobs of another program are in no queue of the site', async () => {
  const lost = await insertLost(rig.site, PARAMETERS);
  await submitBackground(rig.gearmand.endpoint, 'movesip_v0.0', 'key', 'payload');
  expect((await live(rig.at)).states).toEqual({[lost]: 'lost'});
});
