import {BY_SYSTEMD} from '../../../src/host-commands.ts';
import {planRetry, type RetryOptions} from '../../../src/jobs/retry/plan.ts';
import {
  previewRetry,
  type Retried,
  type RetryResult,
  retryExitStatus,
  retryJobs,
} from '../../../src/jobs/retry/retry.ts';
import {readPhpJson, writePhpJson} from '../../../src/php/json.ts';
import {realHost} from '../live.ts';
import type {InsertJob} from '../site/atom-jobs.ts';
import type {AtomSite} from '../site/atom-site.ts';
import type {QueueSite} from '../site/queue-site.ts';

export interface RetryOutcome extends RetryResult {
  exit: number;
  first: Retried;
}

/** What jobs:retry gives if no flag is given; `options` says what else is given. */
export function retryOptions(
  {site, sources}: Pick<QueueSite, 'site' | 'sources'>,
  ids: readonly number[],
  options: Partial<RetryOptions> = {},
): RetryOptions {
  return {
    ...sources,
    // The workers of a test are processes here: what is lost is proved beside them.
    host: realHost(site),
    ids,
    root: site.root,
    by: 'alice@archive',
    reason: null,
    culture: 'en',
    commands: BY_SYSTEMD,
    force: false,
    onceMore: true,
    signal: new AbortController().signal,
    recheck: {wait: async () => {}, firstSeen: new Map()},
    ...options,
  };
}

/** Runs jobs again as jobs:retry does. */
export async function retryAt(
  at: Pick<QueueSite, 'site' | 'sources'>,
  ids: readonly number[],
  options: Partial<RetryOptions> = {},
): Promise<RetryOutcome> {
  const result = await retryJobs(retryOptions(at, ids, options), null);
  return {...result, exit: retryExitStatus(result), first: result.retried[0]!};
}

/** What jobs:retry would say of one job before it asks. */
export async function previewAt(
  at: Pick<QueueSite, 'site' | 'sources'>,
  id: number,
  options: Partial<RetryOptions> = {},
): Promise<Retried> {
  return previewRetry([id], await planRetry(retryOptions(at, [id], options)))[0]!;
}

export interface LoggedJob extends InsertJob {
  parameters?: Readonly<Record<string, unknown>>;
  /** Messages after the parameters. */
  messages?: readonly string[];
}

/** A job that a worker began and that failed, unless `status` says otherwise: its log has its parameters, as AtoM writes them. */
export async function insertLogged(site: AtomSite, job: LoggedJob = {}): Promise<number> {
  const {parameters = {objectId: 512}, messages = ['Job finished.'], name = 'arFindingAidJob', ...row} = job;
  const id = await site.insertJob({status: 'error', objectId: 512, ...row, name});
  const text = phpJson({...parameters, name, id: String(id)});
  const lines = ['Job started.', `Parameters: ${text}`, ...messages].map(
    (message) => `[info] [2026-03-04 13:05:01] Job ${id} "${name}": ${message}\n`,
  );
  await site.query('UPDATE job SET output = ? WHERE id = ?', [lines.join(''), id]);
  return id;
}

/** JSON as PHP's json_encode writes it. */
export function phpJson(value: unknown): string {
  return writePhpJson(readPhpJson(JSON.stringify(value)));
}
