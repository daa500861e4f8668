import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, expect, test, vi} from 'vitest';
import {isSerial} from '../../../../src/atom/job-classes.ts';
import {type Killed, killJobs} from '../../../../src/jobs/kill/kill.ts';
import {liveStates} from '../../../../src/jobs/live/live-state.ts';
import {probeSite} from '../../../../src/jobs/live/queue-payloads.ts';
import {startGearmand, startWorker, submitJob, until} from '../../../support/sandbox.ts';
import {createQueueSite, type QueueSite, sourcesOf} from '../../../support/site/queue-site.ts';

/** `KILLS=1000` is the long form. */
const KILLS = Number(process.env.KILLS ?? 10);
const WORKERS = 3;
/** So many jobs wait at least, so that a kill finds one that does not begin at once. */
const BACKLOG = process.env.KILLS === undefined ? 100 : 200;
/** A worker takes the classes in the order in which it registered them, so that the jobs of one class do all the waiting. */
const WAITS = BACKLOG / 4;
/** Jobs that a client submits in a second, and more if too few wait. */
const RATE = 50;
/** The last but the others: a job that is about to begin is seldom killed in time. */
const LAST = 20;
const OTHERS = ['arFindingAidJob', 'arGenerateReportJob'];
/** One class: between two functions a worker keeps no order. */
const SERIAL = ['arObjectMoveJob'];
/** One job in so many is serial: its worker may have to wait. */
const SERIAL_EVERY = 10;
/** Lets a row count as old a second after its insertion, so that a wrong "lost" has its chance to show. */
const AGED_MS = 8500;

vi.setConfig({testTimeout: 60_000 + KILLS * 5000});

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

interface Submitted {
  id: number;
  jobClass: string;
}

async function submit(index: number): Promise<Submitted> {
  const classes = index % SERIAL_EVERY === 0 ? SERIAL : OTHERS;
  const jobClass = classes[Math.floor(index / SERIAL_EVERY) % classes.length]!;
  const startedAt = at.sources.time.toWall(new Date());
  return {id: (await submitJob(at.site, {jobClass, startedAt, work: {seconds: 0.05}})).id, jobClass};
}

/** Submits until the kills are done. */
async function submitUntil(isDone: () => boolean): Promise<Submitted[]> {
  const jobs: Submitted[] = [];
  while (!isDone()) {
    const next = sleep(1000 / RATE);
    jobs.push(await submit(jobs.length));
    const [row] = await at.site.query<{waiting: number}>(
      'SELECT COUNT(*) AS waiting FROM job WHERE status_id = 183',
    );
    if (row!.waiting > BACKLOG) await next;
  }
  return jobs;
}

/** One of the last jobs of a serial class or of one with a backlog, odd or even: two killers never have the same one. */
async function someRunning(parity: number): Promise<number | undefined> {
  const [row] = await at.site.query<{id: number}>(
    `SELECT id FROM (
       SELECT id FROM job WHERE status_id = 183 AND id % 2 = ? AND name IN (
         SELECT name FROM job WHERE status_id = 183 GROUP BY name HAVING COUNT(*) > ? OR name IN (?)
       ) ORDER BY id DESC LIMIT ${LAST}) AS last
     ORDER BY RAND() LIMIT 1`,
    [parity, WAITS, SERIAL],
  );
  return row?.id;
}

async function killSome(parity: number): Promise<Killed[]> {
  return withSources(async (sources) => {
    const killed: Killed[] = [];
    while (killed.length < KILLS / 2) {
      const id = await someRunning(parity);
      if (id === undefined) {
        await sleep(20);
        continue;
      }
      const options = {
        ...sources,
        ids: [id],
        force: false,
        deleteRows: killed.length % 5 === 0,
        by: 'stress',
        reason: null,
        culture: 'en',
        worker: null,
        mayInterrupt: new Set<number>(),
        firstSeen: new Map<number, number>(),
        signal: new AbortController().signal,
      };
      killed.push(...(await killJobs(options, null)).killed);
    }
    return killed;
  });
}

/** Every state that was claimed of any job, with and without the payloads, until the kills are done. */
async function claimsUntil(isDone: () => boolean): Promise<{id: number; state: string; probed: boolean}[]> {
  return withSources(async (sources) => {
    const claims: {id: number; state: string; probed: boolean}[] = [];
    for (let count = 0; !isDone(); count += 1) {
      const probed = count % 4 === 0;
      const probe = probed ? async () => (await probeSite(sources)).waiting : undefined;
      const {verdicts} = await liveStates({...sources, probe});
      for (const [id, {state}] of verdicts) claims.push({id, state, probed});
      await sleep(100);
    }
    return claims;
  });
}

test(`${KILLS} kills among probes, ${WORKERS} workers and a client: no job is lost, doubled or revived, and none overtakes another`, async () => {
  const backlog: Submitted[] = [];
  while (backlog.length < BACKLOG) backlog.push(await submit(backlog.length));
  const workers = await Promise.all(
    Array.from({length: WORKERS}, () => startWorker(at.site, [], {SANDBOX_SERIAL_SECONDS: '0.5'})),
  );
  let done = false;
  const kills = Promise.all([killSome(0), killSome(1)]).finally(() => {
    done = true;
  });
  const [more, claims, [first, second]] = await Promise.all([
    submitUntil(() => done),
    claimsUntil(() => done),
    kills,
  ]);
  const jobs = [...backlog, ...more];
  await until(async () => (await at.site.query('SELECT id FROM job WHERE status_id = 183')).length === 0);
  await until(async () => (await at.server.jobs()).length === 0);
  const started = workers.flatMap((worker) => worker.started());
  await Promise.all(workers.map((worker) => worker.stop()));

  const outcomes = [...first, ...second];
  if (process.env.KILLS !== undefined) report(outcomes, jobs);
  const removed = outcomes.filter(({gearman}) => gearman === 'removed');
  expect(new Set(removed.map(({was}) => was))).toEqual(new Set(['queued']));
  expect(outcomes.filter(({action}) => action === 'failed')).toEqual([]);
  expect(removed.filter(({action}) => action === 'refused')).toEqual([]);
  // A row that is deleted without its Gearman job had ended by then.
  const others = outcomes.filter(({action, gearman}) => action !== 'refused' && gearman !== 'removed');
  expect(others.filter(({was, action}) => was !== 'ended' || action !== 'deleted')).toEqual([]);
  expect(outcomes.map(({was}) => was)).not.toContain('lost');
  expect(claims.filter(({state}) => state === 'lost')).toEqual([]);

  const removedIds = new Set(removed.map(({id}) => id));
  const ids = jobs.map(({id}) => id);
  expect([...started].sort((a, b) => a - b)).toEqual(ids.filter((id) => !removedIds.has(id)));
  // A serial job that was handed out before an older one gives up, and is an error.
  const errors = await at.site.query<{id: number}>('SELECT id FROM job WHERE status_id = 185 ORDER BY id');
  expect(errors.map(({id}) => id).filter((id) => !removedIds.has(id))).toEqual([]);
  expect(await overtaken(jobs)).toEqual([]);
});

/** Serial jobs that began in a second before the one in which an older one began. */
async function overtaken(jobs: readonly Submitted[]): Promise<[older: number, younger: number][]> {
  const rows = await at.site.query<{id: number; begun: string | null}>(
    "SELECT id, SUBSTRING(REGEXP_SUBSTR(output, '[[][0-9]{4}-[^]]*[]]'), 2, 19) AS begun FROM job ORDER BY id",
  );
  const serial = new Set(jobs.filter(({jobClass}) => isSerial(jobClass)).map(({id}) => id));
  const begun = rows.filter((row) => serial.has(row.id) && row.begun);
  return begun.flatMap(({id, begun: time}, index): [number, number][] => {
    const later = begun.slice(index + 1).find((other) => other.begun! < time!);
    return later === undefined ? [] : [[id, later.id]];
  });
}

/** How many kills ended how, for classes that are serial and others. */
function report(outcomes: readonly Killed[], jobs: readonly Submitted[]): void {
  const classes = new Map(jobs.map(({id, jobClass}) => [id, jobClass]));
  const counts = new Map<string, number>();
  for (const {id, was, action, gearman, message} of outcomes) {
    const kind = isSerial(classes.get(id) ?? '') ? 'serial' : 'other';
    const key = `${kind} ${action} ${was} ${gearman}: ${message.replace(/\d+/g, 'N')}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const lines = [...counts].sort(([, one], [, two]) => two - one).map(([key, count]) => `${count} ${key}`);
  console.info(`${jobs.length} jobs\n${lines.join('\n')}`);
}
