/**
 * Gearman's administrative protocol: text lines over the same port as the binary one. One record for each command,
 * with its framing and its parser; replies differ between gearmand (C) and Gearman::Server (Perl).
 */
import {NotGearman, Refusal, TooManyLines} from './failure.ts';

/** A command and how to read its reply. */
export interface AdminCommand<T> {
  text: string;
  framing: TextFraming<T>;
}

/** As the wire's framing; `onSkipped` gets the number of lines of a complete list that were left out. */
type TextFraming<T> = (bytes: Buffer, onSkipped?: (lines: number) => void) => T | undefined;

/** One function on one server: all its jobs, those that run, and the workers that can do it. */
export interface FunctionStatus {
  function: string;
  total: number;
  running: number;
  workers: number;
}

/** One connection to a server, atomctl's own included. Without functions it is not a worker. */
export interface Connection {
  fd: number;
  ip: string;
  id: string;
  functions: string[];
}

/** How many jobs of a function wait, by their priority; cancelled entries count too. */
export interface PriorityStatus {
  function: string;
  high: number;
  normal: number;
  low: number;
}

/** The priorities of Gearman's jobs, in the order in which they are handed out. */
export const PRIORITIES = ['high', 'normal', 'low'] as const;

export type Priority = (typeof PRIORITIES)[number];

/** A job that a server holds, queued or executing. `retries` counts how often it was returned to the queue. */
export interface QueuedJob {
  handle: string;
  retries: number;
  /** Cancelled: never handed out again. */
  ignored: boolean;
  /** In the durable store. It does not show whether the job waits. */
  durable: boolean;
}

export interface ServerVersion {
  /** `gearmand` is the server in C, `perl` is Gearman::Server. */
  implementation: 'gearmand' | 'perl' | 'unknown';
  version: string | null;
}

/**
 * Every function the server knows. Rows stay at 0 after their workers have left. A function name with a line break
 * has no row: its parts cannot be distinguished from other names.
 */
export const status: AdminCommand<FunctionStatus[]> = {
  text: 'status',
  framing: list(
    (line) => {
      const fields = /^(.*)\t(\d+)\t(-?\d+)\t(\d+)$/s.exec(line);
      if (fields === null) return null;
      const [, name, total, running, workers] = fields;
      const all = count(total!);
      return {function: name!, total: all, running: Math.min(count(running!), all), workers: count(workers!)};
    },
    {nameFirst: true},
  ),
};

/** The priorities of what waits. gearmand only, since 1.1.15. */
export const priorityStatus: AdminCommand<PriorityStatus[]> = {
  text: 'prioritystatus',
  framing: list(
    (line) => {
      const fields = /^(.*)\t(\d+)\t(\d+)\t(\d+)\t(\d+)$/s.exec(line);
      if (fields === null) return null;
      const [, name, high, normal, low] = fields;
      return {function: name!, high: count(high!), normal: count(normal!), low: count(low!)};
    },
    {nameFirst: true},
  ),
};

/**
 * Every connection. Ids may contain spaces, so the functions begin after the last ` : `. Functions after a name with
 * a line break are left out.
 */
export const workers: AdminCommand<Connection[]> = {
  text: 'workers',
  framing: list((line) => {
    const fields = /^(\d+) (\S+) (.*) :(?: (.*))?$/s.exec(line);
    if (fields === null) return null;
    const [, fd, ip, id, functions] = fields;
    return {fd: Number(fd), ip: ip!, id: id!, functions: (functions ?? '').split(' ').filter(Boolean)};
  }),
};

/** `OK 1.1.20` from gearmand, a bare `v1.130.1` from Perl. */
export const version: AdminCommand<ServerVersion> = {
  text: 'version',
  framing: line((answer) => {
    refuseError(answer);
    const [, ok, text] = match(answer, /^(OK )?v?(\S.*)$/);
    const numbered = /^\d+\.\d/.test(text!);
    if (ok) return {implementation: numbered ? 'gearmand' : 'unknown', version: text!};
    if (!numbered) throw new NotGearman(answer);
    return {implementation: 'perl', version: text!};
  }),
};

/** Every job, without its function or key. gearmand only. */
export const showJobs: AdminCommand<QueuedJob[]> = {
  text: 'show jobs',
  framing: list((line) => {
    const fields = /^(.+)\t(\d+)\t(\d+)\t(\d+)$/s.exec(line);
    if (fields === null) return null;
    const [, handle, retries, ignored, durable] = fields;
    return {handle: handle!, retries: Number(retries), ignored: ignored !== '0', durable: durable !== '0'};
  }),
};

/** The unique keys of every job, alone. gearmand only. */
export const showUniqueJobs: AdminCommand<string[]> = {
  text: 'show unique jobs',
  framing: list((line) => (isError(line) ? null : line)),
};

/**
 * Marks a job so that it is never handed out again; true if the server knew it. A queued job vanishes when a worker
 * next polls; an executing job continues to its end. gearmand only.
 */
export function cancelJob(handle: string): AdminCommand<boolean> {
  return {text: `cancel job ${handle}`, framing: line(okUnless(/^UNKNOWN_JOB\b/))};
}

/**
 * Forgets a function; true if it was known and idle. gearmand forgets it together with its waiting jobs: never ask
 * this for a function that others use. gearmand only.
 */
export function dropFunction(name: string): AdminCommand<boolean> {
  return {text: `drop function ${name}`, framing: line(okUnless(/^(function not found|there are still)/))};
}

const NEWLINE = 0x0a;

/** More than fit into the limit of an answer with the names that AtoM gives. */
const MAX_LINES = 200_000;

/** Reads one line of a list; null if it is not one. */
type ParseLine<T> = (line: string) => T | null;

interface ListOptions {
  /**
   * A line begins with a name, which may contain line breaks. Then a line that does not parse is the beginning of
   * such a name, and the line after it is its end and no row of its own.
   */
  nameFirst?: boolean;
}

/**
 * A reply of many lines that ends with a lone dot, or of one `ERR` line that has no dot after it. Lines that do not
 * parse are left out and counted: anyone who reaches the server can register a function name with a line break.
 */
function list<T>(parse: ParseLine<T>, {nameFirst = false}: ListOptions = {}): TextFraming<T[]> {
  return (bytes, onSkipped) => {
    const firstEnd = bytes.indexOf(NEWLINE);
    if (firstEnd < 0) return mayBecomeLine(bytes);
    const first = bytes.toString('utf8', 0, firstEnd);
    if (first === '.' && bytes.length === 2) {
      onSkipped?.(0);
      return [];
    }
    const isRow = parse(first) !== null;
    if (!isRow) refuseError(first);
    if (bytes.toString('latin1', Math.max(0, bytes.length - 3)) !== '\n.\n') {
      // A port of another protocol is recognised at once, without waiting for a dot that never comes.
      if (!isRow && !hasRow(bytes, parse)) throw new NotGearman(first.slice(0, 80));
      return undefined;
    }
    const lines = bytes.toString('utf8', 0, bytes.length - 3).split('\n', MAX_LINES + 1);
    if (lines.length > MAX_LINES) throw new TooManyLines(String(MAX_LINES));
    const rows: T[] = [];
    let broken = false;
    for (const line of lines) {
      const row = parse(line);
      if (row !== null && !(nameFirst && broken)) rows.push(row);
      broken = row === null;
    }
    onSkipped?.(lines.length - rows.length);
    return rows;
  };
}

/** Whether any complete line parses. */
function hasRow<T>(bytes: Buffer, parse: ParseLine<T>): boolean {
  for (let start = 0, end = 0; ; start = end + 1) {
    end = bytes.indexOf(NEWLINE, start);
    if (end < 0) return false;
    if (parse(bytes.toString('utf8', start, end)) !== null) return true;
  }
}

function line<T>(parse: (line: string) => T): TextFraming<T> {
  return (bytes) => {
    const end = bytes.indexOf(NEWLINE);
    if (end < 0) return mayBecomeLine(bytes);
    if (end !== bytes.length - 1) throw new NotGearman('more than one line');
    return parse(bytes.toString('utf8').trimEnd());
  };
}

/** Binary bytes are not a line: the greeting of a database, a TLS alert. */
function mayBecomeLine(bytes: Buffer): undefined {
  if (bytes.includes(0)) throw new NotGearman('binary');
  return undefined;
}

/** `OK`, or the one error that is a normal reply. Any other error is a refusal. */
function okUnless(expectedError: RegExp): (answer: string) => boolean {
  return (answer) => {
    const error = /^ERR (.*)/.exec(answer)?.[1];
    if (error !== undefined && expectedError.test(error)) return false;
    refuseError(answer);
    match(answer, /^OK\b/);
    return true;
  };
}

function isError(line: string): boolean {
  return /^ERR \S/.test(line);
}

function refuseError(answer: string): void {
  const code = /^ERR (\S*)/.exec(answer)?.[1];
  if (code !== undefined) throw new Refusal(code);
}

function match(text: string, pattern: RegExp): RegExpExecArray {
  const found = pattern.exec(text);
  if (!found) throw new NotGearman(text.slice(0, 80));
  return found;
}

/** gearmand's counters have been seen at -1, and at 4294967295, which is -1 as an unsigned number: both mean 0. */
function count(digits: string): number {
  return Math.max(0, Number(digits) | 0);
}
