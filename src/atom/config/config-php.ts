import {join} from 'node:path';
import {cannotBeRead, usageError} from '../../errors.ts';
import {readFile, realpath} from '../../files/sync-files.ts';
import type {DatabaseConfig} from '../../mysql/database.ts';
import type {PhpOptions} from '../../php/run-php.ts';
import {NotStaticError, readPhpScript} from '../../php/script.ts';
import {flatten, lookUp, type PhpValue, phpString} from '../../php/value.ts';
import {Secret} from '../../secret.ts';
import {parsePdoDsn} from './pdo-dsn.ts';

const HINT = 'Give the database with --database-url or --defaults-file.';
const HINT_RUN =
  'Give the database with --database-url or --defaults-file, or, if you trust the file, let php run it with --run-php.';

/** `<root>/config/config.php`, the only file in which AtoM looks for its database. */
export function configPhpPath(root: string): string {
  return join(root, 'config/config.php');
}

/**
 * The database that an AtoM root's config.php names, as the web (environment `prod`) sees it; null if there is
 * no such file. Read statically; if that is not possible, `php` runs it, provided that this is allowed.
 * @throws AtomctlError USAGE if the file cannot be read, evaluated, or names no usable database
 */
export async function readConfigPhp(
  root: string,
  options: PhpOptions,
): Promise<Partial<DatabaseConfig> | null> {
  const file = configPhpPath(root);
  const source = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return null;
    throw cannotBeRead(file, cause, HINT);
  });
  if (source === null) return null;
  const config = await evaluate(source, file, options);
  if (!(config instanceof Map)) throw usageError(`${file} does not return an array.`, HINT);
  const text = (key: string) => phpString(lookUp(flatten(config, 'prod'), ['propel', 'param', key]) ?? null);
  const dsn = text('dsn');
  if (dsn === '') throw usageError(`${file} has no all.propel.param.dsn.`, HINT);
  const fields = parsePdoDsn(dsn, file);
  const user = text('username');
  return user === '' ? fields : {...fields, user, password: new Secret(text('password'))};
}

async function evaluate(source: string, file: string, {env, php}: PhpOptions): Promise<PhpValue> {
  const target = await realpath(file).catch(() => file);
  try {
    return (await readPhpScript(source, {file: target, env})).returned;
  } catch (error) {
    if (!(error instanceof NotStaticError)) throw error;
    if (!php) throw usageError(`${file} cannot be read without PHP: ${error.message}.`, HINT_RUN);
    const {runPhp} = await import('../../php/run-php.ts');
    const run = await runPhp(file, {env, php});
    if (run.ran) return run.returned;
    throw usageError(`${file} cannot be read without PHP (${error.message}), and ${run.reason}.`, HINT);
  }
}
