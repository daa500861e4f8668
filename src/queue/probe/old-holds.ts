import {AtomctlError} from '../../errors.ts';
import {formatAddress, type ServerAddress} from '../../gearman/address.ts';
import type {Connection} from '../../gearman/server.ts';
import {PROBE_LOCK} from '../function-name.ts';
import type {ServerReport} from '../server-report.ts';
import {FAULT_SEVERITY} from '../severity.ts';
import type {QueueProblem} from '../verdict.ts';
import {claimsToBeProbe, isCurrentHold, isCurrentProbe, probeBegan} from './probe-id.ts';

/** A client that calls itself as atomctl's probe does, for longer than a probe lasts, or a queue:hold. */
export interface OldHold {
  /** The server, `host:port`. */
  address: string;
  id: string;
  ip: string;
  /** When it began, epoch milliseconds; null if its id does not say so. */
  sinceMs: number | null;
  /** It may have the lock under which one atomctl at a time probes. */
  locks: boolean;
  /** A queue:hold whose command runs. */
  isHold: boolean;
}

/** A probe in progress is none of these. */
export function oldHolds(
  servers: readonly Pick<ServerReport, 'address' | 'connections'>[],
  nowMs: number,
): OldHold[] {
  return servers.flatMap(({address, connections}) =>
    holdOnce(connections, nowMs)
      .filter(({id, functions}) => functions.length > 0 && claimsToBeProbe(id) && !isCurrentProbe(id, nowMs))
      .map(({id, ip, functions}) => ({
        address,
        id,
        ip,
        sinceMs: probeBegan(id),
        locks: functions.includes(PROBE_LOCK),
        isHold: isCurrentHold(id, nowMs),
      })),
  );
}

/** A queue:hold has a connection for each job, all under one id: the one with the lock stands for them. */
function holdOnce(connections: readonly Connection[], nowMs: number): Connection[] {
  const isLock = ({functions}: Connection) => functions.includes(PROBE_LOCK);
  const locked = new Set(connections.filter(isLock).map(({id}) => id));
  return connections.filter(
    (connection) => isLock(connection) || !isCurrentHold(connection.id, nowMs) || !locked.has(connection.id),
  );
}

/** A problem with what follows from it. */
export type HoldProblem = QueueProblem & {state: 'warning'; consequence: string};

/** One problem for each hold. @param toWall the site's wall clock of an instant */
export function oldHoldProblems(holds: readonly OldHold[], toWall: (instant: Date) => string): HoldProblem[] {
  return holds.map((hold) => ({
    state: FAULT_SEVERITY['old holds'],
    ...(hold.isHold ? heldText(hold, toWall) : oldHoldText(hold, toWall)),
  }));
}

type HoldText = Omit<HoldProblem, 'state'>;

/** A hold is made on purpose, and ends by itself. */
function heldText(hold: OldHold, toWall: (instant: Date) => string): HoldText {
  return {
    message: `${holdText(hold, toWall)}.`,
    consequence: 'Until its command ends, the waiting jobs and those that arrive do not start.',
    remedy: `wait for the command of atomctl queue:hold to end; or ${holdFix(hold)}`,
  };
}

function oldHoldText(hold: OldHold, toWall: (instant: Date) => string): HoldText {
  return {
    message: `${holdText(hold, toWall)}, longer than a probe of atomctl lasts.`,
    consequence: hold.locks
      ? 'Until it ends, atomctl cannot read the waiting jobs of this server.'
      : 'Until it ends, it may hold jobs of its queues, and their state is not certain.',
    remedy: holdFix(hold),
  };
}

/** `A queue:hold (atomctl-hold-…, from 10.0.0.5) holds the queue of 127.0.0.1:4730 since …`, or for another hold `The client atomctl-probe-1f-1764100000 from 10.0.0.5 has held the probe lock of 127.0.0.1:4730 since …`. */
export function holdText(
  {id, ip, address, sinceMs, locks, isHold}: OldHold,
  toWall: (instant: Date) => string,
): string {
  const since = sinceMs === null ? '' : ` since ${toWall(new Date(sinceMs))}`;
  if (isHold) return `A queue:hold (${id}, from ${ip}) holds the queue of ${address}${since}`;
  return `The client ${id} from ${ip} has held ${locks ? 'the probe lock' : 'jobs or queues'} of ${address}${since}`;
}

/** Gearman gives back what a connection holds when it ends. */
export function holdFix({ip, address}: OldHold): string {
  const port = address.slice(address.lastIndexOf(':') + 1);
  return `end the process of this connection; to find it on ${ip}: ss -tnp 'dport = :${port}'`;
}

/**
 * Why the probe lock of a server could not be had: another atomctl probes, or a client has kept the lock for longer than
 * a probe lasts, and who that is.
 * @param connections what the server's `workers` lists
 */
export function lockRefusal(
  address: ServerAddress,
  {connections, nowMs}: {connections: readonly Connection[]; nowMs: number},
): AtomctlError {
  const server = formatAddress(address);
  const holders = connections.filter(({functions}) => functions.includes(PROBE_LOCK));
  const old = oldHolds([{address: server, connections: holders}], nowMs);
  const [hold] = old;
  if (hold !== undefined && old.length === holders.length) {
    const utc = (instant: Date) => instant.toISOString().replace('.000', '');
    if (hold.isHold) {
      return new AtomctlError('REFUSED', `${holdText(hold, utc)}.`, {
        hint: 'Nothing was touched. Try again when its command has ended.',
      });
    }
    return new AtomctlError('REFUSED', `${holdText(hold, utc)}, longer than a probe of atomctl lasts.`, {
      hint: `Nothing was changed. To free the queue, ${holdFix(hold)}.`,
    });
  }
  return new AtomctlError('REFUSED', `Another atomctl is probing the queue of Gearman server ${server}.`, {
    hint: 'Nothing was changed. Try again in a moment.',
  });
}
