import {AtomctlError} from '../../errors.ts';
import {countDownloads, deleteDownloads, type FileCount} from '../../jobs/clear/downloads.ts';
import {isReplica} from '../../jobs/live/collect-evidence.ts';
import {asOwner} from '../../system-failure.ts';
import type {SiteEvidence} from '../evidence.ts';
import {NotAvailable} from '../finding.ts';
import {isNamedById} from './job-files.ts';

/** A file that is younger may belong to a job that this database does not show yet, or was restored before its row. */
const SAFE_SECONDS = 86_400;
/** Files between two looks at whether the work is to end. */
const AT_ONCE = 100;

/** Files that a plan was made for, and the time that they must be older than. */
export interface NamedFiles {
  paths: readonly string[];
  before: Date;
}

/** How many stray files deleteStrayFiles would delete, and how many it leaves for their age. @throws NotAvailable if they cannot be told from others' */
export async function countStrayFiles(
  site: SiteEvidence,
): Promise<FileCount & {young: number; named: NamedFiles}> {
  const {before, ...files} = await strayFiles(site);
  const old = await countDownloads({...files, before});
  const all = await countDownloads(files);
  return {...old, young: all.count - old.count, named: {paths: files.paths, before}};
}

/**
 * Deletes the files below downloads/jobs that AtoM has named after a job which is gone. Only plain files of that directory go, no link
 * is followed, and what is younger than a day or named by any row stays. Yields how many went in each step.
 * @param named no others are deleted
 * @throws NotAvailable, as countStrayFiles does; AtomctlError FAILED if some cannot be deleted
 */
export async function* deleteStrayFiles(site: SiteEvidence, named: NamedFiles): AsyncGenerator<number> {
  const {paths: stray, directory} = await strayFiles(site);
  const options = {directory, before: named.before};
  const wanted = new Set(named.paths);
  const paths = stray.filter((path) => wanted.has(path));
  for (let at = 0; at < paths.length; at += AT_ONCE) {
    const some = {...options, paths: paths.slice(at, at + AT_ONCE)};
    const there = await countDownloads(some);
    const {count} = await deleteDownloads(some);
    yield count;
    if (count < there.count)
      throw new AtomctlError(
        'FAILED',
        `${there.count - count} files in ${options.directory}/jobs could not be deleted.`,
        {
          hint: `Run it as the owner of the files: ${asOwner(`${options.directory}/jobs`, 'atomctl doctor --fix')}`,
        },
      );
  }
}

async function strayFiles(site: SiteEvidence) {
  const {downloads, now} = site.access;
  const {stray} = await site.files();
  const database = await site.database();
  if (await isReplica(database))
    throw new NotAvailable('The database is a replica: rows of newer files may be missing.');
  const names = new Set(stray.filter(isNamedById));
  // Not only the newest rows: any row may name a file.
  if (names.size > 0)
    await database.visit("SELECT download_path FROM job WHERE download_path <> ''", [], ([path]) =>
      names.delete(String(path).split('/').at(-1)!),
    );
  return {
    directory: downloads!,
    paths: [...names].map((name) => `downloads/jobs/${name}`),
    before: new Date(now().getTime() - SAFE_SECONDS * 1000),
  };
}
