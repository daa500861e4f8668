import type {LiveEvidence, RowEvidence} from '../../src/jobs/live/evidence.ts';
import {HOUR, MINUTE, SECOND} from './clock.ts';
import type {TrueState} from './world.ts';

/**
 * What must be claimed about a row that was called uncertain, null if `uncertain` is right (docs/faults.md says where
 * `uncertain` is not accepted). For observations in which nothing happened between the steps.
 */
export function missingClaim(
  row: RowEvidence,
  evidence: LiveEvidence,
  truths: ReadonlySet<TrueState>,
  probed: boolean,
): string | null {
  const {servers, host, writable} = evidence;
  if (servers.some(({error, probing}) => error !== null || probing)) return null;
  const {known} = row;
  const server = known && servers.find(({address}) => known.queue.endsWith(`@${address}`));
  // A begun job whose key a server knows, its entry not ignored.
  const heldBy = evidence.workers.some(
    ({id, queues}) => id.startsWith('atomctl-') && known !== null && queues.includes(known.queue),
  );
  if (row.begun && server && !heldBy && (known.running || server.ignored === 0))
    return known.running ? 'executing' : 'queued';
  // A job that never began, with a probe.
  const seen = evidence.payloads.some(({queue, jobId}) => jobId === row.id && row.queues.includes(queue));
  if (!row.begun && probed && seen && truths.has('queued') && noDoubtAbout(row, evidence)) return 'queued';
  if (!writable || !host || host.serversNotAsked.length > 0 || host.serversDoubt) return null;
  // A probe read every job of its queues, so they count as empty.
  const allRead =
    probed &&
    !row.begun &&
    servers.every(({ignored}) => ignored === 0) &&
    evidence.queues.every(
      ({queue, total, running}) =>
        !row.queues.includes(queue) ||
        (running === 0 && evidence.payloads.filter((payload) => payload.queue === queue).length === total),
    );
  if (known || (row.queues.length > 0 && !allRead) || seen) return null;
  // The rest is about jobs that are in no queue.
  const {clock, configChangedMs} = host;
  const sureOlderThan = (timeMs: number | null, ageMs: number) =>
    timeMs !== null && clock.nowMs - timeMs > ageMs + clock.uncertaintyMs;
  const configIsOlder = (timeMs: number) =>
    configChangedMs === null || configChangedMs < timeMs - clock.uncertaintyMs - 61 * SECOND;
  // If a worker began it twice, the first run may go on after the second has finished.
  // A worker that lost its server may have been given it again, and not have logged it yet.
  const allConnected = host.processes.workers.every(({pid}) => isConnected(pid, evidence));
  if (
    row.finished &&
    row.starts === 1 &&
    allConnected &&
    configIsOlder(row.createdEarliestMs!) &&
    truths.has('finished')
  )
    return 'finished';
  if (!row.begun) {
    // The offset is sure, or the row is older than 26 hours.
    if (!sureOlderThan(row.createdMs, 17 * SECOND) || !configIsOlder(row.createdEarliestMs!)) return null;
    // A worker that was assigned it and has logged nothing looks the same, if it lost its server.
    if (host.processes.unreadable !== null) return null;
    if (!allConnected) return null;
    return truths.has('lost') ? 'lost' : null;
  }
  const hereOnly =
    servers.every(({onlyLoopback}) => onlyLoopback) &&
    host.processes.unreadable === null &&
    host.processes.workers.length === 0 &&
    host.processes.imports.length === 0 &&
    evidence.workers.length === 0;
  if (!hereOnly || !sureOlderThan(row.lastActivityMs, 16 * MINUTE)) return null;
  if (!configIsOlder(row.createdEarliestMs!) || !configIsOlder(row.begun.earliestMs!)) return null;
  // An offset that is not sure: everything about the row is older than 26 hours.
  if (clock.uncertaintyMs > 0 && !sureOlderThan(row.lastActivityMs, 1 * HOUR)) return null;
  if (truths.has('executing')) return null;
  const expected = row.finished ? 'finished' : 'lost';
  return truths.has(expected) ? expected : null;
}

function isConnected(pid: number, {servers, workers}: LiveEvidence): boolean {
  return servers.every(({address}) =>
    workers.some((worker) => worker.pid === pid && worker.server === address && worker.fromHere),
  );
}

/** The payload's queue is this site's own: an id in an unknown prefix may be another site's. */
function noDoubtAbout(row: RowEvidence, evidence: LiveEvidence): boolean {
  return evidence.payloads.some(
    ({queue, jobId}) =>
      jobId === row.id && evidence.queues.some((count) => count.queue === queue && count.owner === 'site'),
  );
}
