import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import {hostname, userInfo} from 'node:os';
import {setTimeout as sleep} from 'node:timers/promises';
import {Flags} from '@oclif/core';
import type {Fixed} from '../../doctor/fix.ts';
import {AtomctlError} from '../../errors.ts';
import type {AppendFile} from '../../files/append-file.ts';
import type {SiteCleared} from '../../jobs/clear/clear.ts';
import type {ClearPlan} from '../../jobs/clear/plan.ts';
import type {HoldResult} from '../../jobs/hold/hold.ts';
import type {KillResult} from '../../jobs/kill/kill.ts';
import type {Marked, MarkOptions} from '../../jobs/mark/mark.ts';
import type {Retried} from '../../jobs/retry/retry.ts';
import type {RestoredJob} from '../../jobs/save/restore.ts';
import {sanitizeJson} from '../../render/sanitize.ts';
import {systemReason} from '../../system-failure.ts';

/** Shared by clear, kill, mark, retry and doctor --fix. */
export const auditFlag = {
  'audit-log': Flags.string({
    summary: 'Append a JSON line per change to this file instead of the journal.',
    env: 'ATOMCTL_AUDIT_LOG',
    helpValue: 'FILE',
  }),
};

/** One entry of the audit log. It must not hold a password. */
export interface Change {
  /** The intended change. */
  what: object;
  /** Its result. */
  result: object;
}

export interface AuditOptions {
  /** The command's id. */
  command: string;
  /** The site's name in the configuration file, or its root. */
  site: string | null;
  /** The database that was changed and its host, without user and password. */
  database: string | null;
  /** null: the journal, or syslog if there is one. */
  file: AppendFile | null;
  now: Date;
}

/** A disk may be slow; the change is made, and its outcome is not kept back for longer. */
const LONGEST_MS = 5000;

/**
 * Writes a JSON line for each change: time, user, host, command, intended change, result.
 * @returns null, or why it failed. It does not throw, because the changes are already made.
 */
export async function recordChanges(
  changes: readonly Change[],
  options: AuditOptions,
): Promise<string | null> {
  if (changes.length === 0) return null;
  const lines = changes.map((change) => lineOf(change, options));
  const text = lines.map((line) => `${line}\n`).join('');
  try {
    await inTime(options.file === null ? sendToLogger(text) : options.file.append(text));
    return null;
  } catch (error) {
    const where = options.file === null ? 'logger' : 'its file';
    const reason = error instanceof AtomctlError ? error.message.replace(/\.$/, '') : systemReason(error);
    return `This change may be missing in the audit log: ${where} failed: ${reason}. The log should have: ${shown(lines)}`;
  }
}

/** In a warning. */
const MOST_SHOWN = 10;

function shown(lines: readonly string[]): string {
  const more = lines.length > MOST_SHOWN ? ` and ${lines.length - MOST_SHOWN} more lines` : '';
  return `${lines.slice(0, MOST_SHOWN).join(' ')}${more}`;
}

/** @throws Error if the work takes too long */
async function inTime(work: Promise<void>): Promise<void> {
  const over = new AbortController();
  const late = sleep(LONGEST_MS, undefined, {signal: over.signal}).then(() => {
    throw new Error(`it took longer than ${LONGEST_MS / 1000} seconds`);
  });
  await Promise.race([work, late]).finally(() => over.abort());
}

/** `sudoUser` is the user who called sudo: `user` is then always root. */
function lineOf(change: Change, options: AuditOptions): string {
  const text = lineText(change, options, summarized);
  return Buffer.byteLength(text) <= LONGEST_LINE ? text : lineText(change, options, shortened);
}

function lineText(
  {what, result}: Change,
  {command, site, database, now}: AuditOptions,
  replace: (key: string, value: unknown) => unknown,
): string {
  const line = {
    at: now.toISOString(),
    user: processUser(),
    sudoUser: sudoUser() ?? undefined,
    host: hostname(),
    pid: process.pid,
    command,
    site,
    database,
    what,
    result,
  };
  return sanitizeJson(JSON.stringify(line, replace));
}

/** Ids are listed up to this number. */
const MOST_IDS = 100;

/** A JSON.stringify replacer: of many ids their number, the first and the last. */
function summarized(_key: string, value: unknown): unknown {
  const isLong = Array.isArray(value) && value.length > MOST_IDS;
  if (!isLong || !value.every((each) => typeof each === 'number')) return value;
  return {count: value.length, first: value[0], last: value.at(-1)};
}

/** Of a line that is too long. */
const MOST_ITEMS = 5;
const MOST_CHARACTERS = 1000;

/** The same for whatever may be long: a reason, names, problems. */
function shortened(_key: string, value: unknown): unknown {
  if (typeof value === 'string' && value.length > MOST_CHARACTERS)
    return `${value.slice(0, MOST_CHARACTERS)}… (${value.length} characters)`;
  if (!Array.isArray(value) || value.length <= MOST_ITEMS) return value;
  return {count: value.length, first: value[0], last: value.at(-1)};
}

/** Bytes. logger splits what is longer; its default is 1 KiB. */
const LONGEST_LINE = 64 * 1024;
const LOGGER = ['--tag', 'atomctl', '--priority', 'user.notice', '--size', String(LONGEST_LINE)];

/** By stdin, because every user can read arguments in the process list. Without logger or syslog, nothing is logged. */
async function sendToLogger(text: string): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      const logger = execFile('logger', LOGGER, {timeout: LONGEST_MS}, (error) =>
        error === null ? resolve() : reject(error),
      );
      logger.stdin?.on('error', () => {}).end(text);
    });
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && existsSync('/dev/log')) throw error;
  }
}

/** The user that this process runs as; in a container often a number without a name. */
export function processUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}

/** `user@host` of the person who runs atomctl: under sudo, the user who called it. */
export function caller(): string {
  return `${sudoUser() ?? processUser()}@${hostname()}`;
}

/** Who called sudo. Anybody may set the variable; only to root it was set by sudo. */
function sudoUser(): string | null {
  return (process.geteuid!() === 0 && process.env.SUDO_USER) || null;
}

/** An entry for each job that was touched, and one for the workers if they were asked to stop. */
export function killRecords(
  {killed, workersAsked, workerRestarted, interrupted}: KillResult,
  reason: string | undefined,
): Change[] {
  const jobs = killed
    .filter(({action}) => action !== 'refused')
    .map(({id, was, action, gearman, message}) => ({
      what: {job: id, was, reason},
      result: {action, gearman, message},
    }));
  const workers = {
    what: {workers: 'restart', reason},
    result: {restarted: workerRestarted, interruptedJobs: interrupted},
  };
  return workersAsked ? [...jobs, workers] : jobs;
}

/** An entry for each job that was marked, or of which that is not known. */
export function markRecords(
  marked: readonly Marked[],
  {as, reason}: Pick<MarkOptions, 'as' | 'reason'>,
): Change[] {
  return marked
    .filter(({action}) => action !== 'refused')
    .map(({id, was, action, message}) => ({
      what: {job: id, was, as, reason: reason ?? undefined},
      result: {action, message},
    }));
}

/** An entry for each job that was run again, or of which that is not known. */
export function retryRecords(retried: readonly Retried[], reason: string | undefined): Change[] {
  return retried
    .filter(({action}) => action !== 'refused')
    .map(({id, newId, action, message}) => ({
      what: {job: id, retry: newId, reason},
      result: {action, message},
    }));
}

/** An entry for each job that was submitted again, or of which that is not known. */
export function restoreRecords(jobs: readonly RestoredJob[], file: string): Change[] {
  return jobs
    .filter(({action}) => action === 'submitted' || action === 'failed')
    .map(({id, unique, server, action, message}) => ({
      what: {job: id, unique, restoredFrom: file, server},
      result: {action, message},
    }));
}

/** One entry for a hold. */
export function holdRecords({failure, ...result}: HoldResult, command: readonly string[]): Change[] {
  const error = failure && {code: failure.code, message: failure.message};
  return [{what: {holdFor: command[0]}, result: {...result, error}}];
}

/** One entry for a clear. */
export function clearRecords(
  {filter, total}: ClearPlan,
  cleared: SiteCleared,
  exported: string | null,
): Change[] {
  const {byStatus, queueRemoved, downloadsDeleted, workersAsked, interruptedJobs, interrupted, failure} =
    cleared;
  return [
    {
      what: {filter, jobs: total},
      result: {
        cleared: cleared.cleared,
        byStatus,
        queueRemoved,
        downloadsDeleted,
        exported,
        workersAsked,
        interruptedJobs,
        interrupted,
        error: failure && {code: failure.code, message: failure.message},
      },
    },
  ];
}

/** An entry for each fix. */
export function fixRecords(fixed: readonly Fixed[]): Change[] {
  return fixed.map(({id, count, message, error}) => ({what: {remedy: id}, result: {count, message, error}}));
}
