import {NPM_ENTRY} from '../support/atomctl/run-atomctl.ts';
import {type GearmanProcess, startGearmand} from '../support/servers/gearmand.ts';
import {type MariadbProcess, startMariadb} from '../support/servers/mariadb.ts';
import {submitJob} from '../support/servers/submit-job.ts';
import {type AtomSite, createAtomSite} from '../support/site/atom-site.ts';
import {startWorker, type WorkerProcess} from '../support/workers/worker.ts';
import type {Contestant} from './contest.ts';

/** The servers that all is measured on, and sites on them by their number of jobs, each made when first asked for. */
export interface Rig {
  gearman: string;
  site(jobs: number): Promise<AtomSite>;
  /** A site whose jobs are running rows that wait in Gearman, where no worker takes them. */
  waitingSite(jobs: number): Promise<AtomSite>;
  /** @param gearman another server than that of the rig, as `host:port` */
  emptySite(gearman?: string): Promise<AtomSite>;
  /** MariaDB's socket, where `root` needs no password. */
  socketPath: string;
  end(): Promise<void>;
}

/** What Debian's MariaDB does: a commit is on the disk. The servers of the tests do without. */
const SAFE = [
  '--innodb-flush-method=O_DIRECT',
  '--innodb-flush-log-at-trx-commit=1',
  '--innodb-doublewrite=ON',
  '--innodb-stats-persistent=ON',
];

export async function startRig(): Promise<Rig> {
  const [mariadb, gearmand] = await Promise.all([startMariadb(SAFE), startGearmand()]);
  const create = (gearman = gearmand.endpoint) => createAtomSite(mariadb, {gearman: [gearman]});
  const sites = new Map<number, Promise<AtomSite>>();
  const seeded = async (jobs: number) => {
    const site = await create();
    await site.seedJobs(jobs);
    return site;
  };
  const site = (jobs: number) => {
    if (!sites.has(jobs)) sites.set(jobs, seeded(jobs));
    return sites.get(jobs)!;
  };
  const worker = await startWorker(await site(50));
  return {
    gearman: gearmand.endpoint,
    socketPath: mariadb.socketPath,
    site,
    waitingSite: async (jobs) => {
      const waiting = await create();
      for (let job = 0; job < jobs; job++) await submitJob(waiting);
      return waiting;
    },
    emptySite: create,
    end: () => endAll(worker, gearmand, mariadb),
  };
}

async function endAll(...processes: (WorkerProcess | GearmanProcess | MariadbProcess)[]): Promise<void> {
  await Promise.all(processes.map((process) => process.kill()));
}

/** The words that start atomctl as npm installs it. */
const NPM = [process.execPath, NPM_ENTRY];

/** atomctl as it is installed, on a site or on none. */
export function atomctl(args: string, site?: AtomSite, words: readonly string[] = NPM): Contestant {
  const [command, ...rest] = [...words, ...args.split(' ')];
  return {command: command!, args: rest, env: site?.env ?? {}};
}

/** Plain SQL, by MariaDB's own client, which with `--quick` holds no more than a row. */
export function sql({socketPath}: Rig, {databaseName}: AtomSite, statements: string): Contestant {
  const login = ['--no-defaults', `--socket=${socketPath}`, '--user=root'];
  return {
    command: 'mariadb',
    args: [...login, '--batch', '--quick', `--execute=${statements}`, databaseName],
  };
}
