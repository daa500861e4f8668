import type {ServerAddress} from '../gearman/address.ts';
import type {DatabaseConfig} from '../mysql/database.ts';
import type {PhpOptions} from '../php/run-php.ts';
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
  database(): Promise<Setting<DatabaseConfig>>;
  gearmanServers(): Promise<Setting<ServerAddress[]>>;
  /**
   * `md5(root . workers_key)` in hex, without the dash; empty if the functions have none (AtoM before 2.5.2),
   * null if it cannot be computed and was not given.
   */
  functionPrefix(): Promise<Setting<string | null>>;
  /** An IANA zone that this Node knows, for instance `America/Vancouver`. */
  timezone(): Promise<Setting<string>>;
  /** The job classes that gearman.yml's worker_types lists, by type; empty if there is no root. */
  workerTypes(): Promise<Setting<Record<string, string[]>>>;
  /** The downloads directory, symbolic links resolved; null if there is no root or it does not exist. */
  downloads(): Promise<string | null>;
}
