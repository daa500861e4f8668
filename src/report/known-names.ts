import {basename, extname} from 'node:path';
import type {JobDetails} from '../jobs/model/job.ts';
import {comparable} from '../mysql/collation.ts';
import type {Queryable} from '../mysql/database.ts';
import type {JournalEntry} from '../systemd/journal.ts';
import type {KnownName} from './redact.ts';

interface UserRow {
  id: number;
  username: string | null;
  email: string | null;
  name: string | null;
}

/** The names, full names and addresses of the site's users. @throws AtomctlError for the database */
export async function userNames(database: Queryable): Promise<KnownName[]> {
  const rows = await database.query<UserRow>(
    `SELECT user.id, user.username, user.email, actor_i18n.authorized_form_of_name AS name
     FROM user LEFT JOIN actor_i18n ON actor_i18n.id = user.id`,
  );
  return rows.flatMap(({id, username, email, name}) => {
    const identity = `user ${id}`;
    return [
      ...named('email', email, identity),
      ...named('user', username, identity),
      ...named('user', name, identity),
    ];
  });
}

/** The site's own title and address. @throws AtomctlError for the database */
export async function siteNames(database: Queryable): Promise<KnownName[]> {
  const rows = await database.query<{name: string; value: string | null}>(
    `SELECT setting.name, setting_i18n.value FROM setting JOIN setting_i18n ON setting_i18n.id = setting.id
     WHERE setting.name IN ('siteTitle', 'siteDescription', 'siteBaseUrl')`,
  );
  return rows.flatMap(({name, value}) =>
    name === 'siteBaseUrl'
      ? named('host', (value ?? '').replace(/^\w+:\/\/|[/:].*$/g, ''))
      : named('title', value),
  );
}

/** What archives describe, and who made it. Slugs of terms and pages are words of every language. */
const DESCRIBED = [
  'QubitInformationObject',
  'QubitActor',
  'QubitRepository',
  'QubitAccession',
  'QubitDonor',
  'QubitFunctionObject',
  'QubitPhysicalObject',
  'QubitRightsHolder',
];
/** So many words of the texts are looked for among the slugs. */
const MOST_WORDS = 20_000;
/** So many objects get their titles: a job may name each of thousands. */
const MOST_OBJECTS = 2000;

/** The journal may still be about jobs that have ended: so many of the newest. */
const RECENT_JOBS = 500;

/** Where the names of a job may stand. */
export type JobTexts = Pick<JobDetails, 'objectId' | 'parameters' | 'notes' | 'downloadPath' | 'log'>;

/** The worker's journal as the texts of one job: it has the messages of the logs, and the parameters of each job. */
export function journalTexts(entries: readonly JournalEntry[]): JobTexts {
  const log = entries.map(({message}) => message).join('\n');
  const parameters = [...log.matchAll(/Parameters: (\{.*\})/g)].flatMap(([, json]) => {
    try {
      return [JSON.parse(json!)];
    } catch {
      return [];
    }
  });
  return {objectId: null, parameters, notes: [], downloadPath: null, log};
}

/**
 * The titles and slugs of the objects that jobs are about: by their rows, by the ids in their parameters, and by the slugs in
 * their logs, notes and paths; also those of the newest jobs. @throws AtomctlError for the database
 */
export async function objectNames(database: Queryable, jobs: readonly JobTexts[]): Promise<KnownName[]> {
  const words = jobs.flatMap(({log, notes, downloadPath, parameters}) =>
    wordsOf([log, downloadPath ?? '', JSON.stringify(parameters), ...notes.map(({text}) => text)].join(' ')),
  );
  const ids = [
    ...jobs.flatMap(({objectId, parameters}) => [
      ...(objectId === null ? [] : [objectId]),
      ...idsIn(parameters),
    ]),
    ...(await recentObjects(database)),
    ...(await objectsWithSlugs(database, [...new Set(words)].slice(0, MOST_WORDS))),
  ];
  return titlesOf(database, [...new Set(ids)].slice(0, MOST_OBJECTS));
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+(?:-[\p{L}\p{N}]+)*/gu) ?? [];
}

/** Every number in the parameters that may be the id of an object; the job's own is one, too. */
function idsIn(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(idsIn);
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(idsIn);
  const id = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(id) && Number(id) > 0 ? [Number(id)] : [];
}

async function recentObjects(database: Queryable): Promise<number[]> {
  const rows = await database.query<{id: number}>(
    `SELECT object_id AS id FROM job WHERE object_id IS NOT NULL ORDER BY job.id DESC LIMIT ${RECENT_JOBS}`,
  );
  return rows.map(({id}) => id);
}

async function objectsWithSlugs(database: Queryable, words: readonly string[]): Promise<number[]> {
  if (words.length === 0) return [];
  const rows = await database.query<{id: number}>(
    `SELECT slug.object_id AS id FROM slug JOIN object ON object.id = slug.object_id
     WHERE slug.slug IN (?) AND object.class_name IN (?)`,
    [words, DESCRIBED],
  );
  return rows.map(({id}) => id);
}

async function titlesOf(database: Queryable, ids: readonly number[]): Promise<KnownName[]> {
  if (ids.length === 0) return [];
  const rows = await database.query<{id: number; title: string | null}>(
    `SELECT id, ${comparable('title')} AS title FROM information_object_i18n WHERE id IN (?)
     UNION SELECT actor_i18n.id, ${comparable('authorized_form_of_name')} FROM actor_i18n
       JOIN object ON object.id = actor_i18n.id WHERE actor_i18n.id IN (?) AND object.class_name IN (?)
     UNION SELECT object_id, ${comparable('slug')} FROM slug
       JOIN object ON object.id = object_id WHERE object_id IN (?) AND object.class_name IN (?)`,
    [ids, ids, DESCRIBED, ids, DESCRIBED],
  );
  return rows.flatMap(({id, title}) => named('title', title, `object ${id}`));
}

/** The tokens of anonymous visitors, which AtoM keeps beside their jobs. @throws AtomctlError for the database */
export async function jobTokens(database: Queryable, ids: readonly number[]): Promise<KnownName[]> {
  if (ids.length === 0) return [];
  const rows = await database.query<{value: string | null}>(
    `SELECT property_i18n.value FROM property JOIN property_i18n ON property_i18n.id = property.id
     WHERE property.name = 'userToken' AND property.object_id IN (?)`,
    [ids],
  );
  return rows.flatMap(({value}) => named('token', value));
}

/** The names of the files that jobs read and write, without their endings. */
export function fileNames(jobs: readonly JobTexts[]): KnownName[] {
  return jobs
    .flatMap(({parameters, downloadPath}) => [...filesIn(parameters), downloadPath ?? ''])
    .flatMap((path) => named('file', basename(path, extname(path))));
}

/** The values of `name` beside `tmp_name`, as PHP has them of an upload, and of what is called a file or a path. */
function filesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const isUpload = 'tmp_name' in value;
  return Object.entries(value).flatMap(([key, inner]) => {
    const isFile = /file|path|^tmp_name$/i.test(key) || (isUpload && key === 'name');
    return isFile && typeof inner === 'string' ? [inner] : filesIn(inner);
  });
}

function named(label: KnownName['label'], text: string | null, identity?: string): KnownName[] {
  return text === null || text.trim() === '' ? [] : [{label, text, identity}];
}
