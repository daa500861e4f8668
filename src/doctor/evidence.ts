import type {SiteTime} from '../atom/site-time.ts';
import {AtomctlError} from '../errors.ts';
import type {ServerConnection} from '../gearman/server.ts';
import {type LiveReport, liveStates} from '../jobs/live/live-state.ts';
import type {Database, DatabaseConfig} from '../mysql/database.ts';
import {checkSchema} from '../mysql/schema.ts';
import type {SiteProcesses} from '../processes/site-processes.ts';
import {reportServer, type ServerReport} from '../queue/server-report.ts';
import type {ServiceManager} from '../systemd/systemctl.ts';
import type {UnitState} from '../systemd/unit-state.ts';
import type {StartLimit} from '../worker/start-limit.ts';
import {findLostFiles, type LostFiles} from './evidence/job-files.ts';
import {type JobLog, readJobLogs} from './evidence/job-logs.ts';
import {findLocalServers, type LocalServer} from './evidence/local-gearmand.ts';
import {findWorkerUnits, type WorkerUnit} from './evidence/worker-units.ts';
import {NotExamined, type Outcome} from './finding.ts';

/** A site as the doctor meets it: how to reach its servers, and what its configuration says. */
export interface Patient {
  /** @throws AtomctlError where it cannot be reached */
  database: () => Promise<Database>;
  databaseConfig: () => Promise<DatabaseConfig>;
  servers: () => Promise<ServerConnection[]>;
  manager: ServiceManager;
  /** Where a unit stands with systemd's start limit. */
  readLimit: (unit: UnitState) => Promise<StartLimit>;
  time: SiteTime;
  now: () => Date;
  /** The processes on this host that may be working on the site's jobs. */
  siteProcesses: () => Promise<SiteProcesses>;
  /** null where no AtoM installation was found. */
  root: string | null;
  /** The site's function prefix: null where it is not known, empty where its functions have none. */
  prefix: string | null;
  /** gearman.yml's `worker_types`. */
  workerTypes: Readonly<Record<string, readonly string[]>>;
  /** The downloads directory; null where there is none. */
  downloads: string | null;
  /** A job whose log has been silent for longer counts as stuck. */
  stuckAfterSeconds: number;
}

/**
 * One look at a site. What several checks rest on is gathered when it is first asked for, and once. Where it cannot
 * be had it throws NotExamined, except for `connection`.
 */
export interface Examination {
  readonly patient: Patient;
  /** @throws AtomctlError where the database cannot be reached */
  connection(): Promise<Database>;
  /** The database, known to be AtoM's and readable. */
  database(): Promise<Database>;
  /** What each Gearman server said, in the order of the site's configuration. */
  reports(): Promise<ServerReport[]>;
  /** Those that answered: at least one. */
  answering(): Promise<ServerReport[]>;
  live(): Promise<LiveReport>;
  /** The logs of the running jobs and of the newest others, by job id. */
  logs(): Promise<Map<number, JobLog>>;
  /** The files under downloads/jobs against the jobs. */
  files(): Promise<LostFiles>;
  units(): Promise<WorkerUnit[]>;
  /** The Gearman servers that run on this host: at least one. */
  localServers(): Promise<LocalServer[]>;
}

export function startExamination(patient: Patient): Examination {
  const examination: Examination = {
    patient,
    connection: once(patient.database),
    database: once(() => readableDatabase(examination)),
    reports: once(async () => Promise.all((await patient.servers()).map(reportServer))),
    answering: once(() => answeringServers(examination)),
    live: once(async () =>
      liveStates({...patient, database: await examination.database(), servers: await patient.servers()}),
    ),
    logs: once(async () => readJobLogs(await examination.database())),
    files: once(() => comparedFiles(examination)),
    units: once(() => findWorkerUnits(patient)),
    localServers: once(async () => findLocalServers(await patient.servers())),
  };
  return examination;
}

/** What failed is told by the checks of the connection and of the schema; the others are skipped. */
async function readableDatabase(examination: Examination): Promise<Database> {
  const database = await connectedDatabase(examination);
  await checkSchema(database).catch((error: unknown) =>
    skipFor(error, "The database is not AtoM's, or cannot be read."),
  );
  return database;
}

/** The database, whatever is in it. @throws NotExamined where it cannot be reached */
export function connectedDatabase(examination: Examination): Promise<Database> {
  return examination
    .connection()
    .catch((error: unknown) => skipFor(error, 'The database cannot be reached.'));
}

function skipFor(error: unknown, reason: string): never {
  throw error instanceof AtomctlError && error.code !== 'USAGE' ? new NotExamined(reason) : error;
}

async function answeringServers(examination: Examination): Promise<ServerReport[]> {
  const answering = (await examination.reports()).filter(({reachable}) => reachable);
  if (answering.length === 0) throw new NotExamined('No Gearman server answers.');
  return answering;
}

async function comparedFiles(examination: Examination): Promise<LostFiles> {
  const {downloads} = examination.patient;
  if (downloads === null) {
    throw new NotExamined('The downloads directory of this site was not found: give --atom-root.');
  }
  return findLostFiles({database: await examination.database(), downloads});
}

/** Runs `make` when first called and gives every caller the same promise. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** One thing that the doctor looks at. */
export interface Check {
  /** Stable: scripts and `--skip` name it. */
  id: string;
  title: string;
  /** @throws NotExamined where what it needs cannot be had; AtomctlError where a server fails it */
  examine(examination: Examination): Promise<Outcome>;
}
