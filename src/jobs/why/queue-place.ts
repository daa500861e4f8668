import {splitFunctionName} from '../../queue/function-name.ts';
import {seenWaiting} from '../live/counts.ts';
import type {LiveReport} from '../live/live-state.ts';

/** A job's place in its queue, or why it is not known, a sentence. */
export type QueuePlace = {position: number; ahead: number[]} | string;

/**
 * The place of a waiting job among those of its class on its server. gearmand hands out the jobs of a class in their order,
 * those of a higher priority first, and it shows the order only to a worker: so it is known of the only job that waits, and
 * after a probe.
 * @param refused why the queue, or a part of it, was not probed
 */
export function queuePlace(
  {evidence}: Pick<LiveReport, 'evidence'>,
  id: number,
  {probed, refused}: {probed: boolean; refused: string | null},
): QueuePlace {
  const row = evidence.rows.find((each) => each.id === id);
  if (row === undefined) return 'Its row changed while atomctl asked the servers.';
  const queue = row.known?.queue ?? seenWaiting(evidence).get(id);
  if (probed && queue !== undefined) {
    const waiting = evidence.payloads.filter((payload) => payload.queue === queue);
    const at = waiting.findIndex(({jobId}) => jobId === id);
    if (at !== -1) return {position: at + 1, ahead: waiting.slice(0, at).flatMap(({jobId}) => jobId ?? [])};
  }
  const counted = queue === undefined ? row.queues : [queue];
  const counts = evidence.queues.filter((each) => counted.includes(each.queue));
  const waits = counts.reduce((sum, {total, running}) => sum + total - running, 0);
  if (queue !== undefined && waits === 1) return {position: 1, ahead: []};
  const where = [...new Set(counts.map(({server}) => server))].join(', ');
  if (waits === 0) return 'No job that may be this one waits on a Gearman server.';
  const jobs = waits === 1 ? '1 job that may be this one waits' : `${waits} jobs wait`;
  const what = counts.length === 1 ? ` for ${splitFunctionName(counts[0]!.function).jobClass}` : '';
  const why =
    refused ??
    (probed
      ? 'The probe did not find it among them.'
      : 'Gearman shows their order only to a worker: add --probe.');
  return `${jobs}${what} on ${where}. ${why}`;
}
