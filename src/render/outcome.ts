import type {Job} from '../jobs/job.ts';
import {LIVE_STATES, STATUSES} from '../jobs/status.ts';
import type {Waited} from '../jobs/wait.ts';
import {formatDuration} from './duration.ts';
import {sanitizeLine} from './sanitize.ts';
import {paint, type Screen} from './screen.ts';

/** A line for each job that was waited for. */
export function renderWaited({jobs, deleted}: Waited, screen: Screen): string {
  return [...jobs.map((job) => renderOutcome(job, screen)), ...deleted.map(renderDeleted)].join('');
}

/** `Job 12: error after 5s: disk full`, one line. */
export function renderOutcome(job: Job, screen: Screen): string {
  const duration = formatDuration(job.durationSeconds);
  const errors = job.notes.filter(({error}) => error).map(({text}) => `: ${sanitizeLine(text)}`);
  const {color, finished} = STATUSES[job.status];
  const status = paint(screen, color, job.status);
  if (finished) return `Job ${job.id}: ${status}${duration && ` after ${duration}`}${errors.join('')}\n`;
  const time = duration && ` for ${duration}`;
  if (job.live === null) return `Job ${job.id}: ${status}${time}\n`;
  const live = paint(screen, LIVE_STATES[job.live].color, job.live);
  return `Job ${job.id}: ${status}${time}, ${live}: ${LIVE_STATES[job.live].meaning}\n`;
}

/** The line for a job whose row somebody deleted meanwhile. */
export function renderDeleted(id: number): string {
  return `Job ${id}: deleted meanwhile; how it ended is not known\n`;
}

/** `Waiting for 3 jobs: 1 completed, 1 executing, 1 queued`, in plain characters. */
export function renderWaiting({jobs, deleted}: Waited): string {
  const counts = new Map<string, number>();
  for (const {status, live} of jobs) counts.set(live ?? status, (counts.get(live ?? status) ?? 0) + 1);
  if (deleted.length > 0) counts.set('deleted', deleted.length);
  const total = jobs.length + deleted.length;
  const states = [...counts].map(([state, count]) => `${count} ${state}`);
  return `Waiting for ${total === 1 ? 'one job' : `${total} jobs`}: ${states.join(', ')}`;
}
