import type {Setting, Site, SiteOptions} from '../atom/site.ts';
import type {NamedSite} from '../atom/site-file.ts';
import type {SiteTime} from '../atom/site-time.ts';
import {usageError} from '../errors.ts';
import type {ServerAddress} from '../gearman/address.ts';
import type {ServerConnection} from '../gearman/server.ts';
import type {Database} from '../mysql/database.ts';
import type {ReplicaAddress} from '../mysql/replica.ts';
import type {PhpPermission} from '../php/run-php.ts';

export interface ContextOptions {
  site: SiteOptions;
  timeoutSeconds: number;
  /** Node's own environment; its TZ is changed. */
  env: Record<string, string | undefined>;
  cwd: string;
  /** The user id that atomctl runs as. */
  callerUid: number;
  /** Absent: no PHP runs. */
  php: PhpPermission | undefined;
  now: () => Date;
}

/**
 * The one place that connects a site's settings to its servers. Everything is imported and created on first use, so
 * that a command loads only what it needs. `dispose` closes every connection, so that the process can end.
 */
export class Context {
  readonly timeoutSeconds: number;
  readonly now: () => Date;
  readonly #options: ContextOptions;
  #site: Promise<Site> | undefined;
  #database: Promise<Database> | undefined;
  readonly #replicas: Database[] = [];
  #time: Promise<SiteTime> | undefined;
  #servers: Promise<ServerConnection[]> | undefined;

  constructor(options: ContextOptions) {
    this.#options = options;
    this.timeoutSeconds = options.timeoutSeconds;
    this.now = options.now;
  }

  /** The name in atomctl's configuration file; null if the site is not a named one. */
  get siteName(): string | null {
    return this.#options.site.site?.value ?? null;
  }

  /** The line of the configuration file that allows only reading of the named site; null if none does. */
  async readOnlyOrigin(): Promise<string | null> {
    const {site, env, cwd} = this.#options;
    if (!site.site && !site.config) return null;
    const {findNamedSite} = await import('../atom/site-file.ts');
    const readOnly = (await findNamedSite(site, {env, cwd}))?.readOnly;
    return readOnly?.value === true ? `readOnly at ${readOnly.origin}` : null;
  }

  /** Rejects with AtomctlError USAGE if --site is given and a variable describes a site too. */
  async site(): Promise<Site> {
    const {site, env, cwd, callerUid, php} = this.#options;
    refuseVariablesBesideSite(site, env);
    const connect = () => this.database();
    const observePrefixes = () => this.#observePrefixes();
    this.#site ??= import('../atom/resolve-site.ts').then(({resolveSite}) =>
      resolveSite(site, {env, cwd, callerUid, php, zoneEnv: env, connect, observePrefixes}),
    );
    return this.#site;
  }

  /** @throws AtomctlError if no database is configured, or if it cannot be reached or refuses the login */
  database(): Promise<Database> {
    this.#database ??= this.#connectDatabase().catch((error: unknown) => {
      // A command that tries again (--wait, --watch) must find a database that came back.
      this.#database = undefined;
      throw error;
    });
    return this.#database;
  }

  async #connectDatabase(): Promise<Database> {
    const [{connectDatabase}, config] = await Promise.all([
      import('../mysql/connect.ts'),
      this.site().then((site) => site.database()),
    ]);
    return connectDatabase(config.value, {timeoutSeconds: this.timeoutSeconds});
  }

  /** The same database on another server: a replica. @throws AtomctlError as for the database itself */
  async replica({host, port}: ReplicaAddress): Promise<Database> {
    const {connectDatabase} = await import('../mysql/connect.ts');
    const {value} = await (await this.site()).database();
    const options = {timeoutSeconds: this.timeoutSeconds};
    const replica = await connectDatabase({...value, host, port, socketPath: null}, options);
    this.#replicas.push(replica);
    return replica;
  }

  /** The site's clock: its zone, and conversions between its wall clock and instants. */
  time(): Promise<SiteTime> {
    this.#time ??= Promise.all([
      import('../atom/site-time.ts'),
      this.site().then((site) => site.timezone()),
    ]).then(([{createSiteTime}, zone]) => createSiteTime(zone.value, this.#options.env));
    return this.#time;
  }

  /** Every Gearman server that the site uses: those of its settings and those that AtoM's compiled cache names. */
  async serverAddresses(): Promise<ServerAddress[]> {
    const site = await this.site();
    const [configured, cached] = await Promise.all([site.gearmanServers(), site.cachedServers()]);
    return [...configured.value, ...cached.value];
  }

  /** The prefixes under which the servers have classes of AtoM. @throws AtomctlError if a server does not answer */
  async #observePrefixes(): Promise<string[]> {
    const [{takeSnapshot}, {isAtomClass}, servers] = await Promise.all([
      import('../queue/snapshot.ts'),
      import('../atom/job-classes.ts'),
      this.servers(),
    ]);
    const {functions, missing} = await takeSnapshot(servers);
    if (missing[0] !== undefined) throw missing[0].error;
    const isAtoms = ({jobClass, total, workers}: (typeof functions)[number]) =>
      isAtomClass(jobClass) && (total > 0 || workers > 0);
    return [...new Set(functions.filter(isAtoms).map(({prefix}) => prefix ?? ''))].sort();
  }

  /** Every Gearman server of the site, each connected or with the reason why not. Never rejects for a server. */
  servers(timeoutSeconds = this.timeoutSeconds): Promise<ServerConnection[]> {
    this.#servers ??= Promise.all([import('../gearman/server.ts'), this.serverAddresses()]).then(
      ([{connectServers}, addresses]) => connectServers(addresses, {timeoutSeconds}),
    );
    return this.#servers;
  }

  /** A sentence for each connected Gearman server with lines that could not be read. Asks nothing. */
  async skippedLines(): Promise<string[]> {
    const connected = (await this.#servers?.catch(() => [])) ?? [];
    const skipping = connected.flatMap((each) =>
      'server' in each && each.server.skippedLines > 0 ? [each] : [],
    );
    if (skipping.length === 0) return [];
    const [{skippedText}, {formatAddress}] = await Promise.all([
      import('../queue/server-report.ts'),
      import('../gearman/address.ts'),
    ]);
    return skipping.map(({address, server}) => skippedText(formatAddress(address), server.skippedLines));
  }

  /** The sites that atomctl's configuration names. @throws AtomctlError USAGE if it is wrong */
  async namedSites(): Promise<NamedSite[]> {
    const {site, env, cwd} = this.#options;
    const {listSites} = await import('../atom/site-file.ts');
    return listSites(site, {env, cwd});
  }

  /** The sites that atomctl's configuration names, but for this one; they connect to nothing. */
  async otherNamedSites(): Promise<Site[]> {
    const {site, env, cwd, callerUid} = this.#options;
    const {resolveSite} = await import('../atom/resolve-site.ts');
    const plain = Object.fromEntries(
      Object.entries(env).filter(([name]) => !CONTAINER_VARIABLES.includes(name)),
    );
    return (await this.namedSites())
      .filter(({name}) => name !== site.site?.value)
      .map(({name, origin}) =>
        resolveSite({config: site.config, site: {value: name, origin}}, {env: plain, cwd, callerUid}),
      );
  }

  /**
   * A context for each site that atomctl's configuration names, by its name.
   * @throws AtomctlError USAGE if it names none, or if a flag or a variable would apply to all of them
   */
  async everySite(): Promise<Map<string, Context>> {
    const {site: given, env} = this.#options;
    refuseSingleSiteValues(given, env);
    const sites = await this.namedSites();
    if (sites.length === 0) {
      throw usageError(
        'The configuration of atomctl has no site.',
        'Add sites to /etc/atomctl/config.yml, or give another file with --config.',
      );
    }
    const {config} = given;
    return new Map(
      sites.map(({name, origin}) => [
        name,
        new Context({...this.#options, site: {config, site: {value: name, origin}}}),
      ]),
    );
  }

  /** The same settings with new connections, which are opened on first use. */
  renewed(): Context {
    const fresh = new Context(this.#options);
    fresh.#site = this.site();
    fresh.#time = this.#time;
    return fresh;
  }

  /** The same settings, read again: a deploy may have moved the site. */
  reread(): Context {
    return new Context(this.#options);
  }

  /** Closes every connection; safe to call twice and after failures. */
  async dispose(): Promise<void> {
    const [servers, database] = await Promise.allSettled([this.#servers, this.#database]);
    if (servers.status === 'fulfilled') {
      for (const connection of servers.value ?? []) if ('server' in connection) connection.server.close();
    }
    const databases = database.status === 'fulfilled' && database.value ? [database.value] : [];
    for (const each of [...databases, ...this.#replicas]) await each.close().catch(() => {});
  }
}

/** AtoM's container environment has precedence over a named site: every site would be that container's. */
const CONTAINER_VARIABLES = [
  'ATOM_MYSQL_DSN',
  'ATOM_MYSQL_USERNAME',
  'ATOM_MYSQL_PASSWORD',
  'ATOM_GEARMAND_HOST',
];

/** `--site` decides alone: a variable that is left over from another site would put that one in its place. */
function refuseVariablesBesideSite(
  {site, config: _, ...values}: SiteOptions,
  env: ContextOptions['env'],
): void {
  if (site?.origin !== '--site') return;
  const origins = Object.values(values).flatMap((setting) => setting?.origin ?? []);
  const variable = [...origins.filter((origin) => !origin.startsWith('--')), ...CONTAINER_VARIABLES].find(
    (name) => env[name],
  );
  if (variable === undefined) return;
  throw usageError(
    `${variable} is set and describes a site, but --site ${site.value} was given.`,
    `Unset it with "unset ${variable}", or omit --site. Nothing was changed.`,
  );
}

/** A value that overrides every named site would show one site several times, under the other sites' names. */
function refuseSingleSiteValues(given: SiteOptions, env: ContextOptions['env']): void {
  const {config: _, site, ...values} = given;
  const named = site?.origin.startsWith('--') ? site : undefined;
  const origins = [named, ...Object.values(values)].flatMap((setting) => setting?.origin ?? []);
  const [origin] = [...origins, ...CONTAINER_VARIABLES.filter((name) => env[name])];
  if (origin === undefined) return;
  throw usageError(
    `${origin} is about one site and cannot be used with --all-sites.`,
    `Remove ${origin}, or choose one site with --site NAME.`,
  );
}

/** Environment variable of each shared flag that describes the site. */
export const SITE_FLAGS = {
  'atom-root': 'ATOMCTL_ROOT',
  'database-url': 'ATOMCTL_DATABASE_URL',
  'defaults-file': 'ATOMCTL_DEFAULTS_FILE',
  gearman: 'ATOMCTL_GEARMAN',
  'function-prefix': 'ATOMCTL_FUNCTION_PREFIX',
  timezone: 'ATOMCTL_TIMEZONE',
  site: 'ATOMCTL_SITE',
  config: 'ATOMCTL_CONFIG',
} as const;

type SiteFlags = Partial<Record<Exclude<keyof typeof SITE_FLAGS, 'gearman'>, string>> & {
  /** From the environment, oclif passes one text; from flags, a list. */
  gearman?: string | string[];
};

/**
 * The site's options with their origins; `typed` holds the names of the flags that are on the command line. oclif leaves out an empty
 * variable: an empty prefix is a value, and nothing else has an empty one.
 */
export function siteOptions(
  flags: SiteFlags,
  typed: ReadonlySet<string>,
  env: ContextOptions['env'],
): SiteOptions {
  const emptyPrefix = env[SITE_FLAGS['function-prefix']] === '' ? '' : undefined;
  function setting<T>(name: keyof typeof SITE_FLAGS, value: T | undefined): Setting<T> | undefined {
    return value === undefined
      ? undefined
      : {value, origin: typed.has(name) ? `--${name}` : SITE_FLAGS[name]};
  }
  return {
    atomRoot: setting('atom-root', flags['atom-root']),
    databaseUrl: setting('database-url', flags['database-url']),
    defaultsFile: setting('defaults-file', flags['defaults-file']),
    gearman: setting('gearman', typeof flags.gearman === 'string' ? [flags.gearman] : flags.gearman),
    functionPrefix: setting('function-prefix', flags['function-prefix'] ?? emptyPrefix),
    timezone: setting('timezone', flags.timezone),
    site: setting('site', flags.site),
    config: setting('config', flags.config),
  };
}
