import {lstat} from 'node:fs/promises';
import {Directory} from '../../files/directory.ts';

export interface DownloadsOptions {
  /** The site's downloads directory; it may be reached through a symbolic link. */
  directory: string;
  /** `job.download_path` of jobs, relative to the AtoM root. */
  paths: readonly string[];
  /** A file that was written or put there since is left alone; absent: its age does not matter. */
  before?: Date;
}

export interface FileCount {
  count: number;
  bytes: number;
}

/**
 * Deletes the download files that AtoM means to delete with a job and never does. Only plain files under
 * `downloads/jobs` go: a path is data from the database, and nothing outside may ever be reached by it, be it
 * through `..`, an absolute path or a symbolic link, also if somebody replaces a directory meanwhile. A file that is already gone is
 * neither counted nor kept.
 * @returns what went, and the paths that were left alone
 */
export async function deleteDownloads(options: DownloadsOptions): Promise<FileCount & {kept: string[]}> {
  const deleted: FileCount = {count: 0, bytes: 0};
  const kept = await eachFile(options, async ({directory, name, bytes}) => {
    await directory.unlink(name);
    deleted.count += 1;
    deleted.bytes += bytes;
  });
  return {...deleted, kept};
}

/** How many files deleteDownloads would delete, and how large they are. */
export async function countDownloads(options: DownloadsOptions): Promise<FileCount> {
  const counted: FileCount = {count: 0, bytes: 0};
  await eachFile(options, async ({bytes}) => {
    counted.count += 1;
    counted.bytes += bytes;
  });
  return counted;
}

interface DownloadFile {
  directory: Directory;
  name: string;
  bytes: number;
}

/** @returns the paths of which nothing was visited, though something is there */
async function eachFile(
  options: DownloadsOptions,
  visit: (file: DownloadFile) => Promise<void>,
): Promise<string[]> {
  const {paths} = options;
  if (paths.length === 0) return [];
  const jobs = await openJobs(options.directory);
  if (jobs === null) return [...paths];
  try {
    const kept: string[] = [];
    for (const path of paths) if (!(await visitOne(jobs, path, {...options, visit}))) kept.push(path);
    return kept;
  } finally {
    await jobs.close();
  }
}

/**
 * `downloads/jobs`; null if there is none, or if it belongs to somebody else than the entry `downloads` does: whoever may replace
 * that entry by a link could lead root into the directory of another user.
 */
async function openJobs(path: string): Promise<Directory | null> {
  let downloads: Directory | undefined;
  try {
    const {uid: owner} = await lstat(path);
    downloads = await Directory.open(path);
    const jobs = await downloads.directory('jobs');
    if (owner === ROOT_UID || (await jobs.stats()).uid === owner) return jobs;
    await jobs.close();
    return null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return null;
  } finally {
    await downloads?.close();
  }
}

const ROOT_UID = 0;

/** False if there is something that is not visited. */
async function visitOne(
  jobs: Directory,
  path: string,
  {before, visit}: {before?: Date; visit: (file: DownloadFile) => Promise<void>},
): Promise<boolean> {
  const [top, folder, ...rest] = path.split('/');
  const name = rest.pop();
  if (top !== 'downloads' || folder !== 'jobs' || name === undefined) return false;
  const opened: Directory[] = [];
  try {
    let directory = jobs;
    for (const segment of rest) {
      directory = await directory.directory(segment);
      opened.push(directory);
    }
    const stats = await directory.lstat(name);
    if (!stats.isFile()) return false;
    // A copy may bring an old time with it; its inode shows when it came.
    if (before !== undefined && Math.max(stats.mtimeMs, stats.ctimeMs) >= before.getTime()) return false;
    await visit({directory, name, bytes: stats.size});
    return true;
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return code === 'ENOENT';
  } finally {
    for (const directory of opened) await directory.close();
  }
}
