import {splitFunctionName} from '../../queue/function-name.ts';
import {countUnexplained, seenWaiting} from '../live/counts.ts';
import type {LiveEvidence} from '../live/evidence.ts';

/** Jobs in Gearman that no row that says Running can explain. */
export interface Surplus {
  /** The job classes of the queues that have them. */
  jobClasses: string[];
  /** The queues: functions on servers. */
  queues: string[];
  /** At least so many. */
  count: number;
}

/**
 * What the site's own queues have beyond the rows, by counts: each row explains one job at most. Payloads that were
 * read show it exactly.
 * @param ignored cancelled entries by server address; they are counted, and belong to rows that have ended by right
 */
export function findSurplus(evidence: LiveEvidence, ignored: ReadonlyMap<string, number>): Surplus[] {
  const placed = seenWaiting(evidence);
  const strange = new Map<string, number>();
  for (const {queue, jobId} of evidence.payloads) {
    if (jobId === null || placed.get(jobId) !== queue) strange.set(queue, (strange.get(queue) ?? 0) + 1);
  }
  return countUnexplained(evidence).groups.flatMap(({queues, rows}) => {
    const own = queues.filter(({owner}) => owner === 'site');
    const unexplained = sum(own.map((queue) => queue.unexplained.total));
    const servers = [...new Set(own.map(({server}) => server))];
    const cancelled = sum(servers.map((server) => ignored.get(server) ?? 0));
    const count =
      sum(own.map(({queue}) => strange.get(queue) ?? 0)) + Math.max(0, unexplained - rows) - cancelled;
    if (count <= 0) return [];
    const jobClasses = own.map((queue) => splitFunctionName(queue.function).jobClass);
    return [{jobClasses: [...new Set(jobClasses)].sort(), queues: own.map(({queue}) => queue).sort(), count}];
  });
}

/** What both snapshots show: a worker saves the row before it tells Gearman that a job has ended. */
export function lastingSurplus(first: readonly Surplus[], second: readonly Surplus[]): Surplus[] {
  const before = new Map(first.map((surplus) => [surplus.queues.join('\n'), surplus.count]));
  return second.flatMap((surplus) => {
    const count = Math.min(surplus.count, before.get(surplus.queues.join('\n')) ?? 0);
    return count > 0 ? [{...surplus, count}] : [];
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((one, other) => one + other, 0);
}
