import {formatDuration} from '../../duration.ts';
import {type Job, type JobDetails, LIVE_STATES, STATUSES} from '../../jobs/model/job.ts';
import type {Waited} from '../../jobs/wait/wait.ts';
import {sanitizeBlock, sanitizeLine} from '../sanitize.ts';
import {paint, type Screen} from '../screen.ts';
import {wrap, wrapSentences} from '../wrap.ts';
import {JOB_COLUMNS, wallClock} from './columns.ts';

/**
 * The job details page: overview, notes, errors, the last `tail` lines of the log.
 * @param options.waits what a queued job waits for; otherwise empty
 * @param options.goesOn that a worker executes it although its row has ended; otherwise empty
 * @param options.again how a job that failed or is lost is run again; otherwise empty
 */
export function renderJobDetails(
  job: JobDetails,
  screen: Screen,
  {
    tail,
    waits = '',
    goesOn = '',
    again = '',
  }: {tail: number; waits?: string; goesOn?: string; again?: string},
): string {
  const lines = logLines(shortLog(job.log, job));
  const shown = lastLines(lines, tail);
  const part =
    shown.length < lines.length ? `: the last ${shown.length} of ${lines.length} lines; --log shows all` : '';
  const log = lines.length === 0 ? ['  (empty)'] : shown;
  return `${renderJobOverview(job, screen, {part, waits, goesOn, again})}${log.map((line) => `${line}\n`).join('')}`;
}

/** The log as AtoM stored it and nothing else, or its last `tail` lines. */
export function renderLog({log}: Pick<JobDetails, 'log'>, tail: number | undefined): string {
  const lines = logLines(log);
  return lastLines(lines, tail ?? lines.length)
    .map((line) => `${line}\n`)
    .join('');
}

function logLines(log: string): string[] {
  return log === '' ? [] : sanitizeBlock(log).trimEnd().split('\n');
}

function lastLines(lines: readonly string[], count: number): readonly string[] {
  return count === 0 ? [] : lines.slice(-count);
}

/** Without the id and the name of the job, which AtoM repeats in every line. */
export function shortLog(log: string, {id, name}: Pick<Job, 'id' | 'name'>): string {
  return log.replaceAll(`] Job ${id} "${name}": `, '] ');
}

const LABEL = 15;
/** Between the lines of a value. */
const BELOW = `\n${' '.repeat(2 + LABEL)}`;

/** The page down to the heading of the log, which says which part of it follows. */
export function renderJobOverview(
  job: Omit<JobDetails, 'log' | 'parameters'>,
  screen: Screen,
  {part = '', waits = '', goesOn = '', again = ''} = {},
): string {
  const status = paint(screen, STATUSES[job.status].color, job.status);
  const live =
    job.live === null
      ? ''
      : `, ${paint(screen, LIVE_STATES[job.live].color, job.live)}: ${LIVE_STATES[job.live].meaning}`;
  const overview: [string, string][] = [
    ['Name', sanitizeLine(job.name)],
    ['Status', `${status}${live}${job.likely === null ? '' : `; likely ${job.likely}`}`],
    ['Why', sanitizeLine(job.liveReason ?? '')],
    ['Waits for', waits],
    ['Still runs', sanitizeLine(goesOn)],
    ['Started', wallClock(job.startedAt)],
    ['Begun', begunText(job)],
    ['Finished', wallClock(job.finishedAt)],
    ['Duration', formatDuration(job.durationSeconds)],
    ['Last activity', wallClock(job.lastActivityAt)],
    ['User', sanitizeLine(job.user ?? '')],
    ['Object', sanitizeLine(JOB_COLUMNS.object.text(job))],
    ['Download', sanitizeLine(job.downloadPath ?? '')],
    ['Run again', sanitizeLine(again)],
  ];
  const lines = [paint(screen, 'bold', `Job ${job.id}`)];
  for (const [label, value] of overview) {
    if (value !== '')
      lines.push(`  ${`${label}:`.padEnd(LABEL)}${wrap(value, screen.width - 2 - LABEL).join(BELOW)}`);
  }
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
  lines.push('', `${paint(screen, 'bold', 'Log')}${part}`);
  return `${lines.join('\n')}\n`;
}

/** `2026-11-23 02:43:01, after waiting 16s`. */
function begunText({begunAt, waitedSeconds}: Job): string {
  const waited = waitedSeconds === null ? '' : `, after waiting ${formatDuration(waitedSeconds)}`;
  return `${wallClock(begunAt)}${waited}`;
}

function section(title: string, texts: readonly string[], screen: Screen): string[] {
  if (texts.length === 0) return [];
  return [
    '',
    paint(screen, 'bold', title),
    ...texts.map(
      (text) => `  ${wrapSentences(sanitizeBlock(text), screen.width - 2).replace(/\n/g, '\n  ')}`,
    ),
  ];
}

/** Printed before a followed log. */
export function renderFollowed(job: Job, screen: Screen): string {
  return renderJobOverview({...job, lastActivityAt: null}, screen);
}

/** Printed after a followed log. */
export function renderFollowEnd(job: Job, end: 'finished' | 'lost' | 'deleted', screen: Screen): string {
  return `\n${end === 'deleted' ? renderDeleted(job.id) : renderOutcome(job, screen)}`;
}

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

/** The line for a job whose row was deleted while atomctl waited. */
export function renderDeleted(id: number): string {
  return `Job ${id}: deleted meanwhile; how it ended is not known\n`;
}

/** `Waiting for 3 jobs: 1 completed, 1 executing, 1 queued`, without colour. */
export function renderWaiting({jobs, deleted}: Waited): string {
  const counts = new Map<string, number>();
  for (const {status, live} of jobs) counts.set(live ?? status, (counts.get(live ?? status) ?? 0) + 1);
  if (deleted.length > 0) counts.set('deleted', deleted.length);
  const total = jobs.length + deleted.length;
  const states = [...counts].map(([state, count]) => `${count} ${state}`);
  return `Waiting for ${total === 1 ? 'one job' : `${total} jobs`}: ${states.join(', ')}`;
}
