import type {ServerAddress} from '../gearman/address.ts';
import type {DatabaseConfig, Queryable} from '../mysql/database.ts';
import type {PhpOptions} from '../php/run-php.ts';
import type {SearchServer} from './search-servers.ts';
import type {ZoneEnvironment} from './zone.ts';

/** A configured value and its origin: `--timezone`, `ATOMCTL_TIMEZONE`, `config/config.php`, `default`. */
export interface Setting<T> {
  value: T;
  origin: string;
}

/** What the user gave, by flag or atomctl's environment; the names are those of the shared flags. */
export interface SiteOptions {
  atomRoot?: Setting<string>;
  databaseUrl?: Setting<string>;
  defaultsFile?: Setting<string>;
  gearman?: Setting<string[]>;
  functionPrefix?: Setting<string>;
  timezone?: Setting<string>;
  site?: Setting<string>;
  /** atomctl's own configuration file, instead of the usual ones. */
  config?: Setting<string>;
}

/** What a site is found with besides the options; tests give their own. */
export interface SiteSurroundings extends PhpOptions {
  cwd: string;
  /** The user id that atomctl runs as, whose own AtoM root is trusted. */
  callerUid: number;
  /** Node's own environment, with which zones are checked faster; absent: see knownZone. */
  zoneEnv?: ZoneEnvironment;
  /** Where AtoM may be installed; absent: USUAL_PLACES. */
  usualPlaces?: readonly string[];
  /** The site's database, for a prefix that AtoM makes from it; absent if it must not be connected to. */
  connect?: () => Promise<Queryable>;
  /**
   * The prefixes under which the site's Gearman servers have classes of AtoM, the empty text for none; absent if they
   * must not be connected to. It rejects if a server does not answer.
   */
  observePrefixes?: () => Promise<readonly string[]>;
  /** atomctl's own configuration files, low to high; absent: the system's and the user's. */
  siteFiles?: readonly string[];
}

/**
 * One AtoM site. Each value is resolved when it is first requested, so a command that needs no database does not fail
 * on config.php. Each method throws AtomctlError USAGE (a value is wrong: the message names it and its origin, and no
 * lower source is tried) or NO_SITE (nothing gives the value).
 *
 * Precedence: flag, atomctl's environment, AtoM's container environment, the named site, AtoM's files, default.
 */
export interface Site {
  /** Absolute, symbolic links resolved, no trailing slash; null if no AtoM installation was found. */
  root(): Promise<Setting<string | null>>;
  /** The root. Rejects with NO_SITE if there is none: where it was looked for, and which sites are configured. */
  requireRoot(): Promise<string>;
  database(): Promise<Setting<DatabaseConfig>>;
  gearmanServers(): Promise<Setting<ServerAddress[]>>;
  /**
   * Servers that AtoM's compiled cache names and that gearmanServers does not have: until the cache is cleared, AtoM
   * uses these. Empty if the servers were given, or if there is no root.
   */
  cachedServers(): Promise<Setting<ServerAddress[]>>;
  /**
   * 32 hex digits without the dash (see computeFunctionPrefix); empty if the functions have none, null if it can
   * neither be computed nor was given: `origin` says why. It connects to the database or to Gearman only if it cannot
   * be known otherwise: AtoM 2.3.0 to 2.5.1; `auto`; a site without a root. A root that names another database than the
   * one that was given is another site's, and so is its prefix: null.
   */
  functionPrefix(): Promise<Setting<string | null>>;
  /**
   * Other prefixes that this site uses too: those of the compiled cache and of the other environments. Empty if the
   * prefix was given, or if there is no root.
   */
  otherPrefixes(): Promise<string[]>;
  /**
   * Servers that AtoM's files or its compiled cache name, and that other servers given by flag, variable or
   * configuration file replace. Empty if none were given, or if there is no root.
   */
  serversNotAsked(): Promise<ServerAddress[]>;
  /** Why the servers may not be those that the site uses, one sentence; null if they are. */
  serversDoubt(): Promise<string | null>;
  /** When what names servers and prefix was modified: see configModifiedMs; null if there is no root. */
  configModifiedMs(): Promise<number | null>;
  /** The configuration file of atomctl says `workers: this-host`. */
  workersStatedHere(): Promise<boolean>;
  /** An IANA zone that this Node knows, for instance `America/Vancouver`. */
  timezone(): Promise<Setting<string>>;
  /** The job classes that gearman.yml's worker_types lists, by type; empty if there is no root. */
  workerTypes(): Promise<Setting<Record<string, string[]>>>;
  /** The root surely is another site's: a database was given, and the root names another one. */
  rootOfOtherDatabase(): Promise<boolean>;
  /** The search servers that search.yml names: see readSearchServers. Empty if there is no root. */
  searchServers(): Promise<SearchServer[]>;
  /** The downloads directory, which may be a symbolic link; null if there is no root or it does not exist. */
  downloads(): Promise<string | null>;
}
