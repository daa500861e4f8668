import {AtomctlError} from '../../errors.ts';
import type {ServerAddress} from '../../gearman/address.ts';
import {type ServerLock, takeLock} from '../../gearman/lock.ts';
import {connectServer, type GearmanTimeouts} from '../../gearman/server.ts';
import {PROBE_LOCK} from '../function-name.ts';
import {lockRefusal} from './old-holds.ts';
import {newProbeId} from './probe-id.ts';

const LOCK_RETRY_MS = 20;

export interface ProbeLockOptions extends GearmanTimeouts {
  /** Ends the wait for the lock. */
  signal?: AbortSignal;
  /** Under which id the lock's holder shows; that of a probe if absent. */
  clientId?: string;
}

/**
 * Works while this atomctl alone may hold jobs of a server. Meanwhile no other atomctl calls a job lost.
 * @throws AtomctlError REFUSED if another has the lock for longer than the timeout; INTERRUPTED; as GearmanServer's requests
 *   do; what `work` throws
 */
export async function underProbeLock<T>(
  address: ServerAddress,
  options: ProbeLockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const lock = await takeProbeLock(address, options);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** The same for work that ends elsewhere: the lock has to be released. */
export async function takeProbeLock(address: ServerAddress, options: ProbeLockOptions): Promise<ServerLock> {
  const deadline = Date.now() + options.timeoutSeconds * 1000;
  for (;;) {
    if (options.signal?.aborted) {
      throw new AtomctlError(
        'INTERRUPTED',
        'Interrupted before the probe of the queue; nothing was changed.',
      );
    }
    const lock = await takeLock(address, PROBE_LOCK, {
      ...options,
      clientId: options.clientId ?? newProbeId(Date.now()),
    });
    if (lock) return lock;
    if (Date.now() > deadline) throw await refusal(address, options);
    await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS));
  }
}

async function refusal(address: ServerAddress, options: ProbeLockOptions): Promise<AtomctlError> {
  const server = await connectServer(address, options);
  try {
    return lockRefusal(address, {connections: await server.connections(), nowMs: Date.now()});
  } finally {
    server.close();
  }
}
