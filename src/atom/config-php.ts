import path from 'node:path';
import {AtomctlError, usageError} from '../errors.ts';
import type {DatabaseConfig} from '../mysql/database.ts';
import {readFile, realpath} from './files.ts';
import {parsePdoDsn} from './pdo-dsn.ts';
import {NotStaticError, readPhpScript} from './php-script.ts';
import {flatten, lookUp, type PhpValue, phpString} from './php-value.ts';
import {runPhp} from './run-php.ts';

const HINT = 'Give the database with --database-url or --defaults-file.';

/** `<root>/config/config.php`, the only file in which AtoM looks for its database. */
export function configPhpPath(root: string): string {
  return path.join(root, 'config/config.php');
}

/**
 * The database that an AtoM root's config.php names, as the web (environment `prod`) sees it; null where there is
 * no such file. Read statically where possible, else by `php`.
 * @throws AtomctlError USAGE where the file cannot be read, evaluated, or names no usable database
 */
export async function readConfigPhp(
  root: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Partial<DatabaseConfig> | null> {
  const file = configPhpPath(root);
  const source = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return null;
    const hint = `Run as a user who may read it. ${HINT}`;
    throw new AtomctlError('USAGE', `${file} cannot be read (${cause.code}).`, {hint, cause});
  });
  if (source === null) return null;
  const config = await evaluate(source, await realpath(file), env);
  if (!(config instanceof Map)) throw usageError(`${file} does not return an array.`, HINT);
  const text = (key: string) => phpString(lookUp(flatten(config, 'prod'), ['propel', 'param', key]) ?? null);
  const dsn = text('dsn');
  if (dsn === '') throw usageError(`${file} has no all.propel.param.dsn.`, HINT);
  const fields = parsePdoDsn(dsn, file);
  const user = text('username');
  return user === '' ? fields : {...fields, user, password: text('password')};
}

async function evaluate(
  source: string,
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<PhpValue> {
  try {
    return (await readPhpScript(source, {file, env})).returned;
  } catch (error) {
    if (!(error instanceof NotStaticError)) throw error;
    const run = await runPhp(file, env);
    if (run.ran) return run.returned;
    throw usageError(`${file} needs php to be read (${error.message}), and ${run.reason}.`, HINT);
  }
}
