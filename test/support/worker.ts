import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import type {AtomSite} from './atom-site.ts';
import {type ServerProcess, spawnServer} from './server-process.ts';

const SCRIPT = fileURLToPath(new URL('./atom-worker.mjs', import.meta.url));

/**
 * A running worker. `stop` sends SIGTERM, to which AtoM's worker exits with 0 at once; after `kill`, Gearman sees
 * the connection go and hands the worker's job out again.
 */
export interface WorkerProcess extends ServerProcess {
  /** The ids of the jobs that it started, in order; an id twice was run twice. */
  started(): number[];
}

/**
 * Starts a worker of the site; it is registered at every server of the site once this resolves.
 * @param args as `jobs:worker` takes them, e.g. `--abilities=arFileImportJob`
 */
export async function startWorker(site: AtomSite, args: readonly string[] = []): Promise<WorkerProcess> {
  const worker = spawnServer(process.execPath, [SCRIPT, site.root, ...args]);
  while (!worker.output().includes('Running worker...')) {
    if (worker.exited()) throw new Error(`The worker did not start: ${worker.output()}`);
    await sleep(10);
  }
  return {...worker, started: () => startedIds(worker.output())};
}

function startedIds(output: string): number[] {
  return [...output.matchAll(/Job (\d+) ".*": Job started\./g)].map((match) => Number(match[1]));
}
