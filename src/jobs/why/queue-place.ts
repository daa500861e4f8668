import {splitFunctionName} from '../../queue/function-name.ts';
import {seenWaiting} from '../live/counts.ts';
import type {LiveEvidence, RowEvidence} from '../live/evidence.ts';
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
  const {queue, counts, waits, unasked} = queuesLike(evidence, row);
  if (probed && queue !== undefined) {
    const waiting = evidence.payloads.filter((payload) => payload.queue === queue);
    const at = waiting.findIndex(({jobId}) => jobId === id);
    if (at !== -1) return {position: at + 1, ahead: waiting.slice(0, at).flatMap(({jobId}) => jobId ?? [])};
  }
  if (queue !== undefined && waits === 1) return {position: 1, ahead: []};
  const silence = `${unasked.join(', ')} ${unasked.length === 1 ? 'does' : 'do'} not answer.`;
  if (waits === 0)
    return unasked.length === 0
      ? 'No job that may be this one waits on a Gearman server.'
      : `It is not known which queue has it: ${silence}`;
  const where = [...new Set(counts.map(({server}) => server))].join(', ');
  const jobs = waits === 1 ? '1 job that may be this one waits' : `${waits} jobs wait`;
  const what = counts.length === 1 ? ` for ${splitFunctionName(counts[0]!.function).jobClass}` : '';
  const why =
    refused ??
    (probed
      ? 'The probe did not find it among them.'
      : 'Gearman shows their order only to a worker: add --probe.');
  return `${jobs}${what} on ${where}. ${why}${unasked.length === 0 ? '' : ` ${silence}`}`;
}

/** The servers that may have the row's job and did not answer, if a probe of the others cannot tell more. */
export function serversToReach(
  {evidence}: Pick<LiveReport, 'evidence'>,
  row: RowEvidence,
  {probed}: {probed: boolean},
): string[] {
  const {waits, unasked} = queuesLike(evidence, row);
  return probed || waits === 0 ? unasked : [];
}

/**
 * The queue that has the row's job or those that may have it, the jobs that wait there, and the servers of which this is not known,
 * because they do not answer.
 */
function queuesLike(evidence: LiveEvidence, row: RowEvidence) {
  const queue = row.known?.queue ?? seenWaiting(evidence).get(row.id);
  const names = queue === undefined ? row.queues : [queue];
  const counts = evidence.queues.filter((each) => names.includes(each.queue));
  const silent = evidence.servers.filter(({error}) => error !== null).map(({address}) => address);
  return {
    queue,
    counts,
    waits: counts.reduce((sum, {total, running}) => sum + total - running, 0),
    unasked: queue === undefined ? silent : [],
  };
}
