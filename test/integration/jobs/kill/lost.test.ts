import {describe, expect, test} from 'vitest';
import type {KillOptions} from '../../../../src/jobs/kill/kill.ts';
import {planKill} from '../../../../src/jobs/kill/plan.ts';
import {jobStats} from '../../../../src/jobs/stats/stats.ts';
import {createKillSite, killOptions} from '../../../support/jobs/kill-site.ts';
import {QUIET_HOST} from '../../../support/quiet-host.ts';
import {insertLost} from '../../../support/site/queue-site.ts';
import {everyTable, insertAllKinds} from '../../../support/site/whole-site.ts';

const at = await createKillSite();

test('a lost job is marked as an error; Gearman has nothing of it', async () => {
  const id = await insertLost(at.site);
  const {first, exit} = await at.kill([id]);
  expect(first).toMatchObject({id, was: 'lost', action: 'marked', gearman: 'none'});
  expect([exit, await at.statusOf(id)]).toEqual([0, 185]);
});

test('D13: a killed job has failed, but its duration counts nowhere in jobs:stats', async () => {
  const id = await insertLost(at.site);
  await at.kill([id]);
  const stats = await jobStats({...at.sources, now: new Date(), filter: {ids: [id]}});
  expect(stats.byName).toMatchObject([{counts: {error: 1}, runSeconds: null, durationSeconds: null}]);
  expect(stats.failureReasons).toEqual([{reason: 'Killed with atomctl', count: 1, exampleId: id}]);
});

test('a deleted job leaves no row in any table, and no other row changes', async () => {
  await insertAllKinds(at.site);
  const before = await everyTable(at.site);
  const doomed = await at.site.insertJob({status: 'running', notes: [{text: 'n'}], userToken: 't'});
  expect(await at.kill([doomed], {deleteRows: true})).toMatchObject({
    exit: 0,
    first: {was: 'lost', action: 'deleted', gearman: 'none'},
  });
  expect(await everyTable(at.site)).toEqual(before);
});

describe('T9: a job of an hour ago in no queue, of which the age is not sure', () => {
  const HOUR = 3_600_000;
  const clock = async () => ({uncertaintyMs: 26 * HOUR, reason: 'the offset was not observed.'});

  async function insertUnsure(): Promise<number> {
    const startedAt = at.sources.time.toWall(new Date(Date.now() - HOUR));
    return at.site.insertJob({name: 'arFindingAidJob', status: 'running', startedAt});
  }

  /** What the kill did, and how long it waited. */
  async function killUnsure(id: number, options: Partial<KillOptions> & {meanwhile?: () => unknown} = {}) {
    const waits: number[] = [];
    const {meanwhile = () => {}, ...rest} = options;
    const wait = async (milliseconds: number) => {
      waits.push(milliseconds);
      await meanwhile();
    };
    const host = {...QUIET_HOST, clock};
    const {first, exit} = await at.kill([id], {host, wait, ...rest});
    return {was: first.was, action: first.action, exit, waits};
  }
  const marked = {was: 'lost', action: 'marked', exit: 0, waits: [10_000]};

  test('alone, is checked again after ten seconds before the question, and marked', async () => {
    const id = await insertUnsure();
    const plan = await planKill(killOptions(at, [id], {host: {...QUIET_HOST, clock}}));
    expect(plan.targets.get(id)!.now).toBe('lost');
    expect(await killUnsure(id)).toEqual(marked);
  });

  test('beside a job that waits, is checked again after the probe and ten seconds, and marked', async () => {
    const [waiting] = await at.submit(1);
    const id = await insertUnsure();
    expect(await killUnsure(id)).toEqual(marked);
    expect([await at.statusOf(id), await at.statusOf(waiting!)]).toEqual([185, 183]);
    expect(await at.inGearman()).toBe(1);
  });

  test('may be a job that is submitted in these ten seconds: it is left alone', async () => {
    await at.submit(1);
    const id = await insertUnsure();
    const seen = await killUnsure(id, {meanwhile: () => at.submit(1)});
    expect(seen).toEqual({was: 'uncertain', action: 'refused', exit: 5, waits: [10_000]});
    expect(await at.statusOf(id)).toBe(183);
  });

  test('is left alone if these ten seconds are cut short by a signal', async () => {
    await at.submit(1);
    const id = await insertUnsure();
    const stop = new AbortController();
    const seen = await killUnsure(id, {signal: stop.signal, meanwhile: () => stop.abort()});
    expect(seen).toMatchObject({action: 'refused', waits: [10_000]});
    expect(await at.statusOf(id)).toBe(183);
  });
});
