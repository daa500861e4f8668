/** What integration and end-to-end tests start from: real servers of their own, sites with AtoM's schema. */
import {inject} from 'vitest';
import {type AtomSite, type AtomSiteOptions, createAtomSite} from './site/atom-site.ts';

export {
  ATOMCTL,
  cleanEnvironment,
  commandLine,
  EXECUTABLE,
  type RunOptions,
  type RunResult,
  runAtomctl,
  runOnTerminal,
} from './atomctl/run-atomctl.ts';
export {type StartedAtomctl, startAtomctl} from './atomctl/start-atomctl.ts';
export {createScratch} from './scratch.ts';
export {type GearmanProcess, startGearmand, startPerlGearmand} from './servers/gearmand.ts';
export {ATOM_PASSWORD, type MariadbConnection, type MariadbProcess, startMariadb} from './servers/mariadb.ts';
export {freePort} from './servers/server-process.ts';
export {type SubmittedJob, submitBackground, submitJob} from './servers/submit-job.ts';
export {ADMIN_ID, type InsertJob, type InsertNote} from './site/atom-jobs.ts';
export {WORKER_CLASSES} from './site/atom-root.ts';
export type {AtomSite, AtomSiteOptions} from './site/atom-site.ts';
export {until} from './until.ts';
export {startWorker, type WorkerProcess} from './workers/worker.ts';

/** Creates a site on the run's MariaDB; drop it in `afterAll`. */
export function createSite(options: AtomSiteOptions = {}): Promise<AtomSite> {
  return createAtomSite(inject('mariadb'), options);
}
