import {isIPv4} from 'node:net';
import {readFile} from '../files/sync-files.ts';
import type {DatabaseConfig} from '../mysql/database.ts';
import {configPhpPath, readConfigPhp} from './config/config-php.ts';

/** Where a database is, as far as it tells two databases apart. */
export type DatabasePlace = Pick<DatabaseConfig, 'database'> & Partial<Pick<DatabaseConfig, 'host' | 'port'>>;

/**
 * True if two databases are surely different: their names differ (MySQL may ignore case), or they are behind different
 * ports of one host. Two hosts may be names of one server, and a socket may belong to the server of a port.
 */
export function isOtherDatabase(one: DatabasePlace, other: DatabasePlace): boolean {
  if (one.database.toLowerCase() !== other.database.toLowerCase()) return true;
  const [here, there] = [hostOf(one), hostOf(other)];
  return here !== null && here === there && (one.port ?? 3306) !== (other.port ?? 3306);
}

/** null for a socket. */
function hostOf({host}: DatabasePlace): string | null {
  if (!host) return null;
  const name = host.toLowerCase();
  return name === '::1' || name === 'localhost' || (isIPv4(name) && name.startsWith('127.'))
    ? 'loopback'
    : name;
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
    return found?.database !== undefined && isOtherDatabase({...found, database: found.database}, database);
  } catch {
    return false;
  }
}
