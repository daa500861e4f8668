import {createHash} from 'node:crypto';
import {AtomctlError} from '../../errors.ts';
import type {AppendFile} from '../../files/append-file.ts';
import type {Context} from '../context.ts';
import {siteName} from '../site/site-line.ts';
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
 * Changes a site under its lock and writes the audit log, after the lock was released. A file that is refused as the log ends the
 * command before; if it cannot be written after, the change stays.
 * @throws AtomctlError USAGE or LOCKED before anything was touched; what `work` throws, after it was logged
 */
export async function changeSite<T>(context: Context, options: ChangeOptions<T>): Promise<T> {
  const file = options.auditLog === undefined ? null : await openLog(options.auditLog);
  try {
    const outcome = await underSiteLock(context, options.command, (checkLock) =>
      outcomeOf(options.work(checkLock)),
    );
    await record(context, options, {file, changes: changesOf(outcome, options)});
    if ('error' in outcome) throw outcome.error;
    return outcome.result;
  } finally {
    await file?.close();
  }
}

async function openLog(path: string): Promise<AppendFile> {
  const {AppendFile} = await import('../../files/append-file.ts');
  return AppendFile.open(path, process.geteuid!());
}

type Outcome<T> = {result: T} | {error: unknown};

async function outcomeOf<T>(work: Promise<T>): Promise<Outcome<T>> {
  try {
    return {result: await work};
  } catch (error) {
    return {error};
  }
}

function changesOf<T>(outcome: Outcome<T>, {attempt, changes}: ChangeOptions<T>): readonly Change[] {
  if ('result' in outcome) return changes(outcome.result);
  const {error} = outcome;
  const {code, message} = error instanceof AtomctlError ? error : {code: 'INTERNAL', message: 'failed'};
  return [{what: attempt, result: {error: {code, message}}}];
}

async function record<T>(
  context: Context,
  {command, warn}: ChangeOptions<T>,
  {file, changes}: {file: AppendFile | null; changes: readonly Change[]},
): Promise<void> {
  const {site, database} = await siteName(context);
  const problem = await recordChanges(changes, {
    command,
    site,
    database,
    file,
    now: context.now(),
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
    throw new AtomctlError('LOCKED', `This site is locked by ${lock.holder}.`, {
      hint: 'Wait until it ends, or end it; it then releases the lock. Nothing was changed.',
    });
  }
  const checkLock = async () => {
    if (await lock.isHeld(await context.database())) return;
    throw new AtomctlError(
      'FAILED',
      "This site's lock was lost: the process was stopped for a long time, or its connection broke.",
      {
        hint: 'Another atomctl may be changing the site. Run the command again.',
      },
    );
  };
  return work(checkLock).finally(lock.release);
}
