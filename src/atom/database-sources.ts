import path from 'node:path';
import {parseDatabaseUrl} from '../mysql/database-url.ts';
import {readOptionFile} from '../mysql/option-file.ts';
import type {DatabaseSource} from './combine-database.ts';
import {configPhpPath, readConfigPhp} from './config-php.ts';
import {parsePdoDsn} from './pdo-dsn.ts';
import type {Setting, SiteOptions, SiteSurroundings} from './site.ts';
import type {NamedSite} from './site-file.ts';

/**
 * All that may say something about a site's database, highest first: flag, atomctl's environment, AtoM's container
 * environment, the named site, config.php. Where a URL and an option file stand side by side, the URL is above.
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
    ...(named?.database ? [urlSource(named.database)] : []),
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

function optionFileSource({value, origin}: Setting<string>, cwd: string): DatabaseSource {
  return async () => {
    const file = path.resolve(cwd, value);
    return {value: await readOptionFile(file, origin), origin: `${origin} ${file}`};
  };
}

/** What AtoM's container image makes its config.php from. */
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
      ...(password ? {password} : {}),
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
