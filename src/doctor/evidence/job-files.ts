import {lstatSync} from 'node:fs';
import {opendir, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {STATUSES} from '../../jobs/model/job.ts';
import type {Queryable} from '../../mysql/database.ts';
import {systemReason} from '../../system-failure.ts';
import {NotAvailable} from '../finding.ts';

/** A larger directory is not compared: listing it would take longer than the finding is worth. */
const MOST_FILES = 50_000;
/** `job.download_path` has no index, so only the newest jobs are compared. */
const NEWEST_JOBS = 20_000;
/** AtoM puts the files of exports here, under the root. */
const DIRECTORY = 'downloads/jobs/';

/** Files without a job, and jobs without their file. */
export interface LostFiles {
  /** Names of files under downloads/jobs that belong to no job. */
  stray: string[];
  strayBytes: number;
  /** Completed jobs whose file is gone, newest first. */
  missing: {id: number; path: string}[];
  /** How many files and jobs were compared, and how large the files are. */
  files: number;
  bytes: number;
  jobs: number;
}

/**
 * Compares the files under downloads/jobs with the jobs. The files are listed first, so that one that is
 * written after that is never reported as a stray.
 * @throws NotAvailable if the directory cannot be read or is too large
 */
export async function findLostFiles(options: {
  database: Queryable;
  /** The site's downloads directory. */
  downloads: string;
}): Promise<LostFiles> {
  const {database, downloads} = options;
  const files = await listFiles(join(downloads, 'jobs'));
  const {jobs, all} = await newestJobs(database);
  const expected = new Set(jobs.map(({path}) => path));
  const unknown = [...files.keys()].filter((name) => !expected.has(DIRECTORY + name));
  const missing: LostFiles['missing'] = [];
  for (const {id, path, completed} of jobs) {
    if (completed && !(await isThere(path, files, downloads))) missing.push({id, path});
  }
  const stray = await strays(database, unknown, all);
  return {
    ...{stray, strayBytes: sum(stray.map((name) => files.get(name)!)), missing},
    ...{files: files.size, bytes: sum([...files.values()]), jobs: jobs.length},
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** The plain files of a directory with their sizes. */
async function listFiles(directory: string): Promise<Map<string, number>> {
  const names = new Map<string, number>();
  try {
    for await (const entry of await opendir(directory)) {
      if (entry.isFile() && !entry.name.startsWith('.'))
        names.set(entry.name, lstatSync(join(directory, entry.name), {throwIfNoEntry: false})?.size ?? 0);
      if (names.size > MOST_FILES) throw new NotAvailable(`${directory} has more than ${MOST_FILES} files.`);
    }
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    if (code !== 'ENOENT') throw new NotAvailable(`${directory} cannot be read: ${systemReason(error)}.`);
  }
  return names;
}

interface JobFile {
  id: number;
  path: string;
  completed: boolean;
}

/** The files of the newest jobs; `all` if there are no older ones. */
async function newestJobs(database: Queryable): Promise<{jobs: JobFile[]; all: boolean}> {
  const rows = await database.query<{id: number; download_path: string | null; status_id: number | null}>(
    `SELECT id, download_path, status_id FROM job ORDER BY id DESC LIMIT ${NEWEST_JOBS}`,
  );
  const jobs = rows.flatMap(({id, download_path: path, status_id: status}) =>
    path ? [{id, path, completed: status === STATUSES.completed.termId}] : [],
  );
  return {jobs, all: rows.length < NEWEST_JOBS};
}

async function isThere(
  path: string,
  files: ReadonlyMap<string, number>,
  downloads: string,
): Promise<boolean> {
  if (path.startsWith(DIRECTORY) && files.has(path.slice(DIRECTORY.length))) return true;
  // Elsewhere under downloads, or at a place that cannot be checked: then nothing is reported.
  if (!path.startsWith('downloads/')) return true;
  const file = join(downloads, path.slice('downloads/'.length));
  return stat(file).then(
    () => true,
    ({code}: NodeJS.ErrnoException) => code !== 'ENOENT',
  );
}

const NAMED_BY_ID = /^([0-9a-f]{32})(?:\.|$)/;

/** Whether a file has a name as AtoM gives it: the md5 of a job's id. */
export function isNamedById(name: string): boolean {
  return NAMED_BY_ID.test(name);
}

/**
 * Which of the files belong to no job at all. AtoM names a file by the md5 of its job's id, which the
 * primary key finds; another name is a stray only if the paths of all jobs were read.
 */
async function strays(
  database: Queryable,
  names: readonly string[],
  allPathsRead: boolean,
): Promise<string[]> {
  const hashes = names.flatMap((name) => NAMED_BY_ID.exec(name)?.[1] ?? []);
  if (hashes.length === 0) return allPathsRead ? [...names].sort() : [];
  const rows = await database.query<{hash: string}>('SELECT MD5(id) AS hash FROM job WHERE MD5(id) IN (?)', [
    hashes,
  ]);
  const owned = new Set(rows.map(({hash}) => hash));
  return names
    .filter((name) => {
      const hash = NAMED_BY_ID.exec(name)?.[1];
      return hash === undefined ? allPathsRead : !owned.has(hash);
    })
    .sort();
}
