import type {Database} from '../../mysql/database.ts';
import {countDownloads, type FileCount} from './downloads.ts';
import {hasId} from './job-ids.ts';
import type {ClearPlan} from './plan.ts';

/** How many files of the planned jobs would be deleted, and how large they are. */
export async function countFiles(
  database: Database,
  {ids}: ClearPlan,
  directory: string,
): Promise<FileCount> {
  const paths: string[] = [];
  await database.visit("SELECT id, download_path FROM job WHERE download_path <> ''", [], ([id, path]) => {
    if (hasId(ids, id as number)) paths.push(String(path));
  });
  return countDownloads({directory, paths});
}
