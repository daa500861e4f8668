import type {LongestWait} from '../../queue/verdict.ts';
import type {LiveReport} from '../live/live-state.ts';

/**
 * The job that waits longest for a worker, of those that are or may be queued: since its start, or, if a worker began it
 * before, since its last log line. null if none waits.
 * @param options.excluded job names that are left out
 */
export function longestWait(
  {evidence, verdicts}: Pick<LiveReport, 'evidence' | 'verdicts'>,
  {now, excluded}: {now: Date; excluded: readonly string[]},
): LongestWait | null {
  let longest: LongestWait | null = null;
  for (const {id, name, begun, createdMs, lastActivityMs} of evidence.rows) {
    const {state, likely} = verdicts.get(id)!;
    if ((likely ?? state) !== 'queued' || excluded.includes(name)) continue;
    const sinceMs = begun === null ? createdMs : lastActivityMs;
    if (sinceMs === null) continue;
    const seconds = Math.max(0, Math.floor((now.getTime() - sinceMs) / 1000));
    if (longest === null || seconds > longest.seconds) longest = {id, name, seconds};
  }
  return longest;
}
