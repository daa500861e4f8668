import {enabledPlugins} from '../atom/plugins.ts';
import type {SearchServer} from '../atom/search-servers.ts';
import type {SiteTime} from '../atom/site-time.ts';
import {AtomctlError} from '../errors.ts';
import type {ServerConnection} from '../gearman/server.ts';
import type {LocalAccount} from '../host/accounts.ts';
import type {SeenOnServers} from '../host/foreign-prefixes.ts';
import type {ObservedClock} from '../host/observed-clock.ts';
import {readWorkerProcess} from '../host/worker-state.ts';
import type {HostCommands} from '../host-commands.ts';
import {type CrossCheck, crossCheck} from '../jobs/health/cross-check.ts';
import {
  type HostFacts,
  type LiveReport,
  liveStates,
  liveStatesToAct,
  type Recheck,
} from '../jobs/live/live-state.ts';
import type {Database, DatabaseConfig} from '../mysql/database.ts';
import {checkSchema} from '../mysql/schema.ts';
import {reportServer, type ServerReport} from '../queue/server-report.ts';
import type {SitePrefixes} from '../queue/snapshot.ts';
import type {ServiceManager} from '../systemd/systemctl.ts';
import type {UnitState} from '../systemd/unit-state.ts';
import type {StartLimit} from '../worker/start-limit.ts';
import {findLostFiles, type LostFiles} from './evidence/job-files.ts';
import {type JobLog, readJobLogs} from './evidence/job-logs.ts';
import {findLocalServers, type LocalServer} from './evidence/local-gearmand.ts';
import {findWorkerUnits, type WorkerUnit} from './evidence/worker-units.ts';
import {NotAvailable, type Outcome} from './finding.ts';

/** How the doctor reaches a site's servers, and what the site's configuration says. */
export interface SiteAccess {
  /** @throws AtomctlError if it cannot be reached */
  database: () => Promise<Database>;
  databaseConfig: () => Promise<DatabaseConfig>;
  servers: () => Promise<ServerConnection[]>;
  manager: ServiceManager;
  /** What a fix says of starting workers and servers on this host. */
  commands: HostCommands;
  /** How far a unit is from systemd's start limit. */
  readLimit: (unit: UnitState) => Promise<StartLimit>;
  time: SiteTime;
  now: () => Date;
  /** The processes on this host that may be working on the site's jobs. */
  prefixes: SitePrefixes;
  host: HostFacts;
  recheck: Recheck;
  /** null where no AtoM installation was found. */
  root: string | null;
  /** The site's function prefix: null if it is not known, empty if its functions have none. */
  prefix: string | null;
  /** Why the prefix is not known, or where it is from. */
  prefixOrigin: string;
  /** Other prefixes that the site uses too. */
  otherPrefixes: readonly string[];
  /** Of the prefixes that the servers show, those that are known to be other sites'. */
  foreignPrefixes: (seen: SeenOnServers) => Promise<ReadonlySet<string>>;
  /** Where the zone is from; `default` if nothing names one. */
  zoneOrigin: string;
  /** How far the site's wall clock can be trusted. */
  clock: () => Promise<ObservedClock>;
  /** The offset of a zone by the system's own zone data, in milliseconds; null if they do not have it. */
  systemOffsetMs: (zone: string, instant: Date) => Promise<number | null>;
  /** gearman.yml's `worker_types`. */
  workerTypes: Readonly<Record<string, readonly string[]>>;
  /** The search servers that search.yml names. @throws AtomctlError USAGE if it is wrong */
  searchServers: () => Promise<SearchServer[]>;
  /** An account of this host, by name or id; null if there is none. */
  account: (user: string) => Promise<LocalAccount | null>;
  /** For each connection and reply. */
  timeoutSeconds: number;
  /** A database was given, and the root names another one: its files are another site's. */
  rootOfOtherDatabase: () => Promise<boolean>;
  /** The downloads directory; null where there is none. */
  downloads: string | null;
  /** A job whose log has been silent for longer counts as stuck. */
  stuckAfterSeconds: number;
}

/**
 * What several checks rest on. Each is collected once, when it is first asked for. If it cannot be collected, it throws
 * NotAvailable, except for `connection`.
 */
export interface SiteEvidence {
  readonly access: SiteAccess;
  /** @throws AtomctlError if the database cannot be reached */
  connection(): Promise<Database>;
  /** The database, known to be AtoM's and readable. */
  database(): Promise<Database>;
  /** What each Gearman server reports, in the order of the site's configuration. */
  reports(): Promise<ServerReport[]>;
  /** Those that answered: at least one. */
  answering(): Promise<ServerReport[]>;
  live(): Promise<LiveReport>;
  /** As live, for a fix: a state that lacks only time is proved ten seconds later. */
  liveToAct(): Promise<LiveReport>;
  /** What Gearman has that no row explains, and workers that execute nothing while jobs wait. */
  crossCheck(): Promise<CrossCheck>;
  /** The plugins of AtoM that are on; null if that is not known. */
  plugins(): Promise<ReadonlySet<string> | null>;
  /** The logs of the running jobs and of the newest others, by job id. */
  logs(): Promise<Map<number, JobLog>>;
  /** The files under downloads/jobs against the jobs. */
  files(): Promise<LostFiles>;
  units(): Promise<WorkerUnit[]>;
  /** The Gearman servers that run on this host: at least one. */
  localServers(): Promise<LocalServer[]>;
}

export function collectSiteEvidence(access: SiteAccess): SiteEvidence {
  const site: SiteEvidence = {
    access,
    connection: once(access.database),
    database: once(() => readableDatabase(site)),
    reports: once(async () => Promise.all((await access.servers()).map(reportServer))),
    answering: once(() => answeringServers(site)),
    live: once(async () =>
      liveStates({...access, database: await site.database(), servers: await access.servers()}),
    ),
    liveToAct: once(async () =>
      liveStatesToAct(
        {...access, database: await site.database(), servers: await access.servers()},
        access.recheck,
      ),
    ),
    crossCheck: once(async () => {
      const [database, servers] = [await site.database(), await access.servers()];
      return crossCheck(await site.live(), {
        database,
        servers,
        again: () => liveStates({...access, database, servers}),
        now: access.now,
        wait: access.recheck.wait,
        workerProcess: readWorkerProcess,
      });
    }),
    plugins: once(async () => enabledPlugins(await site.database()).catch(() => null)),
    logs: once(async () => readJobLogs(await site.database())),
    files: once(() => comparedFiles(site)),
    units: once(() => findWorkerUnits(access)),
    localServers: once(async () => findLocalServers(await access.servers())),
  };
  return site;
}

/** The checks of the connection and of the schema report what failed; the others are skipped. */
async function readableDatabase(site: SiteEvidence): Promise<Database> {
  const database = await connectedDatabase(site);
  await checkSchema(database).catch((error: unknown) =>
    skipFor(error, 'The database is not a database of AtoM, or it cannot be read.'),
  );
  return database;
}

/** The database, which may not be AtoM's. @throws NotAvailable if it cannot be reached */
export function connectedDatabase(site: SiteEvidence): Promise<Database> {
  return site.connection().catch((error: unknown) => skipFor(error, 'The database cannot be reached.'));
}

function skipFor(error: unknown, reason: string): never {
  throw error instanceof AtomctlError && error.code !== 'USAGE' ? new NotAvailable(reason, error) : error;
}

async function answeringServers(site: SiteEvidence): Promise<ServerReport[]> {
  const reports = await site.reports();
  const answering = reports.filter(({reachable}) => reachable);
  if (answering.length === 0) {
    const error = reports[0]?.error ?? null;
    throw new NotAvailable('No Gearman server answers.', error === null ? null : {message: error});
  }
  return answering;
}

async function comparedFiles(site: SiteEvidence): Promise<LostFiles> {
  const {downloads, rootOfOtherDatabase} = site.access;
  if (await rootOfOtherDatabase())
    throw new NotAvailable(
      'The AtoM root uses another database than the given one, so atomctl does not compare its files.',
    );
  if (downloads === null) {
    throw new NotAvailable('The downloads directory of this site was not found: give --atom-root.');
  }
  return findLostFiles({database: await site.database(), downloads});
}

/** Runs `make` when first called and gives every caller the same promise. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** One check of the doctor. */
export interface Check {
  /** Stable: scripts and `--skip` name it. */
  id: string;
  title: string;
  /** @throws NotAvailable if the evidence is not available; AtomctlError if a server fails */
  run(site: SiteEvidence): Promise<Outcome>;
}
