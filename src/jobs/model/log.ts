/**
 * What a job's log (`job.output`) says. AtoM's worker writes lines `[info] [YYYY-MM-DD HH:MM:SS] Job ID "NAME":
 * MESSAGE`, in its own zone; a message may run over several lines. The log begins with `Job started.`, then
 * `Parameters: {json}`, and ends with `Job finished.`; a job that Gearman handed out again starts again below.
 */

/** AtoM cuts the log here, in characters; what comes later is lost. */
export const LOG_CAP = 65_534;
/** If the column is a TEXT, the server cuts by bytes, at a whole character. */
const TEXT_COLUMN_BYTES = 65_535;
const LONGEST_CHARACTER_BYTES = 4;

const DATED_LINE = /^\[(\w+)\] \[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\] (?:Job \d+ ".*?": )?(.*)$/s;

export interface LogLine {
  /** `info`, `error`, ...; null for the continuation of a message. */
  level: string | null;
  /** Wall-clock time in the site's zone; null for a continuation. */
  time: string | null;
  /** The message without its prefix. */
  message: string;
}

/** Every line of the log, in order. */
export function parseLogLines(log: string): LogLine[] {
  if (log === '') return [];
  return log
    .replace(/\r?\n$/, '')
    .split(/\r?\n/)
    .map(parseLine);
}

function parseLine(line: string): LogLine {
  const match = DATED_LINE.exec(line);
  if (!match) return {level: null, time: null, message: line};
  return {level: match[1]!, time: match[2]!, message: match[3]!};
}

/** Whose log it is: job.name is free text and may hold what looks like a log line. */
export interface LogOwner {
  id: number;
  name: string;
}

/**
 * The JSON text of the parameters, as logged; null before the job first starts. The text, because the order and the
 * forms of numbers in it decide the job's unique key in Gearman. After a redelivery all copies are equal.
 */
export function parametersTextOf(log: string, {id, name}: LogOwner): string | null {
  const beginning = `] Job ${id} "${name}": Parameters: `;
  const at = log.indexOf(beginning);
  if (at === -1) return null;
  const start = at + beginning.length;
  const end = log.indexOf('\n', start);
  return log.slice(start, end === -1 ? undefined : end).trimEnd();
}

/** The logged parameters, parsed; null before the job first starts, or if the cut log holds them in part. */
export function parametersOf(log: string, owner: LogOwner): unknown {
  const text = parametersTextOf(log, owner);
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Logged parameters, unless they are those of another job, as in a log that was copied: its key would be that job's. AtoM sends
 * every job its id, as a number or as digits.
 * @param text that a log cut is left as it is: nothing can be read of it
 */
export function ownParameters(text: string | null, id: number): string | null {
  if (text === null) return null;
  let parameters: {id?: unknown} | null;
  try {
    parameters = JSON.parse(text);
  } catch {
    return text;
  }
  const logged = parameters?.id;
  return logged === id || logged === String(id) ? text : null;
}

/** True if the log reached its cap, so that its newest lines are missing. */
export function isCut(log: string): boolean {
  return isCutAt(log.length, Buffer.byteLength(log));
}

/** The same for a log of so many characters and bytes. */
export function isCutAt(characters: number, bytes: number): boolean {
  if (characters >= LOG_CAP) return true;
  const missingBytes = TEXT_COLUMN_BYTES - bytes;
  return missingBytes >= 0 && missingBytes < LONGEST_CHARACTER_BYTES;
}

/** The last dated line's wall-clock time: the job's heartbeat. null if there is none or the log is cut. */
export function lastActivity(log: string): string | null {
  return isCut(log) ? null : (parseLogLines(log).findLast(({time}) => time !== null)?.time ?? null);
}

/** The time of the log's first line, wall clock: when a worker began the job. null if the log does not begin with a time. */
export function begunTime(log: string): string | null {
  return /^\[\w+\] \[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\]/.exec(log)?.[1] ?? null;
}

/** How often a worker began the job; more than once if Gearman handed it out again. */
export function startCount(log: string): number {
  return parseLogLines(log).filter(({time, message}) => time !== null && message === 'Job started.').length;
}

/** True if the latest run of the job wrote its last line. */
export function isFinished(log: string): boolean {
  const milestone = parseLogLines(log).findLast(
    ({time, message}) => time !== null && (message === 'Job started.' || message === 'Job finished.'),
  );
  return milestone?.message === 'Job finished.';
}

/** True if the job's latest run logged an error line, or an error of the database, such as `SQLSTATE[HY000]`. */
export function hasErrors(log: string): boolean {
  const lines = parseLogLines(log);
  const start = lines.findLastIndex(({time, message}) => time !== null && message === 'Job started.');
  return lines
    .slice(Math.max(0, start))
    .some(({level, message}) => level === 'err' || /\bSQLSTATE\[/.test(message));
}
