import {expect, test} from 'vitest';
import {live} from '../../../support/live.ts';
import {useLiveRig} from '../../../support/live-rig.ts';
import {submitBackground, submitJob} from '../../../support/sandbox.ts';
import {crash, handedOut, insertLost} from '../../../support/site/queue-site.ts';

const rig = useLiveRig();
const JOB = 'arFindingAidJob';

test('its worker died and Gearman queued it again: it will run again from its start (T21)', async () => {
  const {id, worker, unique} = await rig.execute();
  await crash(worker, unique, rig.at.server);
  const {states, reasons} = await live(rig.at);
  expect([states, reasons[id]]).toEqual([
    {[id]: 'queued'},
    expect.stringMatching(
      `^It waits on ${rig.gearmand.endpoint}, begun at \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d: it will run again from its start\\.$`,
    ),
  ]);
});

test('never begun: likely by its count, proved by its payload, and the queue stays as it is', async () => {
  const ids: number[] = [];
  for (let count = 0; count < 3; count += 1) ids.push((await submitJob(rig.site)).id);
  const all = (state: string) => Object.fromEntries(ids.map((id) => [id, state]));
  const jobs = await rig.at.server.jobs();
  expect((await live(rig.at)).states).toEqual(all('queued?'));
  expect(await rig.at.server.jobs()).toEqual(jobs);
  const {states, reasons} = await live(rig.at, {probe: true});
  expect([states, reasons[ids[0]!]]).toEqual([all('queued'), 'Its payload was seen waiting.']);
  expect(await handedOut(rig.site)).toEqual(ids);
});

test('one Gearman job without a row and one row without a job: only likely, and lost with a probe (T8)', async () => {
  const gone = await submitJob(rig.site);
  await rig.site.query('DELETE FROM object WHERE id = ?', [gone.id]);
  const never = await insertLost(rig.site);
  const {states, reasons} = await live(rig.at);
  expect([states, reasons[never]]).toEqual([
    {[never]: 'queued?'},
    'It may be the job in its queue, but its log shows no parameters, so atomctl cannot ask a server for its key.',
  ]);
  expect((await live(rig.at, {probe: true})).states).toEqual({[never]: 'lost'});
});

test('a payload with its id in a queue of another class is not its job', async () => {
  const never = await insertLost(rig.site);
  const name = rig.site.functionName('arObjectMoveJob');
  await submitBackground(rig.gearmand.endpoint, name, 'key', JSON.stringify({name, id: String(never)}));
  expect((await live(rig.at, {probe: true})).states).toEqual({[never]: 'lost'});
});

test('its entry was cancelled and stays until a worker polls: only likely; lost once it is gone', async () => {
  const {id, worker, unique} = await rig.execute();
  await crash(worker, unique, rig.at.server);
  const [entry] = await rig.at.server.jobs();
  await rig.at.server.cancel(entry!.handle);
  const {states, reasons} = await live(rig.at);
  expect([states, reasons[id]]).toEqual([
    {[id]: 'queued?'},
    `${rig.gearmand.endpoint} has it or a cancelled entry of it: 1 cancelled entry is there.`,
  ]);
  expect(await handedOut(rig.site, JOB)).toEqual([]);
  expect((await live(rig.at, {now: () => new Date(Date.now() + 3600_000)})).states).toEqual({[id]: 'lost'});
});

test('two executing, five queued, one queued again, one lost: all right with a probe', async () => {
  const executing = [(await rig.execute()).id, (await rig.execute()).id];
  const crashed = await rig.execute();
  const queued: number[] = [];
  for (let count = 0; count < 5; count += 1) queued.push((await submitJob(rig.site)).id);
  await crash(crashed.worker, crashed.unique, rig.at.server);
  const lost = await insertLost(rig.site);
  const known = {
    ...Object.fromEntries(executing.map((id) => [id, 'executing'])),
    [crashed.id]: 'queued',
  };
  const others = (state: string) => Object.fromEntries(queued.map((id) => [id, state]));
  expect((await live(rig.at)).states).toEqual({...known, ...others('queued?'), [lost]: 'queued?'});
  expect((await live(rig.at, {probe: true})).states).toEqual({
    ...known,
    ...others('queued'),
    [lost]: 'lost',
  });
  expect(await handedOut(rig.site)).toEqual([...queued, crashed.id]);
});
