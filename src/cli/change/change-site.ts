import {createHash} from 'node:crypto';
import {AtomctlError} from '../../errors.ts';
import {describeEndpoint, endpointOf} from '../../mysql/endpoint.ts';
import type {Context} from '../context.ts';
import {type Change, caller, recordChanges} from './audit-log.ts';

/** @throws AtomctlError FAILED if another run may have the site's lock by now */
export type CheckLock = () => Promise<void>;

export interface ChangeOptions<T> {
  /** The command's id. */
  command: string;
  /** The file of `--audit-log`; absent: the journal. */
  auditLog: string | undefined;
  /** What is about to be tried, for the audit log if it fails. */
  attempt: object;
  /** @param checkLock throws FAILED if the site's lock was lost; for work in steps */
  work: (checkLock: CheckLock) => Promise<T>;
  /** What the work changed, for the audit log. */
  changes: (result: T) => readonly Change[];
  /** Says that the audit log could not be written, also under --quiet. */
  warn: (text: string) => void;
}

/**
 * Changes a site under its lock and writes the audit log. If that log cannot be written, the change stays.
 * @throws AtomctlError LOCKED before anything was touched; what `work` throws, after it was logged
 */
export function changeSite<T>(context: Context, options: ChangeOptions<T>): Promise<T> {
  return underSiteLock(context, options.command, async (checkLock) => {
    try {
      const result = await options.work(checkLock);
      await record(context, options, options.changes(result));
      return result;
    } catch (error) {
      const {code, message} = error instanceof AtomctlError ? error : {code: 'INTERNAL', message: 'failed'};
      await record(context, options, [{what: options.attempt, result: {error: {code, message}}}]);
      throw error;
    }
  });
}

async function record<T>(
  context: Context,
  {command, auditLog, warn}: ChangeOptions<T>,
  changes: readonly Change[],
): Promise<void> {
  const {value: config} = await (await context.site()).database();
  const problem = await recordChanges(changes, {
    command,
    database: `${config.database} at ${describeEndpoint(endpointOf(config))}`,
    file: auditLog ?? null,
    now: context.now(),
    env: process.env,
  });
  if (problem !== null) warn(problem);
}

/**
 * Works under the site's lock. Clear, kill and fix exclude each other on all hosts, because the lock is a named lock of
 * the site's database server.
 * @throws AtomctlError LOCKED, naming the holder, if another run has the lock; what `work` throws
 */
export async function underSiteLock<T>(
  context: Context,
  command: string,
  work: (checkLock: CheckLock) => Promise<T>,
): Promise<T> {
  const [{takeNamedLock}, site, time] = await Promise.all([
    import('../../mysql/named-lock.ts'),
    context.site(),
    context.time(),
  ]);
  const {value: config} = await site.database();
  const since = time.toWall(context.now());
  const lock = await takeNamedLock(config, {
    name: `atomctl:${createHash('md5').update(config.database).digest('hex')}`,
    holder: `${command} by ${caller()}, process ${process.pid}, since ${since}`,
    timeoutSeconds: context.timeoutSeconds,
  });
  if (!lock.taken) {
    throw new AtomctlError('LOCKED', `This site is being changed by ${lock.holder}.`, {
      hint: 'Wait for it to end, or end it: the lock goes with it. Nothing was changed.',
    });
  }
  const checkLock = async () => {
    if (await lock.isHeld(await context.database())) return;
    throw new AtomctlError(
      'FAILED',
      "This site's lock was lost: the process was stopped for long, or its connection broke.",
      {
        hint: 'Another atomctl may be changing the site. Run it again.',
      },
    );
  };
  return work(checkLock).finally(lock.release);
}
