import {afterAll, beforeAll, expect, test} from 'vitest';
import {createSiteTime, type SiteTime} from '../../../../src/atom/site-time.ts';
import type {JobFilter} from '../../../../src/jobs/model/filter.ts';
import {jobStats, statsStatement} from '../../../../src/jobs/stats/stats.ts';
import {connectDatabase} from '../../../../src/mysql/connect.ts';
import type {Database} from '../../../../src/mysql/database.ts';
import {type AtomSite, createSite} from '../../../support/sandbox.ts';

const JOBS = 100_000;
const NOW = new Date('2026-01-05T12:00:00Z');

let site: AtomSite;
let database: Database;
let time: SiteTime;
let firstId: number;

beforeAll(async () => {
  site = await createSite();
  firstId = await site.seedJobs(JOBS);
  // Of each kind that the figures treat in a way of their own.
  await site.query(`
    UPDATE job SET status_id = 183, completed_at = NULL WHERE id % 1000 = 1;
    UPDATE job SET status_id = NULL WHERE id % 1000 = 2;
    UPDATE job SET status_id = 197, completed_at = NULL WHERE id % 1000 = 3;
    UPDATE job SET name = NULL WHERE id % 1000 = 4;
    UPDATE job SET completed_at = '0000-00-00 00:00:00' WHERE id % 1000 = 5;
    UPDATE job SET name = 'arObjectMoveJob', user_id = NULL WHERE id % 7 = 0`);
  [database, time] = await Promise.all([
    connectDatabase(site.config, {timeoutSeconds: 30}),
    createSiteTime('America/Vancouver', process.env),
  ]);
}, 120_000);

afterAll(async () => {
  await database?.close();
  await site?.drop();
});

interface RawJob {
  id: number;
  name: string | null;
  status_id: number | null;
  created_at: string;
  completed_at: string | null;
  username: string | null;
  begun: string | null;
  message: string | null;
}

const STATUSES = ['running', 'completed', 'error', 'unknown'] as const;
type Status = (typeof STATUSES)[number];

function statusOf({status_id: id}: RawJob): Status {
  return ({183: 'running', 184: 'completed', 185: 'error'} as const)[id ?? 0] ?? 'unknown';
}

function countsOf(jobs: readonly RawJob[]): Record<Status, number> {
  const of = (status: Status) => jobs.filter((job) => statusOf(job) === status).length;
  return Object.fromEntries(STATUSES.map((status) => [status, of(status)])) as Record<Status, number>;
}

function groupBy(jobs: readonly RawJob[], key: (job: RawJob) => string): [string, RawJob[]][] {
  const groups: Record<string, RawJob[]> = {};
  for (const job of jobs) {
    groups[key(job)] ??= [];
    groups[key(job)]!.push(job);
  }
  return Object.entries(groups);
}

/** Vancouver's clocks went back from two to one on 2025-11-02. Of the hour that came twice, the later is meant. */
function epochSeconds(wall: string): number {
  const hours = wall < '2025-11-02 01:00:00' ? 7 : 8;
  return Date.parse(`${wall.replace(' ', 'T')}Z`) / 1000 + hours * 3600;
}

type Moment = 'created_at' | 'begun' | 'completed_at';

/** From one moment to the other, of the jobs that have both. */
function timesOf(jobs: readonly RawJob[], from: Moment, to: Moment) {
  const sorted = jobs
    .filter((job) => to === 'begun' || statusOf(job) !== 'running')
    .filter((job) => job[from]?.startsWith('2') && job[to]?.startsWith('2'))
    .map((job) => epochSeconds(job[to]!) - epochSeconds(job[from]!))
    .filter((seconds) => seconds >= 0)
    .sort((one, other) => one - other);
  const cut = (share: number) => {
    const rank = (sorted.length - 1) * share;
    const weight = rank % 1;
    return sorted[Math.floor(rank)]! * (1 - weight) + sorted[Math.ceil(rank)]! * weight;
  };
  if (sorted.length === 0) return null;
  return {median: close(cut(0.5)), p95: close(cut(0.95)), max: close(sorted.at(-1)!)};
}

const close = (value: number) => expect.closeTo(value, 6);

function oldestRunning(jobs: readonly RawJob[]): number | null {
  const ages = jobs
    .filter((job) => statusOf(job) === 'running')
    .map((job) => NOW.getTime() / 1000 - epochSeconds(job.created_at));
  return ages.length === 0 ? null : Math.max(...ages);
}

/** The figures by whole lists, from rows that the test reads for itself. */
function expectedStats(jobs: readonly RawJob[]) {
  const named = groupBy(jobs, ({name}) => name ?? '').map(([name, its]) => {
    const counts = countsOf(its);
    const ended = counts.completed + counts.error;
    return {
      name,
      total: its.length,
      counts,
      failedShare: ended === 0 ? null : close(counts.error / ended),
      waitSeconds: timesOf(its, 'created_at', 'begun'),
      runSeconds: timesOf(its, 'begun', 'completed_at'),
      durationSeconds: timesOf(its, 'created_at', 'completed_at'),
      oldestRunningSeconds: oldestRunning(its),
    };
  });
  return {
    total: jobs.length,
    counts: countsOf(jobs),
    oldestRunningSeconds: oldestRunning(jobs),
    byName: named.sort((one, other) => other.total - one.total || (one.name < other.name ? -1 : 1)),
    days: groupBy(jobs, ({created_at: wall}) => wall.slice(0, 10))
      .sort()
      .map(([day, its]) => ({day, counts: countsOf(its)})),
    users: groupBy(jobs, ({username}) => username ?? '-')
      .map(([user, its]) => ({
        user: user === '-' ? null : user,
        userId: user === '-' ? null : expect.any(Number),
        total: its.length,
        counts: countsOf(its),
      }))
      .sort((one, other) => other.total - one.total),
    failureReasons: groupBy(
      jobs.filter((job) => statusOf(job) === 'error'),
      ({message}) => message?.replace(/\d+/, 'N') ?? '',
    )
      .map(([reason, its]) => ({
        reason: reason === '' ? null : reason,
        count: its.length,
        exampleId: Math.max(...its.map(({id}) => id)),
      }))
      .sort((one, other) => other.count - one.count),
  };
}

async function compare(filter: JobFilter, condition: string): Promise<number> {
  const rows = await site.query<RawJob>(
    `SELECT job.id, job.name, status_id, created_at, completed_at, username,
            IF(output IS NULL, NULL, SUBSTRING(output, 9, 19)) AS begun,
            (SELECT content FROM note JOIN note_i18n USING (id) WHERE note.object_id = job.id) AS message
     FROM job
     JOIN object ON object.id = job.id LEFT JOIN user ON user.id = user_id WHERE ${condition}`,
  );
  const stats = await jobStats({database, time, now: NOW, filter});
  expect(stats).toEqual(expectedStats(rows));
  return stats.total;
}

test('100,000 jobs: every figure is what whole lists give', {timeout: 60_000}, async () => {
  expect(await compare({}, 'TRUE')).toBe(JOBS);
});

test('filters choose what is counted, days on which the clocks change included', async () => {
  const lastId = firstId + 20_000;
  const runs: [JobFilter, string][] = [
    [
      {since: '2025-11-01 12:00:00', until: '2025-11-03 00:00:00'},
      "created_at BETWEEN '2025-11-01 12:00:00' AND '2025-11-02 23:59:59'",
    ],
    [
      {users: [null], names: ['ar*Job'], statuses: ['error', 'running']},
      "user_id IS NULL AND job.name LIKE 'ar%Job' AND status_id IN (183, 185)",
    ],
    [{ids: [lastId]}, `job.id = ${lastId}`],
  ];
  for (const [filter, condition] of runs) expect(await compare(filter, condition)).toBeGreaterThan(0);
  expect(await compare({names: ['nothing']}, 'FALSE')).toBe(0);
});

test.each<[string, JobFilter]>([
  ['everything', {}],
  ['one status', {statuses: ['error']}],
  ['a start', {since: '2025-01-01 00:00:00'}],
])('%s is read without a sort and without a temporary table', async (_, filter) => {
  const {sql, values} = statsStatement(filter);
  const plan = await database.query<{table: string; Extra: string}>(`EXPLAIN ${sql}`, values);
  expect(plan[0]!.table).toBe('job');
  expect(plan.map(({Extra}) => Extra).join()).not.toMatch(/filesort|temporary|join buffer/i);
});
