import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import {open} from 'node:fs/promises';
import {hostname, userInfo} from 'node:os';
import {Flags} from '@oclif/core';
import type {Fixed} from '../../doctor/fix.ts';
import type {SiteCleared} from '../../jobs/clear/clear.ts';
import type {ClearPlan} from '../../jobs/clear/clear-rows.ts';
import type {Killed} from '../../jobs/kill/kill.ts';
import {sanitizeJson} from '../../render/sanitize.ts';

/** For the commands that change a site. */
export const auditFlag = {
  'audit-log': Flags.string({
    summary: 'Append a JSON line for each change to this file; without it they go to the journal or syslog.',
    env: 'ATOMCTL_AUDIT_LOG',
    helpValue: 'FILE',
  }),
};

/** One change. Neither part may hold a password. */
export interface Change {
  /** What was to be done. */
  what: object;
  /** What came of it. */
  result: object;
}

export interface AuditOptions {
  /** The command's id. */
  command: string;
  /** The database that was changed, without user and password. */
  database: string;
  /** null for the journal or syslog, where there is one. */
  file: string | null;
  now: Date;
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * Puts changes on record, a JSON line each: when, who, on which host, by which command, what, with which result.
 * @returns null, or why it could not be done: the changes are made by now, so this is no error to throw
 */
export async function recordChanges(
  changes: readonly Change[],
  options: AuditOptions,
): Promise<string | null> {
  if (changes.length === 0) return null;
  const text = changes.map((change) => `${lineOf(change, options)}\n`).join('');
  try {
    if (options.file === null) await sendToLogger(text);
    else await append(options.file, text);
    return null;
  } catch (error) {
    const {code, message} = error as NodeJS.ErrnoException;
    return `The audit trail lacks this change: ${options.file ?? 'logger'} failed (${code ?? message}).`;
  }
}

/** `sudoUser` is who became `user`: under sudo all changes are root's. */
function lineOf({what, result}: Change, {command, database, now, env}: AuditOptions): string {
  const line = {
    at: now.toISOString(),
    user: processUser(),
    sudoUser: env.SUDO_USER || undefined,
    host: hostname(),
    pid: process.pid,
    command,
    database,
    what,
    result,
  };
  return sanitizeJson(JSON.stringify(line));
}

/** All lines in one write, so that those of two hosts' runs do not mingle, and down to the disk. */
async function append(path: string, text: string): Promise<void> {
  const file = await open(path, 'a', 0o600);
  try {
    await file.appendFile(text);
    // A device, such as /dev/null, has no disk to get to.
    if ((await file.stat()).isFile()) await file.sync();
  } finally {
    await file.close();
  }
}

/** Longer than any line here; logger's own bound is 1 KiB, and it cuts. */
const LONGEST_LINE = '64KiB';
const LOGGER = ['--tag', 'atomctl', '--priority', 'user.notice', '--size', LONGEST_LINE];
const LOGGER_MILLISECONDS = 5000;

/** By stdin, not by argument: the process list is everybody's. A host without logger or syslog has no trail. */
async function sendToLogger(text: string): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      const logger = execFile('logger', LOGGER, {timeout: LOGGER_MILLISECONDS}, (error) =>
        error === null ? resolve() : reject(error),
      );
      logger.stdin?.on('error', () => {}).end(text);
    });
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && existsSync('/dev/log')) throw error;
  }
}

/** The user whom this process runs as; a container's user often has a number and no name. */
export function processUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}

/** Who is at the keyboard and where, `user@host`: behind sudo, the one who typed it. */
export function caller(): string {
  return `${process.env.SUDO_USER || processUser()}@${hostname()}`;
}

/** A record for each job that was killed, marked or deleted. What was refused changed nothing. */
export function killRecords(killed: readonly Killed[], reason: string | undefined): Change[] {
  return killed
    .filter(({action, gearman}) => action !== 'refused' || gearman === 'removed' || gearman === 'cancelled')
    .map(({id, was, action, gearman, message}) => ({
      what: {job: id, was, reason},
      result: {action, gearman, message},
    }));
}

/** One record for all that was cleared together. */
export function clearRecords(
  {filter, total}: ClearPlan,
  cleared: SiteCleared,
  exported: string | null,
): Change[] {
  const {byStatus, queueRemoved, downloadsDeleted, interrupted, failure} = cleared;
  return [
    {
      what: {filter, jobs: total},
      result: {
        cleared: cleared.cleared,
        byStatus,
        queueRemoved,
        downloadsDeleted,
        exported,
        interrupted,
        error: failure && {code: failure.code, message: failure.message},
      },
    },
  ];
}

/** A record for each remedy. */
export function fixRecords(fixed: readonly Fixed[]): Change[] {
  return fixed.map(({id, count, message, error}) => ({what: {remedy: id}, result: {count, message, error}}));
}
