import type {Queryable} from '../../mysql/database.ts';
import {type JobFilter, literalLike, namePart, USER_NAME} from './filter.ts';

/** Names, users and objects as they were typed: what they mean depends on what the site has. */
export interface TypedValues {
  names?: readonly string[];
  users?: readonly string[];
  objects?: readonly string[];
}

export interface SettledValues {
  filter: Pick<JobFilter, 'names' | 'users' | 'objectIds'>;
  /** Names that no job has, so that they are looked for in the names. */
  parts: string[];
  unknown: UnknownValue[];
}

/** A value that nothing on the site has. */
export interface UnknownValue {
  kind: 'name' | 'user' | 'object';
  value: string;
  /** What there is instead, the most frequent names first, `MOST_EXISTING` at most; empty for objects. */
  existing: string[];
}

/** One more than anybody is shown. */
const MOST_EXISTING = 21;

/** Stands for jobs with no user. */
const NO_USER = '-';

/**
 * What the typed values mean. A comma separates values, unless the site has one with the comma in it. A name without `*` that no
 * job has is looked for in the names. It costs a search for each value, which ends at the first row that has it: for a name that
 * no job has, two passes over the jobs and a third for the names that there are.
 */
export async function settleValues(database: Queryable, typed: TypedValues): Promise<SettledValues> {
  const settled: SettledValues = {filter: {}, parts: [], unknown: []};
  if (typed.names !== undefined) await settleNames(database, typed.names, settled);
  if (typed.users !== undefined) await settleUsers(database, typed.users, settled);
  if (typed.objects !== undefined) await settleObjects(database, typed.objects, settled);
  return settled;
}

async function settleNames(
  database: Queryable,
  typed: readonly string[],
  {filter, parts, unknown}: SettledValues,
): Promise<void> {
  const isKnown = (pattern: string) => nameExists(database, pattern);
  filter.names = [];
  for (const name of await separated(typed, isKnown)) {
    const part = `*${name}*`;
    if (await isKnown(name)) filter.names.push(name);
    else if (!name.includes('*') && (await isKnown(part))) {
      filter.names.push(part);
      parts.push(name);
    } else {
      // Not as a part: a job that comes now must not be taken for it.
      filter.names.push(name);
      unknown.push({kind: 'name', value: name, existing: await existingNames(database)});
    }
  }
}

async function settleUsers(
  database: Queryable,
  typed: readonly string[],
  {filter, unknown}: SettledValues,
): Promise<void> {
  const isKnown = async (name: string) => name === NO_USER || (await userExists(database, name));
  filter.users = [];
  for (const name of await separated(typed, isKnown)) {
    filter.users.push(name === NO_USER ? null : name);
    if (await isKnown(name)) continue;
    unknown.push({kind: 'user', value: name, existing: await existingUsers(database)});
  }
}

/** A number is an id. Of a path or URL, the slug is the end. */
async function settleObjects(
  database: Queryable,
  typed: readonly string[],
  {filter, unknown}: SettledValues,
): Promise<void> {
  const idOf = async (text: string) =>
    /^\d+$/.test(text) ? Number(text) : slugOwner(database, text.slice(text.lastIndexOf('/') + 1));
  filter.objectIds = [];
  for (const object of await separated(typed, async (text) => (await idOf(text)) !== null)) {
    const id = await idOf(object);
    if (id === null) unknown.push({kind: 'object', value: object, existing: []});
    else filter.objectIds.push(id);
  }
}

async function separated(
  typed: readonly string[],
  isKnown: (text: string) => Promise<boolean>,
): Promise<string[]> {
  const values: string[] = [];
  for (const text of typed) {
    const isOne = !text.includes(',') || (await isKnown(text));
    const parts = isOne ? [text] : text.split(',').map((part) => part.trim());
    values.push(...parts.filter((part) => part !== ''));
  }
  return values;
}

async function nameExists(database: Queryable, pattern: string): Promise<boolean> {
  const {sql, values} = namePart(pattern);
  const rows = await database.query(`SELECT 1 FROM job WHERE ${sql} LIMIT 1`, values);
  return rows.length > 0;
}

async function existingNames(database: Queryable): Promise<string[]> {
  const rows = await database.query<{name: string}>(
    `SELECT job.name FROM job WHERE job.name <> '' GROUP BY job.name
     ORDER BY COUNT(*) DESC, job.name LIMIT ${MOST_EXISTING}`,
  );
  return rows.map(({name}) => name);
}

async function userExists(database: Queryable, name: string): Promise<boolean> {
  const rows = await database.query(`SELECT 1 FROM user WHERE ${USER_NAME} LIMIT 1`, [literalLike(name)]);
  return rows.length > 0;
}

/** Those who have jobs, by name; at most so many. */
export async function existingUsers(database: Queryable, limit = MOST_EXISTING): Promise<string[]> {
  const rows = await database.query<{username: string}>(
    `SELECT user.username FROM user WHERE user.username <> '' AND EXISTS (SELECT 1 FROM job WHERE job.user_id = user.id)
     ORDER BY user.username LIMIT ${limit}`,
  );
  return rows.map(({username}) => username);
}

async function slugOwner(database: Queryable, slug: string): Promise<number | null> {
  const [row] = await database.query<{id: number}>(
    'SELECT slug.object_id AS id FROM slug WHERE slug.slug = ?',
    [slug],
  );
  return row?.id ?? null;
}
