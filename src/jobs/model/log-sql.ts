/**
 * The parts of a job's log as SQL over the table `job`. Bytes, not characters: in a collation LOCATE compares letter by
 * letter, ten times as slow.
 */
export const LOG = 'CAST(job.output AS BINARY)';

/**
 * The end of a line's beginning, and the message. A log line of a row begins with its level, its time and the whole of this:
 * job.name is free text and may itself look like a log line.
 */
export const ownLine = (message: string) =>
  `CAST(CONCAT('] Job ', job.id, ' "', COALESCE(job.name, ''), '": ${message}') AS BINARY)`;

const PARAMETERS = ownLine('Parameters: ');

/** The JSON that the job logged first; NULL if it logged none. */
export const LOGGED_PARAMETERS = `
            IF(LOCATE(${PARAMETERS}, ${LOG}) = 0, NULL,
               CONVERT(SUBSTRING_INDEX(SUBSTRING(${LOG}, LOCATE(${PARAMETERS}, ${LOG}) + LENGTH(${PARAMETERS})), CHAR(10), 1)
                       USING utf8mb4))`;

/** Enough for a line's level and time, and for the end of the line before. */
const HEAD_LENGTH = 40;
/** The bytes before a position, as hexadecimal digits: cut in the middle of a character they are not text. */
export const bytesBefore = (log: string, position: string) =>
  `HEX(SUBSTRING(${log}, GREATEST(${position} - ${HEAD_LENGTH}, 1), LEAST(${HEAD_LENGTH}, GREATEST(${position} - 1, 0))))`;

/** The time of a log line, from the bytes before its `] Job`: null if they are not the beginning of a line. */
export function lineTime(head: string | null): string | null {
  const text = Buffer.from(head ?? '', 'hex').toString('latin1');
  return /(?:^|\n)\[\w{1,10}\] \[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)$/.exec(text)?.[1] ?? null;
}
