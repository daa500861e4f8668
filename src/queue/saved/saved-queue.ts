/** A copy of waiting jobs as a file: a header, then one JSON line for each job, in the order of the queue. */
import {createHash} from 'node:crypto';
import {usageError} from '../../errors.ts';
import {PRIORITIES, type Priority} from '../../gearman/admin-protocol.ts';

export interface SavedJob {
  /** The server that had it, `host:port`. */
  server: string;
  function: string;
  unique: string;
  priority: Priority;
  /** Bytes of the row's log before the job was read; null if no row with its id said Running. */
  logLength: number | null;
  payload: Buffer;
}

export interface SavedQueue {
  /** When it was saved, ISO 8601 in UTC. */
  savedAt: string;
  jobs: readonly SavedJob[];
}

const FORMAT = 'atomctl-queue';
const VERSION = 1;

/** A larger copy is neither written nor read. */
export const MOST_SAVED_BYTES = 256 * 1024 * 1024;

/** The file's text. A payload that is not UTF-8 is written in base64. */
export function savedQueueText({savedAt, jobs}: SavedQueue): string {
  const lines = jobs.map((job) => `${JSON.stringify(lineOf(job))}\n`).join('');
  const header = {format: FORMAT, version: VERSION, count: jobs.length, savedAt};
  return `${JSON.stringify({...header, sha256: checksum(header, lines)})}\n${lines}`;
}

/**
 * Reads the text of a whole file.
 * @param origin names the file, for errors
 * @throws AtomctlError USAGE if it is not such a file, is damaged, or a newer atomctl wrote it
 */
export function readSavedQueue(text: string, origin: string): SavedQueue {
  const end = text.indexOf('\n');
  const {sha256, ...header} = objectIn(text.slice(0, Math.max(0, end))) ?? {};
  if (header.format !== FORMAT) {
    throw usageError(`${origin} is not a copy of a queue.`, 'Give a file that atomctl queue:save wrote.');
  }
  if (header.version !== VERSION) {
    throw usageError(
      `${origin} has version ${header.version}; this atomctl reads version ${VERSION}.`,
      'Use the atomctl that wrote it.',
    );
  }
  const lines = text.slice(end + 1);
  const jobs = lines.split('\n').slice(0, -1).map(jobOf);
  const isWhole = jobs.length === header.count && sha256 === checksum(header, lines);
  if (!isWhole || jobs.includes(null) || typeof header.savedAt !== 'string') {
    throw usageError(
      `${origin} is damaged: it does not have the ${header.count} jobs of which its header has the checksum.`,
      'Nothing was restored. Use another copy.',
    );
  }
  return {savedAt: header.savedAt, jobs: jobs as SavedJob[]};
}

function checksum(header: object, lines: string): string {
  return createHash('sha256')
    .update(`${JSON.stringify(header)}\n`)
    .update(lines)
    .digest('hex');
}

function lineOf({payload, ...job}: SavedJob): object {
  const text = payload.toString('utf8');
  const isText = Buffer.from(text).equals(payload);
  return {...job, ...(isText ? {payload: text} : {payloadBase64: payload.toString('base64')})};
}

function jobOf(line: string): SavedJob | null {
  const {server, function: name, unique, priority, logLength, payload, payloadBase64} = objectIn(line) ?? {};
  const texts = [server, name, unique, payload ?? payloadBase64];
  const isJob =
    texts.every((text) => typeof text === 'string') &&
    PRIORITIES.includes(priority as Priority) &&
    (logLength === null || Number.isSafeInteger(logLength));
  if (!isJob) return null;
  return {
    server: server as string,
    function: name as string,
    unique: unique as string,
    priority: priority as Priority,
    logLength: logLength as number | null,
    payload:
      payload === undefined ? Buffer.from(payloadBase64 as string, 'base64') : Buffer.from(payload as string),
  };
}

function objectIn(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
