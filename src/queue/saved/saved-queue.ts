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
/** A payload of 16 MiB may have six characters for each of its bytes. */
const MOST_LINE_CHARACTERS = 100 * 1024 * 1024;
/** The header has about 200. */
const MOST_HEADER_CHARACTERS = 1000;

/** The file's text. A payload that is not UTF-8 is written in base64. */
export function savedQueueText({savedAt, jobs}: SavedQueue): string {
  const lines = jobs.map((job) => `${JSON.stringify(lineOf(job))}\n`).join('');
  const header = {format: FORMAT, version: VERSION, count: jobs.length, savedAt};
  return `${JSON.stringify({...header, sha256: checksum(header, lines)})}\n${lines}`;
}

/**
 * Reads the text of a whole file. A line is read only after the header, their number and the checksum are right.
 * @param origin names the file, for errors
 * @throws AtomctlError USAGE if it is not such a file, is damaged, or a newer atomctl wrote it
 */
export function readSavedQueue(text: string, origin: string): SavedQueue {
  const end = text.slice(0, MOST_HEADER_CHARACTERS).indexOf('\n');
  const {sha256, ...header} = objectIn(text.slice(0, Math.max(0, end))) ?? {};
  const {format, version, count, savedAt} = header;
  if (format !== FORMAT || typeof version !== 'number') {
    throw usageError(`${origin} is not a copy of a queue.`, 'Give a file that atomctl queue:save wrote.');
  }
  if (version !== VERSION) {
    throw usageError(
      `${origin} has version ${version}; this atomctl reads version ${VERSION}.`,
      'Use the atomctl that wrote it.',
    );
  }
  const damaged = (how: string) =>
    usageError(`${origin} is damaged: ${how}.`, 'Nothing was restored. Use another copy.');
  if (typeof count !== 'number' || typeof savedAt !== 'string' || typeof sha256 !== 'string')
    throw damaged('its header has no count, time or checksum');
  const lines = text.slice(end + 1);
  const isWhole = countLines(lines, count) === count && sha256 === checksum(header, lines);
  const jobs = isWhole ? lines.split('\n').slice(0, -1).map(jobOf) : [null];
  if (jobs.includes(null))
    throw damaged(`it does not have the ${count} jobs of which its header has the checksum`);
  return {savedAt, jobs: jobs as SavedJob[]};
}

/** Null if a line is too long, the last one has no end, or there are more than `most`. */
function countLines(text: string, most: number): number | null {
  let [count, from] = [0, 0];
  while (from < text.length && count <= most) {
    const end = text.indexOf('\n', from);
    if (end === -1 || end - from > MOST_LINE_CHARACTERS) return null;
    count += 1;
    from = end + 1;
  }
  return count;
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
    (logLength === null || (Number.isSafeInteger(logLength) && Number(logLength) >= 0));
  if (!isJob) return null;
  const bytes = payload === undefined ? Buffer.from(payloadBase64 as string, 'base64') : null;
  // Node leaves out what is not base64.
  if (bytes !== null && bytes.toString('base64') !== payloadBase64) return null;
  return {
    server: server as string,
    function: name as string,
    unique: unique as string,
    priority: priority as Priority,
    logLength: logLength as number | null,
    payload: bytes ?? Buffer.from(payload as string),
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
