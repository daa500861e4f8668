import type {Database, Queryable} from '../../mysql/database.ts';
import {countDownloads, type FileCount} from './downloads.ts';
import {hasId} from './job-ids.ts';
import type {ClearPlan} from './plan.ts';

/** How many files of the planned jobs would be deleted, and how large they are: those that no job names that stays. */
export async function countFiles(
  database: Database,
  {ids}: ClearPlan,
  directory: string,
): Promise<FileCount> {
  const paths = new Set<string>();
  await database.visit("SELECT id, download_path FROM job WHERE download_path <> ''", [], ([id, path]) => {
    if (hasId(ids, id as number)) paths.add(String(path));
  });
  const shared = [...(await sharedPaths(database))].filter((path) => paths.has(path));
  for (const {id, path} of await rowsNaming(database, shared)) if (!hasId(ids, id)) paths.delete(path);
  return countDownloads({directory, paths: [...paths]});
}

/** The download paths that several rows name. AtoM never does this; a restored or copied row may. */
export async function sharedPaths(database: Database): Promise<Set<string>> {
  const shared = new Set<string>();
  await database.visit(
    // By its bytes: a collation may take two names for one.
    `SELECT MIN(download_path) FROM job WHERE download_path <> ''
     GROUP BY CAST(download_path AS BINARY) HAVING COUNT(*) > 1`,
    [],
    ([path]) => shared.add(String(path)),
  );
  return shared;
}

/** The paths that no row names now. @param shared the only ones that may have another row */
export async function unnamed(
  database: Queryable,
  paths: readonly string[],
  shared: ReadonlySet<string>,
): Promise<string[]> {
  const doubtful = paths.filter((path) => shared.has(path));
  const named = new Set((await rowsNaming(database, doubtful)).map(({path}) => path));
  return paths.filter((path) => !named.has(path));
}

/** Also rows whose path differs in upper and lower case alone. */
async function rowsNaming(
  database: Queryable,
  paths: readonly string[],
): Promise<{id: number; path: string}[]> {
  if (paths.length === 0) return [];
  return database.query('SELECT id, download_path AS path FROM job WHERE download_path IN (?)', [paths]);
}
