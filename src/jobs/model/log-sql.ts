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
