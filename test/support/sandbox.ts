/** What integration and end-to-end tests start from: real servers of their own, sites with AtoM's schema. */
import {inject} from 'vitest';
import {type AtomSite, type AtomSiteOptions, createAtomSite} from './atom-site.ts';

export {ADMIN_ID, type InsertJob, type InsertNote} from './atom-jobs.ts';
export {WORKER_CLASSES} from './atom-root.ts';
export type {AtomSite, AtomSiteOptions} from './atom-site.ts';
export {type GearmanProcess, startGearmand, startPerlGearmand} from './gearmand.ts';
export {ATOM_PASSWORD, type MariadbConnection, type MariadbProcess, startMariadb} from './mariadb.ts';
export {
  ATOMCTL,
  cleanEnvironment,
  type RunOptions,
  type RunResult,
  runAtomctl,
  runOnTerminal,
} from './run-atomctl.ts';
export {createScratch} from './scratch.ts';
export {freePort} from './server-process.ts';
export {type SubmittedJob, submitBackground, submitJob} from './submit-job.ts';
export {until} from './until.ts';
export {startWorker, type WorkerProcess} from './worker.ts';

/** Creates a site on the run's MariaDB; drop it in `afterAll`. */
export function createSite(options: AtomSiteOptions = {}): Promise<AtomSite> {
  return createAtomSite(inject('mariadb'), options);
}
