/**
 * What a job that the database calls Running really is: executing, queued, finished, lost or uncertain. The evidence
 * is gathered once (collect-evidence.ts) and judged by a pure function (verdict.ts).
 */
import type {AtomctlError} from '../../errors.ts';
import type {LiveState} from '../model/job.ts';
import type {RunningRow} from '../model/running-jobs.ts';
import {type CollectOptions, collectEvidence} from './collect-evidence.ts';
import type {LiveEvidence} from './evidence.ts';
import type {FoundJob, FoundJobs} from './unique-keys.ts';
import {type LiveVerdict, liveVerdicts} from './verdict.ts';

export type {HostFacts, LiveAccess} from './collect-evidence.ts';
export type {LiveVerdict} from './verdict.ts';

/** LiveAccess for a caller that has the database and the clock already. */
export type LiveSources = Omit<CollectOptions, 'database' | 'time' | 'seenBefore'>;

export interface LiveReport {
  /** By job id; only of rows that said Running before and after the servers were asked. */
  verdicts: ReadonlyMap<number, LiveVerdict>;
  evidence: LiveEvidence;
  /** Where the servers know jobs by their keys. One may be on several, and under several prefixes. */
  found: Readonly<FoundJobs>;
  rows: readonly RunningRow[];
  /** One error for each server that did not answer. */
  missing: readonly AtomctlError[];
}

/**
 * The live state of every row of the site that says Running. A server that does not answer costs certainty, never the
 * report.
 * @throws AtomctlError for the database, or what `probe` throws
 */
export async function liveStates(options: CollectOptions): Promise<LiveReport> {
  const {evidence, ...collected} = await collectEvidence(options);
  return {...collected, evidence, verdicts: liveVerdicts(evidence)};
}

/** Time that shows a row not to be new although the clock is not sure. */
const RECHECK_MS = 10_000;

/** How a command that acts waits, and since when it has seen jobs in no queue (ms on the monotonic clock). */
export interface Recheck {
  wait: (milliseconds: number) => Promise<void>;
  firstSeen: Map<number, number>;
}

/**
 * As liveStates, for a command that is about to change jobs: if only time is missing for the proof of one of them, the
 * evidence is gathered again after ten seconds on the monotonic clock.
 * @param ids the jobs to change; all if absent
 */
export async function liveStatesToAct(
  options: CollectOptions,
  {wait, firstSeen}: Recheck,
  ids?: ReadonlySet<number>,
): Promise<LiveReport> {
  const start = performance.now();
  const first = await liveStates({...options, seenBefore: seenLongAgo(firstSeen, start)});
  const early = [...first.verdicts].filter(([id, {needsTime}]) => needsTime && ids?.has(id) !== false);
  if (early.length === 0) return first;
  for (const [id] of early) if (!firstSeen.has(id)) firstSeen.set(id, start);
  await wait(RECHECK_MS);
  return liveStates({...options, seenBefore: new Set(early.map(([id]) => id))});
}

function seenLongAgo(firstSeen: ReadonlyMap<number, number>, nowMs: number): Set<number> {
  return new Set([...firstSeen].filter(([, at]) => nowMs - at >= RECHECK_MS).map(([id]) => id));
}

/** The state of a job in a report; undefined if its row no longer said Running in the second read. */
export function stateIn({verdicts}: Pick<LiveReport, 'verdicts'>, id: number): LiveState | undefined {
  return verdicts.get(id)?.state;
}

/**
 * Every place in Gearman that has a job, by its key. Those under a function prefix that is not known to be this site's are left
 * out: a copy of this site has jobs of the same ids.
 */
export function placesOf(
  {found, evidence}: Pick<LiveReport, 'found' | 'evidence'>,
  id: number,
): readonly FoundJob[] {
  const isOwn = (place: FoundJob) =>
    evidence.queues.some(({queue, owner}) => queue === place.queue && owner === 'site');
  return (found.get(id) ?? []).filter(isOwn);
}

/** The jobs that execute, or that the evidence says to execute. */
export function executingJobs({rows, verdicts}: LiveReport): {id: number; name: string}[] {
  return rows
    .filter(({id}) => {
      const verdict = verdicts.get(id);
      return (verdict?.likely ?? verdict?.state) === 'executing';
    })
    .map(({id, name}) => ({id, name}));
}
