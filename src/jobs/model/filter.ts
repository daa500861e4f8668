import type {SqlValue} from '../../mysql/database.ts';
import {JOB_STATUSES, type JobStatus, type LiveState, STATUSES} from './job.ts';

/** The condition of a filter without a criterion. */
export const EVERY_JOB = 'TRUE';

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
    filter.names && anyOf(filter.names.map(namePart)),
    filter.users && anyOf([...userParts(filter.users)]),
  ].filter((part) => part !== undefined);
  const bounds = [...startParts(filter)];
  const all = [...parts, ...bounds];
  return {
    join: bounds.length > 0 ? OBJECT_JOIN : '',
    sql: all.map(({sql}) => sql).join(' AND ') || EVERY_JOB,
    values: all.flatMap(({values}) => values),
  };
}

/** The condition's join, or one that brings in `object` anyway, also for job rows that lack theirs. */
export function objectJoin(condition: JobCondition): string {
  return condition.join || 'LEFT JOIN object ON object.id = job.id';
}

interface Part {
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
 * Sites differ in their collations (utf8_general_ci, utf8mb4_0900_ai_ci), all of which ignore case. The binary
 * one compares exactly, and LIKE, unlike `=`, does not ignore trailing spaces. The escape sign is not the
 * backslash, whose meaning depends on the SQL mode.
 */
const EXACTLY = "LIKE ? COLLATE utf8mb4_bin ESCAPE '!'";

function namePart(pattern: string): Part {
  return {sql: `job.name ${EXACTLY}`, values: [likePattern(pattern)]};
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
  const anyName = names.map(() => `user.username ${EXACTLY}`).join(' OR ');
  yield {sql: `(SELECT ${anyName} FROM user WHERE user.id = job.user_id)`, values: names.map(literalLike)};
}

function literalLike(text: string): string {
  return text.replace(/[!%_]/g, '!$&');
}

function* startParts({since, until, olderThan}: JobFilter): Iterable<Part> {
  if (since !== undefined) yield {sql: 'object.created_at >= ?', values: [since]};
  for (const end of [until, olderThan]) {
    if (end !== undefined) yield {sql: 'object.created_at < ?', values: [end]};
  }
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
  /** Job names; `*` is a wildcard, everything else is literal and the comparison is exact. */
  names?: string[];
  /** Usernames; null stands for jobs with no user. */
  users?: (string | null)[];
  since?: string;
  until?: string;
  olderThan?: string;
  live?: LiveState[];
}
