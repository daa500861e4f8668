import {lstat, realpath, unlink} from 'node:fs/promises';
import {join, sep} from 'node:path';

export interface DownloadsOptions {
  /** The site's downloads directory; it may be reached through a symbolic link. */
  directory: string;
  /** `job.download_path` of jobs whose rows are gone, relative to the AtoM root. */
  paths: readonly string[];
}

/**
 * Deletes the download files that AtoM means to delete with a job and never does. Only plain files under
 * `downloads/jobs` go: a path is data from the database, and nothing outside may ever be reached by it, be it
 * through `..`, an absolute path or a symbolic link. A file that is already gone is neither counted nor kept.
 * @returns how many files went, and the paths that were left alone
 */
export async function deleteDownloads(options: DownloadsOptions): Promise<{deleted: number; kept: string[]}> {
  const result: {deleted: number; kept: string[]} = {deleted: 0, kept: []};
  if (options.paths.length === 0) return result;
  const directory = await realpath(options.directory);
  for (const path of options.paths) {
    const outcome = await deleteOne(directory, path);
    if (outcome === 'deleted') result.deleted++;
    if (outcome === 'kept') result.kept.push(path);
  }
  return result;
}

async function deleteOne(directory: string, path: string): Promise<'deleted' | 'absent' | 'kept'> {
  try {
    const file = await fileBelow(directory, path);
    if (file === null || !(await lstat(file)).isFile()) return 'kept';
    await unlink(file);
    return 'deleted';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'absent' : 'kept';
  }
}

/** The file's place with every directory on the way resolved; null where that is not below `directory`/jobs. */
async function fileBelow(directory: string, path: string): Promise<string | null> {
  const [top, jobs, ...rest] = path.split('/');
  if (top !== 'downloads' || jobs !== 'jobs' || rest.length === 0) return null;
  if (rest.some((segment) => segment === '' || segment === '.' || segment === '..')) return null;
  const allowed = join(directory, jobs);
  const parent = await realpath(join(allowed, ...rest.slice(0, -1)));
  return parent === allowed || parent.startsWith(allowed + sep) ? join(parent, rest.at(-1)!) : null;
}
