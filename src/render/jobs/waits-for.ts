import type {SiteTime} from '../../atom/site-time.ts';
import type {BusyWorker, WorkersJob} from '../../jobs/live/busy-workers.ts';
import {sanitizeLine} from '../sanitize.ts';

const SHOWN = 3;

/** What a queued job waits for: the workers that can run it, and what each of them executes. */
export function waitsFor(workers: readonly BusyWorker[], time: Pick<SiteTime, 'toWall'>): string {
  if (workers.length === 0) return 'a worker; no worker that can run it is connected: atomctl queue:status';
  const each = workers.slice(0, SHOWN).map((worker) => workerText(worker, time));
  const rest = workers.length - SHOWN;
  return sanitizeLine(`${each.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`);
}

function workerText({id, pid, ip, executes, mayExecute}: BusyWorker, time: Pick<SiteTime, 'toWall'>): string {
  const who = `${pid === null ? id : `process ${pid}`} on ${ip}`;
  if (executes !== null) return `${who}, which executes ${jobText(executes, time)}`;
  if (mayExecute.length === 0) return who;
  return `${who}, which may execute job ${mayExecute.map((job) => job.id).join(' or ')}`;
}

function jobText({id, name, begunMs}: WorkersJob, time: Pick<SiteTime, 'toWall'>): string {
  const since = begunMs === null ? '' : ` since ${time.toWall(new Date(begunMs))}`;
  return `job ${id} (${name})${since}`;
}
