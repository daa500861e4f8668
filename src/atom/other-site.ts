import {readFile} from '../files/sync-files.ts';
import type {DatabaseConfig} from '../mysql/database.ts';
import {configPhpPath, readConfigPhp} from './config/config-php.ts';

/** What tells two databases apart. */
export type DatabasePlace = Pick<DatabaseConfig, 'database'>;

/**
 * True if two databases are surely different: their names differ (MySQL may ignore case). Two hosts or two ports may lead
 * to one server: a proxy, a tunnel, a socket.
 */
export function isOtherDatabase(one: DatabasePlace, other: DatabasePlace): boolean {
  return one.database.toLowerCase() !== other.database.toLowerCase();
}

/** What such a config.php says depends on the process that reads it. */
const ENVIRONMENT = /\bgetenv\b|\$_(?:ENV|SERVER)\b/i;

/**
 * True if a directory's config.php surely names another database than this one. It is read without PHP; false if it
 * is missing, cannot be read so, or depends on the environment.
 */
export async function usesOtherDatabase(root: string, database: DatabasePlace): Promise<boolean> {
  try {
    if (ENVIRONMENT.test(await readFile(configPhpPath(root)))) return false;
    const found = await readConfigPhp(root, {env: {}});
    return found?.database !== undefined && isOtherDatabase({database: found.database}, database);
  } catch {
    return false;
  }
}
