import {resolve} from 'node:path';
import {AtomctlError, usageError} from '../../errors.ts';
import type {DatabaseConfig} from '../../mysql/database.ts';
import {MYSQL_PORT, parseDatabaseUrl} from '../../mysql/database-url.ts';
import {Secret} from '../../secret.ts';
import type {Setting, SiteOptions, SiteSurroundings} from '../site.ts';
import type {NamedSite} from '../site-file.ts';
import {configPhpPath, readConfigPhp} from './config-php.ts';
import {parsePdoDsn} from './pdo-dsn.ts';

/**
 * One source of settings of the database; null if it gives none. It is read only if the sources above it leave a
 * setting open.
 */
export type DatabaseSource = () => Promise<Setting<Partial<DatabaseConfig>> | null>;

/**
 * The database, combined from sources given highest first; the origin names each source that was used.
 *
 * Place (host or socket), user, database name and TLS are each taken from the highest source that gives them. A port
 * belongs to the place and a password to the user: they come from the same source or a higher one, never from a lower
 * one. So no user is tried with another user's password, and no host with another host's port.
 * @throws AtomctlError NO_SITE if no source gives anything, USAGE if user or database name is missing,
 *   and whatever a source throws
 */
export async function combineDatabase(sources: readonly DatabaseSource[]): Promise<Setting<DatabaseConfig>> {
  const open: Partial<DatabaseConfig> = {};
  const origins: string[] = [];
  for (const source of sources) {
    if (isComplete(open)) break;
    const given = await source();
    if (given && adopt(open, given.value)) origins.push(given.origin);
  }
  return {value: complete(open, origins.join(', ')), origin: origins.join(', ')};
}

function isComplete(fields: Partial<DatabaseConfig>): boolean {
  return hasPlace(fields) && fields.user !== undefined && fields.database !== undefined;
}

function hasPlace({host, socketPath}: Partial<DatabaseConfig>): boolean {
  return Boolean(host ?? socketPath);
}

/** Fills what is still open from a lower source. Returns whether it gave anything. */
function adopt(open: Partial<DatabaseConfig>, fields: Partial<DatabaseConfig>): boolean {
  const adopted: Partial<DatabaseConfig> = {};
  const {host = null, socketPath = null, port, user, password, database, tls, serverKeyFile} = fields;
  if (!hasPlace(open)) {
    if (hasPlace(fields)) Object.assign(adopted, {host, socketPath});
    if (open.port === undefined && port !== undefined) adopted.port = port;
  }
  if (open.user === undefined) {
    if (user !== undefined) adopted.user = user;
    if (open.password === undefined && password !== undefined) adopted.password = password;
  }
  if (open.database === undefined && database !== undefined) adopted.database = database;
  if (open.tls === undefined && tls !== undefined) adopted.tls = tls;
  if (open.serverKeyFile === undefined && serverKeyFile !== undefined) adopted.serverKeyFile = serverKeyFile;
  Object.assign(open, adopted);
  return Object.keys(adopted).length > 0;
}

function complete(fields: Partial<DatabaseConfig>, origin: string): DatabaseConfig {
  const hint = 'Give --database-url mysql://user:password@host:port/database, or --atom-root DIR.';
  if (origin === '')
    throw new AtomctlError('NO_SITE', 'No AtoM installation and no database was found.', {hint});
  const {
    host = null,
    socketPath = null,
    port = MYSQL_PORT,
    user,
    password = new Secret(''),
    database,
    tls = {mode: 'off', caFile: null},
    serverKeyFile,
  } = fields;
  if (!hasPlace(fields)) throw usageError(`The configuration (${origin}) has no database server.`, hint);
  if (user === undefined) throw usageError(`The configuration (${origin}) has no database user.`, hint);
  if (database === undefined) throw usageError(`The configuration (${origin}) has no database name.`, hint);
  return {
    ...{host, port, socketPath, user, password, database, tls},
    ...(serverKeyFile === undefined ? {} : {serverKeyFile}),
  };
}

/**
 * Every source of a site's database, highest first: flag, atomctl's environment, AtoM's container
 * environment, the named site, config.php. If one of these gives both a URL and an option file, the URL is above.
 */
export function databaseSources(
  {databaseUrl, defaultsFile}: SiteOptions,
  named: NamedSite | undefined,
  surroundings: SiteSurroundings,
  root: () => Promise<Setting<string | null>>,
): DatabaseSource[] {
  const {env, cwd} = surroundings;
  const given = [databaseUrl, defaultsFile].filter((setting) => setting !== undefined);
  const inOrder = [...given.filter(isFlag), ...given.filter((setting) => !isFlag(setting))];
  return [
    ...inOrder.map((setting) =>
      setting === databaseUrl ? urlSource(setting) : optionFileSource(setting, cwd),
    ),
    containerSource(env),
    ...(named?.database ? [givenSource(named.database)] : []),
    ...(named?.defaultsFile ? [optionFileSource(named.defaultsFile, cwd)] : []),
    configPhpSource(root, surroundings),
  ];
}

function isFlag({origin}: Setting<string>): boolean {
  return origin.startsWith('--');
}

function urlSource({value, origin}: Setting<string>): DatabaseSource {
  return async () => ({value: parseDatabaseUrl(value, origin), origin});
}

function givenSource(setting: Setting<DatabaseConfig>): DatabaseSource {
  return async () => setting;
}

function optionFileSource({value, origin}: Setting<string>, cwd: string): DatabaseSource {
  return async () => {
    const file = resolve(cwd, value);
    const {readOptionFile} = await import('../../mysql/option-file.ts');
    return {value: await readOptionFile(file, origin), origin: `${origin} ${file}`};
  };
}

/** What AtoM's container image creates its config.php from. */
function containerSource(env: SiteSurroundings['env']): DatabaseSource {
  return async () => {
    const {ATOM_MYSQL_DSN: dsn, ATOM_MYSQL_USERNAME: user, ATOM_MYSQL_PASSWORD: password} = env;
    const given = Object.entries({
      ATOM_MYSQL_DSN: dsn,
      ATOM_MYSQL_USERNAME: user,
      ATOM_MYSQL_PASSWORD: password,
    })
      .filter(([, text]) => text)
      .map(([name]) => name);
    const value = {
      ...(dsn ? parsePdoDsn(dsn, 'ATOM_MYSQL_DSN') : {}),
      ...(user ? {user} : {}),
      ...(password ? {password: new Secret(password)} : {}),
    };
    return given.length === 0 ? null : {value, origin: given.join(', ')};
  };
}

function configPhpSource(
  findRoot: () => Promise<Setting<string | null>>,
  surroundings: SiteSurroundings,
): DatabaseSource {
  return async () => {
    const {value: root} = await findRoot();
    const value = root === null ? null : await readConfigPhp(root, surroundings);
    return root === null || value === null ? null : {value, origin: configPhpPath(root)};
  };
}
