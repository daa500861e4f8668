import {
  type Killed,
  type KillOptions,
  type KillResult,
  killExitStatus,
  killJobs,
} from '../../../src/jobs/kill/kill.ts';
import type {Database} from '../../../src/mysql/database.ts';
import {PROBE_LOCK} from '../../../src/queue/function-name.ts';
import type {GearmanProcess, WorkerProcess} from '../sandbox.ts';
import {executeJob, type QueueSite, submitJobs} from '../site/queue-site.ts';
import {useQueueSite} from '../site/use-queue-site.ts';

/** What a kill did, with the exit status of jobs:kill and the outcome of the first job. */
export interface KillOutcome extends KillResult {
  exit: number;
  first: Killed;
}

/** What jobs:kill asks for if no flag is given; `options` says what else is given. */
export function killOptions(
  {sources}: QueueSite,
  ids: readonly number[],
  options: Partial<KillOptions> = {},
): KillOptions {
  return {
    ...sources,
    ids,
    force: false,
    deleteRows: false,
    by: 'alice@archive',
    reason: null,
    culture: 'en',
    worker: null,
    mayInterrupt: new Set(),
    firstSeen: new Map(),
    signal: new AbortController().signal,
    ...options,
  };
}

/** Kills jobs of a site so. */
export async function killAt(
  at: QueueSite,
  ids: readonly number[],
  options: Partial<KillOptions> = {},
): Promise<KillOutcome> {
  const result = await killJobs(killOptions(at, ids, options), null);
  return {...result, exit: killExitStatus(result), first: result.killed[0]!};
}

/** A site on a gearmand of its own, for the tests of one file. After each test it has no jobs and no workers. */
export interface KillSite extends QueueSite {
  gearmand: GearmanProcess;
  /** Those that end with the test. */
  workers: WorkerProcess[];
  kill(ids: readonly number[], options?: Partial<KillOptions>): Promise<KillOutcome>;
  submit(count: number): Promise<number[]>;
  /** A job that a worker of its own executes. */
  execute(): ReturnType<typeof executeJob>;
  /** How many jobs Gearman has, without cancelled ones and without the lock of a probe. */
  inGearman(): Promise<number>;
  /** The status that the row has in the database; null if there is no row. */
  statusOf(id: number): Promise<number | null>;
}

/** Call it at the top of a test file: it starts the servers, and cleans up after each test and after all. */
export async function createKillSite(): Promise<KillSite> {
  const {gearmand, at, workers} = await useQueueSite();

  return {
    ...at,
    gearmand,
    workers,
    kill: (ids, options) => killAt(at, ids, options),
    submit: (count) => submitJobs(at, count),
    async execute() {
      const executing = await executeJob(at.site);
      workers.push(executing.worker);
      return executing;
    },
    async inGearman() {
      const jobs = (await at.server.jobs()).filter(({ignored}) => !ignored).length;
      const lock = (await at.server.status()).find((row) => row.function === PROBE_LOCK);
      return jobs - (lock?.total ?? 0);
    },
    async statusOf(id) {
      const [row] = await at.site.query<{status_id: number | null}>(
        'SELECT status_id FROM job WHERE id = ?',
        [id],
      );
      return row?.status_id ?? null;
    },
  };
}

/** The database with some of its methods replaced. */
export function withMethods(database: Database, replaced: Partial<Database>): Database {
  return new Proxy(database, {
    get(target, name) {
      const value = Reflect.get(name in replaced ? replaced : target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
