import {writeFile} from 'node:fs/promises';
import {describe, expect, test} from 'vitest';
import {uniqueKey} from '../../../../src/queue/unique-key.ts';
import {later, live, logOf, realHost} from '../../../support/live.ts';
import {useLiveRig} from '../../../support/live-rig.ts';
import {submitBackground, submitJob, until} from '../../../support/sandbox.ts';
import {insertBegun, insertLost} from '../../../support/site/queue-site.ts';

const rig = useLiveRig();

test('Gearman knows its key as running', async () => {
  const {id} = await rig.execute();
  const {states, reasons} = await live(rig.at);
  expect([states, reasons[id]]).toEqual([
    {[id]: 'executing'},
    `${rig.gearmand.endpoint} assigned it to a worker.`,
  ]);
});

describe('gearmand is restarted while a worker executes it', () => {
  test.each([
    ['arFindingAidJob', 'arFindingAidJob'],
    // More bytes than characters.
    ['arGenerateReportJob', 'Bericht „Übergaben“ – ältere'],
  ])('and its log grows between two reads (T2): %s named %s', async (jobClass, name) => {
    const job = await submitJob(rig.site, {jobClass, name, work: {seconds: 60, lines: 6000}});
    await rig.start(`--abilities=${jobClass}`);
    await rig.logged(job, 'Step 2 of');
    await rig.restartGearmand();
    const before = await logOf(rig.site, job.id);
    const meanwhile = () => until(async () => (await logOf(rig.site, job.id)).length > before.length + 60);
    const {states, reasons} = await live(rig.at, {host: realHost(rig.site), meanwhile});
    expect([states, reasons[job.id]]).toEqual([
      {[job.id]: 'executing'},
      'Its log grew while atomctl read it.',
    ]);
  });

  test('and its child imports its file, silent for an hour (T3); lost once the child has ended', async () => {
    const {id, worker} = await rig.execute('arFileImportJob');
    const host = realHost(rig.site);
    await until(async () => (await host.processes()).imports.length > 0);
    const [child] = (await host.processes()).imports;
    await rig.restartGearmand();
    const options = {host, now: later(60)};
    const during = await live(rig.at, options);
    expect([during.states, during.reasons[id]]).toEqual([
      {[id]: 'executing'},
      `Process ${child!.pid} on this host imports its file.`,
    ]);
    await worker.kill();
    expect((await live(rig.at, options)).states).toEqual({[id]: 'executing'});
    process.kill(child!.pid, 'SIGKILL');
    await until(async () => (await host.processes()).imports.length === 0);
    expect((await live(rig.at, options)).states).toEqual({[id]: 'lost'});
  });
});

test('its worker was killed and its import goes on, which Gearman has as running', async () => {
  const {id, worker} = await rig.execute('arFileImportJob');
  const host = realHost(rig.site);
  await until(async () => (await host.processes()).imports.length > 0);
  await worker.kill();
  await until(async () => (await host.processes()).workers.length === 0);
  expect((await live(rig.at, {host, now: later(60)})).states).toEqual({[id]: 'executing'});
});

test('its parameters are cut, and it runs beside a job whose key is known (T7)', async () => {
  const jobClass = 'arUpdateEsActorRelationsJob';
  const actorIds = Array.from({length: 20_000}, (_, index) => index + 1);
  const known = await submitJob(rig.site, {jobClass, work: {seconds: 600}});
  const parameters = {actorIds, objectId: 512};
  const cut = await submitJob(rig.site, {jobClass, parameters, work: {seconds: 600}});
  for (let count = 0; count < 2; count += 1) await rig.start(`--abilities=${jobClass}`);
  for (const job of [known, cut]) await rig.logged(job, 'Parameters: ');
  const {states, reasons} = await live(rig.at);
  expect((await logOf(rig.site, cut.id)).length).toBe(65_534);
  expect(states).toEqual({[known.id]: 'executing', [cut.id]: 'executing'});
  expect(reasons[cut.id]).toBe('A worker has one job of its class, and it can only be this one.');

  // Another row that may be the running one as well takes the certainty.
  const other = await insertBegun(rig.site, {name: jobClass});
  expect((await live(rig.at)).states).toEqual({
    [known.id]: 'executing',
    [cut.id]: 'executing?',
    [other]: 'executing?',
  });
});

test('a float without a fraction gives it another key than its log shows: by count (T5)', async () => {
  const id = await rig.site.insertJob({status: 'running'});
  await writeFile(`${rig.site.root}/sandbox/jobs/${id}.json`, '{"seconds":600}');
  await submitScaled(id);
  await rig.start('--abilities=arFindingAidJob');
  await rig.logged({id}, '"scale":2,');
  expect((await live(rig.at)).states).toEqual({[id]: 'executing'});
  const waiting = await submitJob(rig.site);
  expect((await live(rig.at)).states).toEqual({[id]: 'executing?', [waiting.id]: 'queued?'});
});

test('an import that waits behind a move has logged no parameters: by count', async () => {
  const move = await rig.execute('arObjectMoveJob');
  const waiting = await submitJob(rig.site, {jobClass: 'arFileImportJob', startedAt: '2026-03-04 13:06:00'});
  const worker = await rig.start('--abilities=arFileImportJob');
  await rig.logged(waiting, 'Another sensitive job is being executed');
  process.kill(worker.pid, 'SIGSTOP');
  expect(await logOf(rig.site, waiting.id)).not.toContain('Parameters');
  expect((await live(rig.at)).states).toEqual({[move.id]: 'executing', [waiting.id]: 'executing'});
});

describe('is not claimed', () => {
  test('for a row without a log beside a job without a row', async () => {
    const {id} = await rig.execute();
    await rig.site.query('DELETE FROM object WHERE id = ?', [id]);
    const never = await insertLost(rig.site);
    expect((await live(rig.at)).states).toEqual({[never]: 'executing?'});
    expect((await live(rig.at, {probe: true})).states).toEqual({[never]: 'executing?'});
  });

  test('by count, if a worker took a probed job before the counts were read', async () => {
    const keyless = await insertBegun(rig.site);
    const queued = await submitJob(rig.site, {work: {seconds: 600}});
    const {states} = await live(rig.at, {
      probe: true,
      meanwhile: async () => {
        await rig.start('--abilities=arFindingAidJob');
        await rig.logged(queued, 'Parameters: ');
      },
    });
    expect(states).toEqual({[keyless]: 'executing?', [queued.id]: 'executing'});
  });
});

/** Submits what AtoM does for a parameter 2.0: the key is of the float, the log will show the integer. */
async function submitScaled(id: number): Promise<void> {
  const payload = `{"scale":2.0,"objectId":512,"name":"arFindingAidJob","id":"${id}"}`;
  const name = rig.site.functionName('arFindingAidJob');
  await submitBackground(rig.gearmand.endpoint, name, uniqueKey(name, payload)!, payload);
}
