import type {SiteTime} from '../../atom/site-time.ts';
import type {Database} from '../../mysql/database.ts';
import {STATUSES} from './job.ts';
import {isCutAt} from './log.ts';
import {bytesBefore, LOG, lineTime, ownLine} from './log-sql.ts';

/** The last line of a job's log. */
export interface LastLine {
  /** ISO 8601 with offset; null if the end of the log has no line of its own, or the log is cut. */
  at: string | null;
  /** Of a running job, without the line's level, time, id and name; otherwise empty. */
  message: string;
}

/** Bytes at the end of a log in which its last line is looked for: more than one of AtoM's lines, less than a trace. */
const TAIL_LENGTH = 4096;
const TAIL = `RIGHT(${LOG}, ${TAIL_LENGTH})`;
const OWN = ownLine('');
const LAST_OWN = `(LENGTH(${TAIL}) - LENGTH(SUBSTRING_INDEX(${TAIL}, ${OWN}, -1)) - LENGTH(${OWN}) + 1)`;
/** Bytes of a message; more than any terminal shows. */
const MESSAGE_LENGTH = 400;
const IDS_PER_QUERY = 1000;

type LineRow = readonly [
  id: number,
  head: string | null,
  message: string | null,
  characters: number | null,
  bytes: number | null,
];

/** The last line of each of these logs, by id. The server reads the logs, and sends some hundred bytes of each. */
export async function lastLines(
  database: Database,
  {ids, time}: {ids: readonly number[]; time: SiteTime},
): Promise<Map<number, LastLine>> {
  const lines = new Map<number, LastLine>();
  for (let start = 0; start < ids.length; start += IDS_PER_QUERY) {
    await database.visit(
      `SELECT job.id, IF(LOCATE(${OWN}, ${TAIL}) > 0, ${bytesBefore(TAIL, LAST_OWN)}, NULL),
              IF(job.status_id = ? AND LOCATE(${OWN}, ${TAIL}) > 0,
                 HEX(LEFT(SUBSTRING_INDEX(${TAIL}, ${OWN}, -1), ${MESSAGE_LENGTH})), NULL),
              CHAR_LENGTH(job.output), LENGTH(job.output)
       FROM job WHERE job.id IN (?)`,
      [STATUSES.running.termId, ids.slice(start, start + IDS_PER_QUERY)],
      (row) => {
        const [id, head, message, characters, bytes] = row as LineRow;
        const at = isCutAt(characters ?? 0, bytes ?? 0) ? null : lineTime(head);
        lines.set(id, {at: at && time.toIso(at), message: at === null ? '' : firstLine(message)});
      },
    );
  }
  return lines;
}

/** Cut in the middle of a character, the end is not text. */
function firstLine(hex: string | null): string {
  const text = Buffer.from(hex ?? '', 'hex').toString('utf8');
  return text.split(/\r?\n/, 1)[0]!.replace(/\uFFFD$/, '');
}
