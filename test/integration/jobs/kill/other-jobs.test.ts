import {expect, test} from 'vitest';
import {createKillSite} from '../../../support/jobs/kill-site.ts';
import {submitBackground, until} from '../../../support/sandbox.ts';
import {asControl, handedOut} from '../../../support/site/queue-site.ts';

const at = await createKillSite();

test('K2: other jobs of the worker are interrupted only if that was agreed to, and are named', async () => {
  const {id} = await at.execute();
  const calls: string[] = [];
  const worker = asControl(
    {stop: async () => void calls.push('stop'), start: async () => void calls.push('start')},
    [{id: 7, name: 'arFileImportJob'}],
  );
  const refused = await at.kill([id], {worker});
  expect(refused.first).toMatchObject({was: 'executing', action: 'refused'});
  expect(refused.first.message).toContain('7 (arFileImportJob)');
  expect([refused.exit, refused.interrupted, calls]).toEqual([5, [], []]);

  for (const mayInterrupt of ['all', new Set([7])] as const) {
    expect((await at.kill([id], {worker, mayInterrupt})).interrupted).toEqual([7]);
  }
  expect(calls).toEqual(['stop', 'start', 'stop', 'start']);
});

test('T14: of two sites with one prefix, a kill takes only the job whose payload fits the row', async () => {
  const [id] = await at.submit(1);
  const foreign = JSON.stringify({name: 'arFindingAidJob', objectId: 99, id: String(id)});
  const name = at.site.functionName('arFindingAidJob');
  await submitBackground(at.gearmand.endpoint, name, 'of another site', foreign);
  await at.site.query('UPDATE job SET object_id = (SELECT MIN(id) FROM object) WHERE id = ?', [id]);
  const {first} = await at.kill([id!]);
  expect([first.action, first.gearman]).not.toEqual(['marked', 'removed']);
  expect(await at.inGearman()).toBe(2);
  await at.site.query('UPDATE job SET object_id = NULL WHERE id = ?', [id]);
  await handedOut(at.site);
});

test('a job under a prefix that is not known to be this site is refused, with the flag that says it is', async () => {
  const {id, worker} = await at.execute();
  await worker.kill();
  const prefixes = {...at.sources.prefixes, own: 'f'.repeat(32)};
  const {first, exit} = await at.kill([id], {prefixes});
  expect(first.message).toContain(`--function-prefix ${at.site.prefix}`);
  expect([first.action, exit, await at.inGearman()]).toEqual(['refused', 5, 1]);
  expect((await at.kill([id])).first).toMatchObject({action: 'marked', gearman: 'removed'});
});

test.each([
  ['completed', 'info'],
  ['error', 'err'],
])('T12: a finished job is left for jobs:mark --as %s', async (as, level) => {
  const id = await at.site.insertJob({name: 'arFindingAidJob', status: 'running'});
  const line = (text: string, is = 'info') =>
    `[${is}] [2026-03-04 13:05:01] Job ${id} "arFindingAidJob": ${text}\n`;
  const log =
    line('Job started.') +
    line(`Parameters: {"id":"${id}"}`) +
    line('The last.', level) +
    line('Job finished.');
  await at.site.query('UPDATE job SET output = ? WHERE id = ?', [log, id]);
  const {first, exit} = await at.kill([id]);
  expect([first.was, first.action, exit, await at.statusOf(id)]).toEqual(['finished', 'refused', 5, 183]);
  expect(first.message).toContain(`atomctl jobs:mark ${id} --as ${as}`);
});

test('T5: a job whose key differs from what its log shows is found by its payload', async () => {
  const {id, worker} = await at.execute();
  await worker.kill();
  await at.site.query(
    `UPDATE job SET output = REPLACE(output, '"objectId":512', '"objectId":512,"scale":2') WHERE id = ?`,
    [id],
  );
  const {first} = await at.kill([id]);
  expect(first).toMatchObject({was: 'queued', action: 'marked', gearman: 'removed'});
  expect(await handedOut(at.site)).toEqual([]);
});

test.each(['running', 'completed'])(
  "a row whose log has another job's parameters ends no job of that; %s",
  async (status) => {
    const {id: other} = await at.execute();
    const [row] = await at.site.query<{output: string}>('SELECT output FROM job WHERE id = ?', [other]);
    const id = await at.site.insertJob({name: 'arFindingAidJob', status: status as 'running'});
    const log = row!.output.replaceAll(`Job ${other} `, `Job ${id} `);
    expect(log).toContain(`"id":"${other}"`);
    await at.site.query('UPDATE job SET output = ? WHERE id = ?', [log, id]);
    await at.workers[0]!.kill();
    await until(async () => (await at.server.status()).every(({running}) => running === 0));
    for (const force of [false, true]) {
      await at.kill([id], {force, deleteRows: force});
      expect([await at.inGearman(), await at.statusOf(other)]).toEqual([1, 183]);
    }
    expect((await at.kill([other])).first).toMatchObject({action: 'marked', gearman: 'removed'});
  },
);
