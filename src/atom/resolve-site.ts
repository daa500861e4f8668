import {join, resolve} from 'node:path';
import {AtomctlError, usageError} from '../errors.ts';
import {stat} from '../files/sync-files.ts';
import {
  formatAddress,
  GEARMAN_PORT,
  hostsToTry,
  parseAddress,
  type ServerAddress,
} from '../gearman/address.ts';
import type {DatabaseConfig} from '../mysql/database.ts';
import {phpString} from '../php/value.ts';
import {combineDatabase, databaseSources} from './config/combine-database.ts';
import {type CompiledConfig, configModifiedMs, readCompiledConfig} from './config/compiled-cache.ts';
import {configPhpPath} from './config/config-php.ts';
import {type ConfigYaml, readConfigYaml, type YamlSetting} from './config/config-yaml.ts';
import {CONTAINER_PREFIX, computeFunctionPrefix, prefixRule, workersKeyPrefix} from './function-prefix.ts';
import {usesOtherDatabase} from './other-site.ts';
import type {SearchServer} from './search-servers.ts';
import type {Setting, Site, SiteOptions, SiteSurroundings} from './site.ts';
import {findNamedSite, listSites} from './site-file.ts';
import {findRoot, USUAL_PLACES} from './site-root.ts';
import {readVersion} from './version.ts';
import {knownZone, type ZoneEnvironment} from './zone.ts';

/**
 * Environments of AtoM from which a value is taken, the first that gives one. The web, `prod`, writes the job rows,
 * their times and the function names; the worker reads `worker`. If the two differ, AtoM's own queue is broken,
 * except for worker_types, which only the worker reads.
 */
const WEB_FIRST = ['prod', 'worker'];
const WORKER_FIRST = ['worker', 'prod'];
/** Every environment that submits or executes jobs. */
const ENVIRONMENTS = ['prod', 'worker', 'cli'];

/** AtoM's default; for a site whose settings.yml cannot be found. */
const SHIPPED_TIMEZONE = 'America/Vancouver';
/** PHP's own zone if neither settings.yml nor php.ini names one. */
const PHP_TIMEZONE = 'UTC';

/**
 * The site that the options and surroundings describe. Each value is read when it is first requested, and once.
 *
 * A named site without a root has none. It is not searched for, because a root that is found may be another site's.
 */
export function resolveSite(options: SiteOptions, surroundings: SiteSurroundings): Site {
  return new ResolvedSite(options, surroundings);
}

class ResolvedSite implements Site {
  readonly #options: SiteOptions;
  readonly #surroundings: SiteSurroundings;

  constructor(options: SiteOptions, surroundings: SiteSurroundings) {
    this.#options = options;
    this.#surroundings = surroundings;
  }

  readonly root = once(async (): Promise<Setting<string | null>> => {
    const named = await this.#named();
    const given = this.#options.atomRoot ?? named?.root;
    if (named && !given) return {value: null, origin: `${named.origin} does not name one`};
    const {cwd, usualPlaces = USUAL_PLACES, callerUid} = this.#surroundings;
    return findRoot({given, cwd, usualPlaces, callerUid});
  });

  readonly database = once(async (): Promise<Setting<DatabaseConfig>> => {
    const named = await this.#named();
    const sources = databaseSources(this.#options, named, this.#surroundings, this.root);
    return combineDatabase(sources).catch(async (error: unknown) => {
      if (!(error instanceof AtomctlError) || error.code !== 'NO_SITE') throw error;
      const {value: root} = await this.root();
      const message =
        root === null ? error.message : `${configPhpPath(root)} does not exist, and no database was given.`;
      throw await this.#noSite(message, error.hint!);
    });
  });

  async requireRoot(): Promise<string> {
    const {value} = await this.root();
    if (value !== null) return value;
    throw await this.#noSite('No AtoM installation was found.', 'Give --atom-root DIR.');
  }

  async #noSite(message: string, instead: string): Promise<AtomctlError> {
    const [{noSite}, root, named] = [await import('./no-site.ts'), await this.root(), await this.#named()];
    const surroundings = this.#surroundings;
    // A configuration file that is wrong is not the reason.
    const sites = await listSites(this.#options, surroundings).catch(() => []);
    return noSite({message, instead, root, named, sites, surroundings});
  }

  readonly gearmanServers = once(async (): Promise<Setting<ServerAddress[]>> => {
    const given = await this.#givenServers();
    if (given) return readServers(given);
    const configured = (await this.#gearmanYml())?.get(['servers'], WEB_FIRST);
    if (configured) return readServers({...configured, value: texts(configured)});
    return {value: [{host: '127.0.0.1', port: GEARMAN_PORT}], origin: 'default'};
  });

  readonly cachedServers = once(async (): Promise<Setting<ServerAddress[]>> => {
    const none = {value: [], origin: 'default'};
    if (await this.#givenServers()) return none;
    const cached = (await this.#compiled()).flatMap(({servers}) => servers ?? []);
    const origin = [...new Set(cached.map(({file}) => file))].join(', ');
    const texts = cached.flatMap((each) => each.texts);
    if (texts.length === 0) return none;
    const known = new Set((await this.gearmanServers()).value.map(serverKey));
    const all = readServers({value: texts, origin});
    const value = all.value.filter((address) => !known.has(serverKey(address)));
    return value.length === 0 ? none : {value, origin};
  });

  readonly serversNotAsked = once(async (): Promise<ServerAddress[]> => {
    const {value: root} = await this.root();
    if (root === null || !(await this.#givenServers())) return [];
    const configured = (await this.#gearmanYml())?.get(['servers'], WEB_FIRST);
    const cached = (await this.#compiled()).flatMap(({servers}) => servers?.texts ?? []);
    const named = readServers({
      value: [...(configured ? texts(configured) : [`127.0.0.1:${GEARMAN_PORT}`]), ...cached],
      origin: 'gearman.yml',
    });
    const asked = new Set((await this.gearmanServers()).value.map(serverKey));
    return named.value.filter((address) => !asked.has(serverKey(address)));
  });

  readonly serversDoubt = once(async (): Promise<string | null> => {
    if (await this.#givenServers()) return null;
    const {value: root} = await this.root();
    const {value: servers} = await this.gearmanServers();
    if (root === null) {
      const asked = servers.map(formatAddress).join(', ');
      return `The Gearman servers of the site are not known: atomctl asked ${asked}, because no AtoM root and no --gearman was given.`;
    }
    return (await this.#isOfOtherDatabase(root))
      ? `The AtoM root ${root} names another database, so its Gearman servers may belong to another site. Give --gearman.`
      : null;
  });

  /** True if the root surely is another site's: a database was given, and the root names another one. */
  async #isOfOtherDatabase(root: string): Promise<boolean> {
    const noRoot = async () => ({value: null, origin: ''});
    const given = databaseSources(this.#options, await this.#named(), this.#surroundings, noRoot);
    for (const source of given) {
      const database = (await source().catch(() => null))?.value.database;
      if (database !== undefined) return usesOtherDatabase(root, {database});
    }
    return false;
  }

  /** Kept once it is known: a server that does not answer now may answer the next time. */
  functionPrefix(): Promise<Setting<string | null>> {
    const forget = () => {
      this.#prefix = undefined;
    };
    if (this.#prefix === undefined) {
      this.#prefix = this.#findPrefix();
      this.#prefix.then(({value}) => value === null && forget(), forget);
    }
    return this.#prefix;
  }

  #prefix: Promise<Setting<string | null>> | undefined;

  async #findPrefix(): Promise<Setting<string | null>> {
    const given = await this.#givenPrefix();
    if (given?.value === 'auto') return this.#onlyPrefix(given.origin);
    if (given) return readPrefix(given);
    const {value: root, origin} = await this.root();
    if (root === null) return this.#prefixWithoutRoot(origin);
    if (await this.#isOfOtherDatabase(root)) return {value: null, origin: `${root} names another database`};
    try {
      return await computeFunctionPrefix(root, this.#surroundings, WEB_FIRST);
    } catch (error) {
      if (!(error instanceof AtomctlError) || error.code === 'USAGE' || error.code === 'NO_SITE') throw error;
      return {
        value: null,
        origin: `${root}, whose version of AtoM computes it from the database: ${error.message}`,
      };
    }
  }

  async #onlyPrefix(origin: string): Promise<Setting<string | null>> {
    const {observePrefixes} = this.#surroundings;
    if (observePrefixes === undefined) return {value: null, origin: `${origin} auto`};
    const [prefix, ...others] = await observePrefixes();
    if (prefix === undefined) {
      throw usageError(
        `No Gearman server has a function of AtoM, so auto (${origin}) finds no function prefix.`,
      );
    }
    if (others.length === 0) return {value: prefix, origin: `${origin} auto`};
    throw usageError(
      `The Gearman servers have several function prefixes, so auto (${origin}) cannot choose: ${[prefix, ...others].map(prefixText).join(', ')}.`,
      `Give one of them: --function-prefix ${prefix}`,
    );
  }

  /** Beside a container of AtoM's image its prefix is known; any other one is named and not taken. */
  async #prefixWithoutRoot(origin: string): Promise<Setting<string | null>> {
    const {observePrefixes} = this.#surroundings;
    if (observePrefixes === undefined) return {value: null, origin};
    const observed = await observePrefixes().catch((error: unknown): readonly string[] => {
      if (error instanceof AtomctlError && error.code !== 'USAGE') return [];
      throw error;
    });
    if (observed.includes(CONTAINER_PREFIX)) {
      return {value: CONTAINER_PREFIX, origin: "md5 of /atom/src, the container image's root"};
    }
    const shown = observed.map(prefixText).join(', ');
    if (observed.length === 0) return {value: null, origin};
    if (observed.length > 1) return {value: null, origin: `${origin}; the servers show ${shown}`};
    return {
      value: null,
      origin: `${origin}; the servers show only ${shown}; --function-prefix auto uses it`,
    };
  }

  readonly otherPrefixes = once(async (): Promise<string[]> => {
    const {value: root} = await this.root();
    if (root === null || (await this.#givenPrefix()) || (await this.#isOfOtherDatabase(root))) return [];
    if (prefixRule(await readVersion(root)) !== 'workers key') return [];
    const yaml = await readConfigYaml(root, 'app.yml', this.#surroundings);
    const keys = [
      ...ENVIRONMENTS.map((environment) => yaml.get(['workers_key'], [environment])?.value ?? null),
      ...(await this.#compiled()).flatMap(({workersKey}) => (workersKey ? [workersKey.value] : [])),
    ];
    const {value: own} = await this.functionPrefix();
    return [...new Set(keys.map((key) => workersKeyPrefix(root, key)))].filter((prefix) => prefix !== own);
  });

  readonly configModifiedMs = async (): Promise<number | null> => {
    const {value: root} = await this.root();
    if (root === null) return null;
    const given = (this.#options.atomRoot ?? (await this.#named())?.root)?.value;
    return configModifiedMs(root, given && resolve(this.#surroundings.cwd, given));
  };

  readonly workersStatedHere = async (): Promise<boolean> => (await this.#named())?.workers !== undefined;

  readonly timezone = once(async (): Promise<Setting<string>> => {
    const named = await this.#named();
    const given = this.#options.timezone ?? named?.timezone;
    const {zoneEnv} = this.#surroundings;
    if (given) return readZone(given, zoneEnv);
    const {value: root} = await this.root();
    if (root === null) return {value: SHIPPED_TIMEZONE, origin: 'default'};
    const settings = await readConfigYaml(root, 'settings.yml', this.#surroundings);
    const zone = settings.get(['.settings', 'default_timezone'], WEB_FIRST);
    return zone
      ? readZone({...zone, value: phpString(zone.value)}, zoneEnv)
      : {value: PHP_TIMEZONE, origin: 'default'};
  });

  readonly workerTypes = once(async (): Promise<Setting<Record<string, string[]>>> => {
    const types = (await this.#gearmanYml())?.get(['worker_types'], WORKER_FIRST);
    if (!types) return {value: {}, origin: 'default'};
    if (!(types.value instanceof Map)) throw usageError(`worker_types in ${types.origin} must be a map.`);
    return {
      value: Object.fromEntries(
        [...types.value].map(([type, classes]) => [type, texts({...types, value: classes})]),
      ),
      origin: types.origin,
    };
  });

  async rootOfOtherDatabase(): Promise<boolean> {
    const {value: root} = await this.root();
    return root !== null && this.#isOfOtherDatabase(root);
  }

  async searchServers(): Promise<SearchServer[]> {
    const {value: root} = await this.root();
    if (root === null) return [];
    const {readSearchServers} = await import('./search-servers.ts');
    return readSearchServers(root, this.#surroundings);
  }

  readonly downloads = once(async (): Promise<string | null> => {
    const {value: root} = await this.root();
    if (root === null) return null;
    const directory = join(root, 'downloads');
    return stat(directory).then(
      () => directory,
      () => null,
    );
  });

  readonly #named = once(() => findNamedSite(this.#options, this.#surroundings));

  async #givenServers(): Promise<Setting<string[]> | undefined> {
    return (
      this.#options.gearman ?? containerServers(this.#surroundings.env) ?? (await this.#named())?.gearman
    );
  }

  async #givenPrefix(): Promise<Setting<string> | undefined> {
    return this.#options.functionPrefix ?? (await this.#named())?.functionPrefix;
  }

  readonly #compiled = once(async (): Promise<CompiledConfig[]> => {
    const {value: root} = await this.root();
    return root === null ? [] : readCompiledConfig(root);
  });

  readonly #gearmanYml = once(async (): Promise<ConfigYaml | null> => {
    const {value: root} = await this.root();
    return root === null ? null : readConfigYaml(root, 'gearman.yml', this.#surroundings);
  });
}

/** Runs `make` when first called and gives every caller the same promise. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** The container image of AtoM knows one server, by host or host:port. */
function containerServers({
  ATOM_GEARMAND_HOST: host,
}: SiteSurroundings['env']): Setting<string[]> | undefined {
  return host ? {value: [host], origin: 'ATOM_GEARMAND_HOST'} : undefined;
}

/** A map of names to texts, or a list of texts, as the list that AtoM makes of it. */
function texts({value, origin}: YamlSetting): string[] {
  if (!(value instanceof Map))
    throw usageError(`${origin} has "${phpString(value)}", but it must be a list.`);
  return [...value.values()].map(phpString);
}

/**
 * A list of Gearman servers; each text may itself be a comma-separated list, and a server named twice counts once.
 * @throws AtomctlError USAGE if one is not an address, or there is none
 */
export function readServers({value, origin}: Setting<string[]>): Setting<ServerAddress[]> {
  const addresses = value
    .flatMap((text) => text.split(','))
    .filter((text) => text.trim() !== '')
    .map((text) => parseAddress(text, origin));
  if (addresses.length === 0) {
    throw usageError(`The list of Gearman servers (${origin}) is empty.`, 'Give at least one HOST[:PORT].');
  }
  const keys = addresses.map(serverKey);
  return {value: addresses.filter((_, index) => keys.indexOf(keys[index]!) === index), origin};
}

/** The same for one server under two names: it would be asked, and its jobs counted, twice. */
function serverKey({host, port}: ServerAddress): string {
  return formatAddress({host: hostsToTry(host)[0]!, port});
}

/** A prefix in a message. */
function prefixText(prefix: string): string {
  return prefix === '' ? 'functions without a prefix' : prefix;
}

/**
 * A function prefix, with or without the dash between it and the job class. An empty text means no prefix, as in AtoM
 * before 2.5.2.
 * @throws AtomctlError USAGE if it is not 32 hexadecimal digits
 */
export function readPrefix({value, origin}: Setting<string>): Setting<string> {
  const prefix = value === '' ? '' : /^([0-9a-f]{32})-?$/.exec(value)?.[1];
  if (prefix !== undefined) return {value: prefix, origin};
  throw usageError(
    `"${value}" (${origin}) is not a valid function prefix. A prefix has 32 hexadecimal digits.`,
    'With auto, atomctl uses the only prefix of the servers. To see the prefixes: atomctl queue:status --all-functions',
  );
}

/**
 * A timezone by its IANA name, as written.
 * @throws AtomctlError USAGE if this Node does not know it; offsets such as +01:00 are not zones
 */
export function readZone({value, origin}: Setting<string>, env?: ZoneEnvironment): Setting<string> {
  if (/^[A-Za-z]/.test(value) && knownZone(value, env) !== null) return {value, origin};
  throw usageError(
    `"${value}" (${origin}) is not a known timezone.`,
    'Give an IANA name such as America/Vancouver.',
  );
}
