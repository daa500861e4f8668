import {setTimeout as sleep} from 'node:timers/promises';
import {mayBeFunctionOf} from '../../atom/job-classes.ts';
import {ownerOf, takeSnapshot} from '../../queue/snapshot.ts';
import type {LiveAccess} from '../live/live-state.ts';
import {askForKeys, type FoundJobs, type KeyedRow} from '../live/unique-keys.ts';

/** A worker saves the row before it tells Gearman that the job has ended. */
const BETWEEN_MS = 1000;

export interface KnownJobs {
  /** Where a server has the job by its key: executing, waiting or cancelled. */
  found: FoundJobs;
  /** Why a server could not be asked, one sentence; null if each answered for every key. */
  problem: string | null;
}

/**
 * Which of these jobs the servers still have under the site's functions, by the keys of their parameters. What is found is
 * asked for twice, a second apart: a job that has just ended is gone by then.
 */
export async function knownJobs(
  rows: readonly KeyedRow[],
  access: Pick<LiveAccess, 'servers' | 'prefixes'>,
): Promise<KnownJobs> {
  const first = await askOnce(rows, access);
  if (first.found.size === 0) return first;
  await sleep(BETWEEN_MS);
  return askOnce(rows, access);
}

async function askOnce(
  rows: readonly KeyedRow[],
  {servers, prefixes}: Pick<LiveAccess, 'servers' | 'prefixes'>,
): Promise<KnownJobs> {
  const snapshot = await takeSnapshot(servers);
  const own = snapshot.functions.filter(
    (seen) => seen.total > 0 && ownerOf(seen, prefixes, new Set<string>()) === 'site',
  );
  const {found, asked, missing} = await askForKeys(rows, ({name}) =>
    own.filter(({jobClass}) => mayBeFunctionOf(name, jobClass)),
  );
  const error = snapshot.missing[0]?.error ?? [...missing.values()][0];
  const isAsked = rows.every(({id}) => asked.has(id));
  const problem = error?.message ?? (isAsked ? null : 'A Gearman server cannot be asked for keys.');
  return {found, problem};
}
