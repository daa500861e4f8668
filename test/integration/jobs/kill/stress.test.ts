import {afterAll, expect, test} from 'vitest';
import {type Killed, killJobs} from '../../../../src/jobs/kill/kill.ts';
import {liveStates} from '../../../../src/jobs/live/live-state.ts';
import {probeSite} from '../../../../src/jobs/live/queue-payloads.ts';
import {startGearmand, startWorker, submitJob, until} from '../../../support/sandbox.ts';
import {createQueueSite, type QueueSite, sourcesOf} from '../../../support/site/queue-site.ts';

const BACKLOG = 60;
const JOBS = 80;
const KILLS = 50;
const PROBES = 50;
/** Lets a row count as old a second after its insertion, so that a wrong "lost" has its chance to show. */
const AGED_MS = 8500;

const gearmand = await startGearmand();
const at = await createQueueSite(gearmand);
afterAll(async () => {
  await at.drop();
  await gearmand.kill();
});

/** A connection of its own to everything, as each atomctl has. */
async function withSources<T>(work: (sources: QueueSite['sources']) => Promise<T>): Promise<T> {
  const {sources, close} = await sourcesOf(at.site);
  return work({...sources, now: () => new Date(Date.now() + AGED_MS)}).finally(close);
}

async function submit(count: number): Promise<number[]> {
  const ids: number[] = [];
  while (ids.length < count) {
    const startedAt = at.sources.time.toWall(new Date());
    ids.push((await submitJob(at.site, {startedAt, work: {seconds: 0.1}})).id);
  }
  return ids;
}

/** A running job, odd or even, so that two killers never have the same one. */
async function someRunning(parity: number): Promise<number | undefined> {
  const [row] = await at.site.query<{id: number}>(
    'SELECT id FROM job WHERE status_id = 183 AND id % 2 = ? ORDER BY RAND() LIMIT 1',
    [parity],
  );
  return row?.id;
}

async function killSome(parity: number): Promise<Killed[]> {
  return withSources(async (sources) => {
    const killed: Killed[] = [];
    for (let count = 0; count < KILLS / 2; count += 1) {
      const id = await someRunning(parity);
      if (id === undefined) break;
      const result = await killJobs({
        ...sources,
        ids: [id],
        force: false,
        deleteRows: count % 5 === 0,
        by: 'stress',
        reason: null,
        culture: 'en',
        worker: null,
        signal: new AbortController().signal,
      });
      killed.push(...result.killed);
    }
    return killed;
  });
}

/** With what a failure should print of it. */
interface Claim {
  id: number;
  state: string;
  probed: boolean;
}

/** Every state that was claimed of any job, with and without the payloads. */
async function lookOften(): Promise<Claim[]> {
  return withSources(async (sources) => {
    const claims: Claim[] = [];
    for (let count = 0; count < PROBES; count += 1) {
      const probe = async () => (await probeSite(sources)).waiting;
      const probed = count % 2 === 0;
      const {verdicts} = await liveStates({...sources, probe: probed ? probe : undefined});
      for (const [id, {state}] of verdicts) claims.push({id, state, probed});
    }
    return claims;
  });
}

test('fifty kills and probes among two workers and a client: none lost, none run twice, none run after its kill', async () => {
  const backlog = await submit(BACKLOG);
  const workers = [await startWorker(at.site), await startWorker(at.site)];
  const [more, first, second, claims] = await Promise.all([
    submit(JOBS),
    killSome(0),
    killSome(1),
    lookOften(),
  ]);
  await until(async () => (await at.server.jobs()).length === 0);
  expect(await at.site.query('SELECT id FROM job WHERE status_id = 183')).toEqual([]);
  await Promise.all(workers.map((worker) => worker.stop()));

  const ids = [...backlog, ...more];
  const started = workers.flatMap((worker) => worker.started());
  const outcomes = [...first, ...second];
  const removed = outcomes.filter(({gearman}) => gearman === 'removed');
  expect(new Set(removed.map(({was}) => was))).toEqual(new Set(['queued']));
  expect(removed.filter(({action}) => action === 'refused')).toEqual([]);
  expect(removed.length).toBeGreaterThan(10);
  // A row that is deleted without its Gearman job had ended by then.
  const others = outcomes.filter(({action, gearman}) => action !== 'refused' && gearman !== 'removed');
  expect(others.filter(({was, action}) => was !== 'ended' || action !== 'deleted')).toEqual([]);
  expect(outcomes.map(({was}) => was)).not.toContain('lost');
  expect(claims.filter(({state}) => state !== 'uncertain').length).toBeGreaterThan(100);
  expect(claims.filter(({state}) => state === 'lost')).toEqual([]);

  const removedIds = new Set(removed.map(({id}) => id));
  expect([...started].sort((a, b) => a - b)).toEqual(ids.filter((id) => !removedIds.has(id)));
  const deleted = new Set(others.map(({id}) => id));
  expect(await at.site.query('SELECT id FROM job WHERE status_id = 184')).toHaveLength(
    started.filter((id) => !deleted.has(id)).length,
  );
});
