import {setTimeout as pause} from 'node:timers/promises';
import {AtomctlError} from '../../errors.ts';

/** A server that repeats what happens on the site's database. */
export interface Replica {
  /** For messages: host and port. */
  name: string;
  /** Whole seconds behind; null if it does not replicate. */
  lagSeconds(): Promise<number | null>;
}

export interface ReplicaWait {
  replicas: readonly Replica[];
  maxLagSeconds: number;
  /** Called once for each wait, when it begins. */
  onWait: (replica: Replica, lagSeconds: number) => void;
}

const POLL_INTERVAL_MS = 500;

/**
 * Resolves when no replica is further behind than it may be, or when the signal interrupts.
 * @throws AtomctlError FAILED if one does not replicate: nobody knows when it would catch up
 */
export async function waitForReplicas(
  {replicas, maxLagSeconds, onWait}: ReplicaWait,
  signal: AbortSignal,
): Promise<void> {
  for (let reported = false; !signal.aborted; reported = true) {
    const lags = await Promise.all(
      replicas.map(async (replica) => ({replica, seconds: await lagOf(replica)})),
    );
    const [furthest] = lags.sort((one, other) => other.seconds - one.seconds);
    if (furthest === undefined || furthest.seconds <= maxLagSeconds) return;
    if (!reported) onWait(furthest.replica, furthest.seconds);
    await pause(POLL_INTERVAL_MS, undefined, {signal}).catch(() => {});
  }
}

/** Whole seconds behind. @throws AtomctlError FAILED if the replica does not replicate */
export async function lagOf(replica: Replica): Promise<number> {
  const seconds = await replica.lagSeconds();
  if (seconds !== null) return seconds;
  throw new AtomctlError('FAILED', `Replication of the replica at ${replica.name} does not run.`, {
    hint: 'To see the reason, run SHOW REPLICA STATUS there. To continue without replicas, omit --max-lag.',
  });
}
