import type {JobDetails} from '../jobs/job.ts';
import {LIVE_STATES, STATUSES} from '../jobs/status.ts';
import {formatDuration} from './duration.ts';
import {JOB_COLUMNS, wallClock} from './job-columns.ts';
import {sanitizeBlock, sanitizeLine} from './sanitize.ts';
import {paint, type Screen} from './screen.ts';

/** The job details page: overview, notes, errors, the whole log. */
export function renderJobDetails(job: JobDetails, screen: Screen): string {
  const log = job.log === '' ? '  (empty)' : sanitizeBlock(job.log).replace(/\n+$/, '');
  return `${renderJobOverview(job, screen)}${log}\n`;
}

/** The page down to the heading of the log, which is to follow. */
export function renderJobOverview(job: Omit<JobDetails, 'log' | 'parameters'>, screen: Screen): string {
  const status = paint(screen, STATUSES[job.status].color, job.status);
  const live =
    job.live === null
      ? ''
      : `, ${paint(screen, LIVE_STATES[job.live].color, job.live)}: ${LIVE_STATES[job.live].meaning}`;
  const overview: [string, string][] = [
    ['Name', sanitizeLine(job.name)],
    ['Status', `${status}${live}`],
    ['Started', wallClock(job.startedAt)],
    ['Finished', wallClock(job.finishedAt)],
    ['Duration', formatDuration(job.durationSeconds)],
    ['Last activity', wallClock(job.lastActivityAt)],
    ['User', sanitizeLine(job.user ?? '')],
    ['Object', sanitizeLine(JOB_COLUMNS.object.text(job))],
    ['Download', sanitizeLine(job.downloadPath ?? '')],
  ];
  const lines = [paint(screen, 'bold', `Job ${job.id}`)];
  for (const [label, value] of overview) if (value !== '') lines.push(`  ${`${label}:`.padEnd(15)}${value}`);
  const errors = job.notes.filter(({error}) => error);
  const notes = job.notes.filter(({error}) => !error);
  lines.push(
    ...section(
      'Notes',
      notes.map(({text}) => text),
      screen,
    ),
  );
  lines.push(
    ...section(
      'Errors',
      errors.map(({text}) => text),
      screen,
    ),
  );
  lines.push('', paint(screen, 'bold', 'Log'));
  return `${lines.join('\n')}\n`;
}

function section(title: string, texts: readonly string[], screen: Screen): string[] {
  if (texts.length === 0) return [];
  return [
    '',
    paint(screen, 'bold', title),
    ...texts.map((text) => `  ${sanitizeBlock(text).replace(/\n/g, '\n  ')}`),
  ];
}
