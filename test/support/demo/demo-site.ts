import {mkdir, symlink} from 'node:fs/promises';
import {join} from 'node:path';
import {cleanEnvironment, NPM_ENTRY} from '../atomctl/run-atomctl.ts';
import {createScratch, removeScratch} from '../scratch.ts';
import {startGearmand} from '../servers/gearmand.ts';
import {startMariadb} from '../servers/mariadb.ts';
import {type AtomSite, createAtomSite} from '../site/atom-site.ts';
import {until} from '../until.ts';
import {startWorker} from '../workers/worker.ts';
import {type DemoJobs, insertHistory, submitPresent} from './fill-site.ts';

export interface DemoSite {
  site: AtomSite;
  jobs: DemoJobs;
  /** A shell's environment in which `atomctl` is on the path and finds the site. */
  env: NodeJS.ProcessEnv;
  /** A directory to work in, gone afterwards. */
  cwd: string;
  /** Ends every server and removes every file. */
  remove(): Promise<void>;
}

/** Brings up a MariaDB, a gearmand, a site with three months of jobs, and a worker that is busy. */
export async function createDemoSite(): Promise<DemoSite> {
  const [mariadb, gearmand] = await Promise.all([startMariadb(), startGearmand()]);
  const site = await createAtomSite(mariadb, {gearman: [gearmand.endpoint], timezone: 'America/Los_Angeles'});
  const now = new Date();
  const history = await insertHistory(site, now);
  const present = await submitPresent(site, now);
  const worker = await startWorker(site);
  await until(() => worker.started().includes(present.executing));
  const cwd = createScratch('demo');
  return {
    site,
    jobs: {...history, ...present},
    env: await shellEnvironment(site, cwd),
    cwd,
    remove: async () => {
      await worker.stop();
      await site.drop();
      await Promise.all([gearmand.stop(), mariadb.stop()]);
      removeScratch();
    },
  };
}

async function shellEnvironment(site: AtomSite, cwd: string): Promise<NodeJS.ProcessEnv> {
  const bin = join(cwd, '.bin');
  await mkdir(bin);
  await symlink(NPM_ENTRY, join(bin, 'atomctl'));
  return {
    ...cleanEnvironment(site.env),
    PATH: `${bin}:${process.env.PATH}`,
    XDG_CONFIG_HOME: join(cwd, '.config'),
    XDG_STATE_HOME: join(cwd, '.state'),
    ATOMCTL_AUDIT_LOG: join(cwd, 'audit.log'),
  };
}
