import {inSourceCulture} from '../../mysql/collation.ts';
import type {SqlValue} from '../../mysql/database.ts';
import {JOB_STATUSES, type JobStatus, type LiveState, STATUSES} from './job.ts';
import {LOG, LOGGED_PARAMETERS} from './log-sql.ts';

/** The condition of a filter without a criterion. */
const EVERY_JOB = 'TRUE';

/** A JobFilter as SQL: `FROM job ${join} WHERE ${sql}`, with `values` for the placeholders in `sql`. */
export interface JobCondition {
  /** Empty, or the join to `object` if the condition reads the start time that AtoM keeps there. */
  join: string;
  sql: string;
  values: SqlValue[];
}

/** `object` has no index on created_at and holds every class: STRAIGHT_JOIN keeps the walk on job's primary key. */
const OBJECT_JOIN = 'STRAIGHT_JOIN object ON object.id = job.id';

/**
 * The SQL condition for which `filter` holds, over the table `job`. `filter.live` is not in the database;
 * live-state.ts applies it. A criterion without a value matches nothing: a delete must never widen by accident.
 */
export function jobCondition(filter: JobFilter): JobCondition {
  const parts = [
    filter.ids && anyOf([...idsPart(filter.ids)]),
    filter.logs && anyOf([...logsPart(filter.logs)]),
    filter.statuses && anyOf([...statusParts(filter.statuses)]),
    filter.objectIds && anyOf([...objectsPart(filter.objectIds)]),
    filter.names && anyOf(filter.names.map(namePart)),
    filter.users && anyOf([...userParts(filter.users)]),
    filter.download === undefined ? undefined : downloadPart(filter.download),
  ].filter((part) => part !== undefined);
  const bounds = [...startParts(filter)];
  const all = [...parts, ...inOrder(bounds, logParts(filter))];
  return {
    join: bounds.length > 0 ? OBJECT_JOIN : '',
    sql: allOf(all).sql || EVERY_JOB,
    values: allOf(all).values,
  };
}

/**
 * What reads whole logs comes last: a server evaluates from left to right. It would still do so before it joins `object`, for
 * every log of the history: the IF makes it look at the start first.
 */
function inOrder(bounds: Part[], logs: Part[]): Part[] {
  if (bounds.length === 0 || logs.length === 0) return [...bounds, ...logs];
  const [start, text] = [allOf(bounds), allOf(logs)];
  return [{sql: `IF(${start.sql}, ${text.sql}, FALSE)`, values: [...start.values, ...text.values]}];
}

function allOf(parts: readonly Part[]): Part {
  return {sql: parts.map(({sql}) => sql).join(' AND '), values: parts.flatMap(({values}) => values)};
}

/** Whether the filter leaves out any job. A filter by live state alone does not: it is not in the database. */
export function isFiltered(filter: JobFilter): boolean {
  return jobCondition(filter).sql !== EVERY_JOB;
}

/** Whether the condition reads the log of each job that meets the rest of it. */
export function readsLogs(filter: JobFilter): boolean {
  return logParts(filter).length > 0;
}

/** The condition's join, or one that brings in `object` anyway, also for job rows that lack theirs. */
export function objectJoin(condition: JobCondition): string {
  return condition.join || 'LEFT JOIN object ON object.id = job.id';
}

export interface Part {
  sql: string;
  values: SqlValue[];
}

function anyOf(parts: Part[]): Part {
  if (parts.length === 0) return {sql: 'FALSE', values: []};
  return {sql: `(${parts.map(({sql}) => sql).join(' OR ')})`, values: parts.flatMap(({values}) => values)};
}

function* idsPart(ids: number[]): Iterable<Part> {
  if (ids.length > 0) yield {sql: 'job.id IN (?)', values: [ids]};
}

function* logsPart(logs: readonly {id: number; bytes: number}[]): Iterable<Part> {
  if (logs.length === 0) return;
  const sql = `(job.id, COALESCE(LENGTH(job.output), 0)) IN (${logs.map(() => '(?)').join(', ')})`;
  yield {sql, values: logs.map(({id, bytes}) => [id, bytes])};
}

function* statusParts(statuses: JobStatus[]): Iterable<Part> {
  const termIds = termIdsOf(statuses);
  if (termIds.length > 0) yield {sql: 'job.status_id IN (?)', values: [termIds]};
  if (statuses.includes('unknown')) {
    yield {sql: 'job.status_id IS NULL OR job.status_id NOT IN (?)', values: [termIdsOf(JOB_STATUSES)]};
  }
}

function termIdsOf(statuses: JobStatus[]): number[] {
  return statuses.map((status) => STATUSES[status].termId).filter((termId) => termId !== null);
}

/**
 * Sites differ in their collations, some of which also take é for e. Here only upper and lower case are alike: both sides
 * are in lower case and compared by their bytes. The escape sign is not the backslash, whose meaning depends on the SQL
 * mode.
 */
const ALIKE = "LIKE LOWER(?) COLLATE utf8mb4_bin ESCAPE '!'";
const EXACTLY = "LIKE ? COLLATE utf8mb4_bin ESCAPE '!'";

/** The condition for a name pattern, in which only `*` is special. */
export function namePart(pattern: string): Part {
  return {sql: `LOWER(job.name) ${ALIKE}`, values: [likePattern(pattern)]};
}

function* objectsPart(ids: number[]): Iterable<Part> {
  if (ids.length > 0) yield {sql: 'job.object_id IN (?)', values: [ids]};
}

/**
 * The stored path is relative to the AtoM root, the given one may be that, its end or a path or URL that ends with it. No index
 * helps: each row is read, without its log.
 */
function downloadPart(path: string): Part {
  const given = path.replace(/^(?:\.\/)+/, '');
  return {
    sql: `(job.download_path <> '' AND (job.download_path ${EXACTLY} OR job.download_path ${EXACTLY}
           OR RIGHT(?, CHAR_LENGTH(job.download_path) + 1) COLLATE utf8mb4_bin = CONCAT('/', job.download_path)))`,
    values: [literalLike(given), `%/${literalLike(given)}`, given],
  };
}

function logParts({params, grep}: JobFilter): Part[] {
  return [...(params ?? []).map(paramPart), ...(grep === undefined ? [] : [grepPart(grep)])];
}

/**
 * The log and the notes, one pass over each log. With an upper-case letter in it the text is meant as it stands, as
 * journalctl has it. Latin 1 here means bytes, of which the ASCII letters get lower case: in UTF-8 that takes twice as long.
 */
function grepPart(text: string): Part {
  const bytes = (sql: string) =>
    text === text.toLowerCase()
      ? `CAST(LOWER(CONVERT(CAST(${sql} AS BINARY) USING latin1)) AS BINARY)`
      : `CAST(${sql} AS BINARY)`;
  const found = (place: string) => `LOCATE(${bytes('?')}, ${bytes(place)}) > 0`;
  return {
    sql: `(EXISTS (SELECT 1 FROM note JOIN note_i18n ON ${inSourceCulture('note')}
                   WHERE note.object_id = job.id AND ${found('note_i18n.content')})
           OR ${found('job.output')})`,
    values: [text, text],
  };
}

/** A number, true, false or null. */
const LITERAL = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?|true|false|null)$/;

/** As JSON: a text plainly and as PHP writes it, which MariaDB takes for two texts, and what is more than a text as that too. */
function formsOf(value: string): string[] {
  const plain = JSON.stringify(value);
  const php = plain
    .replaceAll('/', '\\/')
    .replace(/[^\u0000-\u007f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return [plain, php, ...(LITERAL.test(value) ? [value] : [])];
}

/**
 * A logged parameter that is one of the values, or a list that has one. The text of key and value is looked for first, as far as
 * no encoder of JSON escapes it: to parse JSON takes much longer.
 */
function paramPart({key, values}: ParamFilter): Part {
  const steps = key.split('.');
  const path = `$${steps.map((step) => `.${JSON.stringify(step)}`).join('')}`;
  const isLogged = (value: string): Part => {
    const forms = [...new Set(formsOf(value))];
    const contains = forms.map(() => `JSON_CONTAINS(${LOGGED_PARAMETERS}, ?, ?)`).join(' OR ');
    return {
      sql: `LOCATE(CAST(? AS BINARY), ${LOG}) > 0 AND LOCATE(CAST(? AS BINARY), ${LOG}) > 0
            AND IF(JSON_VALID(${LOGGED_PARAMETERS}), ${contains}, FALSE)`,
      values: [plainPart(steps.at(-1)!), plainPart(value), ...forms.flatMap((json) => [json, path])],
    };
  };
  return anyOf(values.map(isLogged));
}

/** The longest part of a text that JSON always has as it stands; it may be empty. */
function plainPart(text: string): string {
  const parts = text.match(/[A-Za-z0-9_.-]+/g) ?? [''];
  return parts.reduce((longest, part) => (part.length > longest.length ? part : longest));
}

/** The LIKE pattern (escape sign `!`) for a name pattern in which only `*` is special. */
export function likePattern(pattern: string): string {
  return pattern.replace(/[!%_]/g, '!$&').replace(/\*+/g, '%');
}

/**
 * The names are compared in a subquery of one row, by the key of `user`, and not in an `IN (SELECT ...)`: that
 * the servers turn into a join which begins with the users, so that newest-first would have to sort all their jobs.
 */
function* userParts(users: (string | null)[]): Iterable<Part> {
  if (users.includes(null)) yield {sql: 'job.user_id IS NULL', values: []};
  const names = users.filter((user) => user !== null);
  if (names.length === 0) return;
  const anyName = names.map(() => USER_NAME).join(' OR ');
  yield {sql: `(SELECT ${anyName} FROM user WHERE user.id = job.user_id)`, values: names.map(literalLike)};
}

/** The condition for a user's name, over the table `user`; its value is that of `literalLike`. */
export const USER_NAME = `LOWER(user.username) ${ALIKE}`;

/** A LIKE pattern (escape sign `!`) that matches only this text. */
export function literalLike(text: string): string {
  return text.replace(/[!%_]/g, '!$&');
}

function* startParts({since, until, olderThan}: JobFilter): Iterable<Part> {
  if (since !== undefined) yield {sql: 'object.created_at >= ?', values: [since]};
  for (const end of [until, olderThan]) {
    if (end !== undefined) yield {sql: 'object.created_at < ?', values: [end]};
  }
}

/** A logged parameter. Before AtoM 2.7 no job logs its parameters, and of a cut log they may be missing. */
export interface ParamFilter {
  /** A dot leads to a parameter in another: `file.name`. */
  key: string;
  /** Any of them; a list counts if one of its values is it. */
  values: string[];
}

/**
 * Which jobs a command applies to. Every given criterion must hold; within a repeatable one, any value.
 * Bounds go by the job's start: since inclusive, until exclusive, olderThan strictly older.
 * Times are wall-clock texts `YYYY-MM-DD HH:MM:SS` in the site's zone, as AtoM stores them.
 */
export interface JobFilter {
  ids?: number[];
  /** Jobs whose logs still have so many bytes: nothing was written to them since they were seen. */
  logs?: {id: number; bytes: number}[];
  statuses?: JobStatus[];
  /** Job names, in upper or lower case; `*` is a wildcard, everything else is literal. */
  names?: string[];
  /** Usernames, in upper or lower case; null stands for jobs with no user. */
  users?: (string | null)[];
  /** Objects that the jobs are about. */
  objectIds?: number[];
  /** The file that a job made: its stored path, the end of it, or a path or URL that ends with it. */
  download?: string;
  /** Text in a note or in the log; in upper or lower case if it has no upper-case letter. */
  grep?: string;
  /** Logged parameters, all of which must hold. */
  params?: ParamFilter[];
  since?: string;
  until?: string;
  olderThan?: string;
  live?: LiveState[];
}
