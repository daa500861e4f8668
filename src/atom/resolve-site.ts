import path from 'node:path';
import {usageError} from '../errors.ts';
import {GEARMAN_PORT, type ServerAddress} from '../gearman/address.ts';
import type {DatabaseConfig} from '../mysql/database.ts';
import {combineDatabase} from './combine-database.ts';
import {type ConfigYaml, readConfigYaml, type YamlSetting} from './config-yaml.ts';
import {databaseSources} from './database-sources.ts';
import {realpath} from './files.ts';
import {computeFunctionPrefix} from './function-prefix.ts';
import {phpString} from './php-value.ts';
import type {Setting, Site, SiteOptions, SiteSurroundings} from './site.ts';
import {findNamedSite} from './site-file.ts';
import {findRoot, USUAL_PLACES} from './site-root.ts';
import {readPrefix, readServers, readZone} from './site-values.ts';

/**
 * Environments of AtoM from which a value is taken, the first that gives one. The web, `prod`, writes the job rows,
 * their times and the function names; the worker reads `worker`. Where the two differ, AtoM's own queue is broken
 * for all but worker_types, which is the worker's alone.
 */
const WEB_FIRST = ['prod', 'worker'];
const WORKER_FIRST = ['worker', 'prod'];

/** As AtoM ships; for a site whose settings.yml is not at hand. */
const SHIPPED_TIMEZONE = 'America/Vancouver';
/** PHP's own zone where neither settings.yml nor php.ini names one. */
const PHP_TIMEZONE = 'UTC';

/**
 * The site that the options and surroundings describe. Nothing is read before it is asked for, and nothing twice.
 *
 * A named site without a root has none: it is not looked for, since what is found might be another site's.
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
    if (named && !given) return {value: null, origin: `${named.origin} names none`};
    const {cwd, usualPlaces = USUAL_PLACES} = this.#surroundings;
    return findRoot({given, cwd, usualPlaces});
  });

  readonly database = once(async (): Promise<Setting<DatabaseConfig>> => {
    const named = await this.#named();
    return combineDatabase(databaseSources(this.#options, named, this.#surroundings, this.root));
  });

  readonly gearmanServers = once(async (): Promise<Setting<ServerAddress[]>> => {
    const named = await this.#named();
    const given = this.#options.gearman ?? containerServers(this.#surroundings.env) ?? named?.gearman;
    if (given) return readServers(given);
    const configured = (await this.#gearmanYml())?.get(['servers'], WEB_FIRST);
    if (configured) return readServers({...configured, value: texts(configured)});
    return {value: [{host: '127.0.0.1', port: GEARMAN_PORT}], origin: 'default'};
  });

  readonly functionPrefix = once(async (): Promise<Setting<string | null>> => {
    const named = await this.#named();
    const given = this.#options.functionPrefix ?? named?.functionPrefix;
    if (given) return readPrefix(given);
    const {value: root, origin} = await this.root();
    return root === null ? {value: null, origin} : computeFunctionPrefix(root, this.#surroundings, WEB_FIRST);
  });

  readonly timezone = once(async (): Promise<Setting<string>> => {
    const named = await this.#named();
    const given = this.#options.timezone ?? named?.timezone;
    if (given) return readZone(given);
    const {value: root} = await this.root();
    if (root === null) return {value: SHIPPED_TIMEZONE, origin: 'default'};
    const settings = await readConfigYaml(root, 'settings.yml', this.#surroundings);
    const zone = settings.get(['.settings', 'default_timezone'], WEB_FIRST);
    return zone
      ? readZone({...zone, value: phpString(zone.value)})
      : {value: PHP_TIMEZONE, origin: 'default'};
  });

  readonly workerTypes = once(async (): Promise<Setting<Record<string, string[]>>> => {
    const types = (await this.#gearmanYml())?.get(['worker_types'], WORKER_FIRST);
    if (!types) return {value: {}, origin: 'default'};
    if (!(types.value instanceof Map)) throw usageError(`worker_types in ${types.origin} is no map.`);
    return {
      value: Object.fromEntries(
        [...types.value].map(([type, classes]) => [type, texts({...types, value: classes})]),
      ),
      origin: types.origin,
    };
  });

  readonly downloads = once(async (): Promise<string | null> => {
    const {value: root} = await this.root();
    return root === null ? null : realpath(path.join(root, 'downloads')).catch(() => null);
  });

  readonly #named = once(() => findNamedSite(this.#options, this.#surroundings));

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

/** A map of names to texts, or a list of texts, as the list that it is to AtoM. */
function texts({value, origin}: YamlSetting): string[] {
  if (!(value instanceof Map))
    throw usageError(`${origin} has "${phpString(value)}" where a list is expected.`);
  return [...value.values()].map(phpString);
}
