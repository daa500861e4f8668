import {formatBytes} from '../../bytes.ts';
import {counted} from '../../counted.ts';
import type {SiteCleared} from '../../jobs/clear/clear.ts';
import type {FileCount} from '../../jobs/clear/downloads.ts';
import type {ClearPlan} from '../../jobs/clear/plan.ts';
import type {LivePreview, RunningPreview} from '../../jobs/clear/preview.ts';
import type {QueuePreview} from '../../jobs/clear/queue-count.ts';
import type {Killed, KillResult} from '../../jobs/kill/kill.ts';
import type {Marked, MarkTarget} from '../../jobs/mark/mark.ts';
import type {Job} from '../../jobs/model/job.ts';
import type {NamedJob} from '../../jobs/model/worker-control.ts';
import {sanitizeLine} from '../sanitize.ts';
import {type Color, paint, type Screen} from '../screen.ts';
import {countsText} from './table.ts';

/** A clear that is about to be asked for: what it will meet. */
export interface ClearPreview extends LivePreview {
  plan: ClearPlan;
  /** null if Gearman is left alone. */
  queue: QueuePreview | null;
  /** Gearman jobs without a row go, too. */
  allQueued: boolean;
  /** null if files are left alone. */
  downloads: FileCount | null;
  /** Where the history is saved; null if it is not. */
  exportTo: string | null;
}

/** What clear prints under --json: what it deleted, or under --dry-run what it would delete. */
export function clearDocument(
  options:
    | {preview: ClearPreview; dryRun: true}
    | {preview: ClearPreview; dryRun: false; cleared: SiteCleared; exported: string | null},
) {
  const {plan, queue, running, downloads, stop} = options.preview;
  const done = options.dryRun ? null : options.cleared;
  const planned = plannedRemoval(options.preview);
  return {
    cleared: done?.cleared ?? plan.total,
    byStatus: done?.byStatus ?? plan.counts,
    queueRemoved: done?.queueRemoved ?? planned,
    queueExecuting: done?.queueExecuting ?? queue?.executing ?? 0,
    queueLeft: done?.queueLeft ?? (queue === null ? 0 : queue.waiting + queue.executing - planned),
    queueWithoutRow: queue?.surplus ?? 0,
    units: done?.units ?? stop?.units ?? [],
    interrupted: done?.interruptedJobs ?? (stop?.interrupts ?? []).map(({id}) => id),
    downloadsDeleted: done?.downloadsDeleted ?? downloads?.count ?? 0,
    downloadsBytes: done?.downloadsBytes ?? downloads?.bytes ?? 0,
    exported: options.dryRun ? null : options.exported,
    dryRun: options.dryRun,
    warnings: done
      ? [...done.problems, ...stillExecuting(done.queueExecuting)]
      : [
          ...silentServers(queue),
          ...executingWarning(running?.executing ?? [], stop),
          ...plannedInterruptions(stop?.interrupts ?? []),
        ],
  };
}

/** How many jobs leave Gearman, as far as the counts tell: some of the rows may be of jobs that are lost. */
function plannedRemoval({queue, running, stop, allQueued}: ClearPreview): number {
  if (queue === null || running === null) return 0;
  const ofRows = Math.min(running.waiting + running.others, Math.max(0, queue.waiting - queue.surplus));
  const stopped = stop === null ? 0 : running.executing.length;
  return ofRows + stopped + (allQueued ? Math.min(queue.surplus, queue.waiting) : 0);
}

/** What would be deleted, with a warning if jobs are running. */
export function renderClearPlan(
  {plan: {total, counts}, queue, allQueued, running, stop, downloads, exportTo}: ClearPreview,
  screen: Screen,
): string {
  const warning = (text: string) => paint(screen, 'yellow', `Warning: ${text}`);
  const lines = [`${counted(total, 'job')} to clear${total === 0 ? '' : `: ${countsText(counts)}`}.`];
  if (counts.running > 0) lines.push(...silentServers(queue).map(warning));
  if (running === null && counts.running > 0) {
    lines.push(warning(`Running among them: ${counts.running}; their workers may fail.`));
  }
  if (running !== null) {
    if (counts.running > 0) lines.push(runningSentence(counts.running, running));
    lines.push(...executingWarning(running.executing, stop).map(warning));
  }
  if (queue !== null && queue.waiting + queue.executing > 0) {
    lines.push(
      `In Gearman this site has ${counted(queue.waiting + queue.executing, 'job')}: ${queue.waiting} waiting, ${queue.executing} executing. ${staying(counts.running, queue)}`,
    );
  }
  if (queue !== null && queue.surplus > 0) {
    const of = `at least ${counted(queue.surplus, 'job')} in Gearman ${queue.surplus === 1 ? 'belongs' : 'belong'} to no running row`;
    const them = queue.surplus === 1 ? 'it' : 'them';
    lines.push(
      warning(
        allQueued
          ? `${of}; what waits of ${them} without a row is removed, too.`
          : `${of}; --all-queued also removes what waits of ${them} without a row.`,
      ),
    );
  }
  if (stop !== null) {
    lines.push(`Stopped first, and started again: ${stop.units.join(', ') || "this site's workers"}.`);
    lines.push(...plannedInterruptions(stop.interrupts).map(warning));
  }
  if (downloads !== null) {
    lines.push(`Download files to delete: ${downloads.count} (${formatBytes(downloads.bytes)}).`);
  }
  if (exportTo !== null) lines.push(`Their history is saved first, in ${sanitizeLine(exportTo)}.`);
  return `${lines.join('\n')}\n`;
}

/** Servers whose jobs stay because they do not answer. */
function silentServers(queue: QueuePreview | null): string[] {
  return (queue?.missing ?? []).map(
    ({message}) =>
      `${message} The Gearman jobs of these rows stay there, and fail when a worker begins them. Start the server first.`,
  );
}

/** Which of the site's Gearman jobs are left alone. */
function staying(running: number, {waiting, executing, surplus}: QueuePreview): string {
  if (running > 0 || surplus > 0) return 'Those of rows that are not cleared stay.';
  return waiting + executing === 1 ? 'It stays.' : 'They stay.';
}

/** What the jobs that say Running are. */
function runningSentence(rows: number, {waiting, others}: RunningPreview): string {
  const executing = rows - waiting - others;
  const parts = [
    waiting > 0 && `${waiting} ${waiting === 1 ? 'waits and is' : 'wait and are'} removed from Gearman`,
    executing > 0 && `${executing} ${executing === 1 ? 'executes' : 'execute'}`,
    others > 0 &&
      `${others} ${others === 1 ? 'is' : 'are'} lost or not known, and removed from Gearman if found there`,
  ];
  return `Running among them: ${parts.filter(Boolean).join(', ')}.`;
}

/** Of the executing jobs so many are named. */
const NAMED = 5;

function executingWarning(executing: readonly NamedJob[], stop: LivePreview['stop']): string[] {
  if (executing.length === 0 || stop !== null) return [];
  const more = executing.length > NAMED ? ` and ${executing.length - NAMED} more` : '';
  return [
    `${namesOf(executing.slice(0, NAMED))}${more} ${executing.length === 1 ? 'executes' : 'execute'}: ${mayEnd(executing.length)}, and the jobs that wait may have no worker then.`,
  ];
}

/** What comes of a worker whose job has no row any more: it fails at the next note, and systemd may not start it again. */
function mayEnd(jobs: number): string {
  return jobs === 1 ? 'its worker may fail and end' : 'their workers may fail and end';
}

/** Cleared jobs that a worker still executes. */
function stillExecuting(jobs: number): string[] {
  return jobs === 0 ? [] : [`Executing among the cleared jobs: ${counted(jobs, 'job')}; ${mayEnd(jobs)}.`];
}

/** What was deleted. */
export function renderCleared(
  cleared: SiteCleared,
  {exported, planned}: {exported: string | null; planned: number},
  screen: Screen,
): string {
  const hasStopped = cleared.interrupted || cleared.failure !== null;
  const end = hasStopped ? `of ${planned} cleared before it stopped` : 'cleared';
  const statuses = cleared.cleared === 0 ? '' : `: ${countsText(cleared.byStatus)}`;
  const lines = [`${counted(cleared.cleared, 'job')} ${end}${statuses}.`];
  if (exported !== null)
    lines.push(
      hasStopped
        ? `The history of all ${planned} is in ${sanitizeLine(exported)}.`
        : `Their history is in ${sanitizeLine(exported)}.`,
    );
  if (cleared.queueRemoved > 0) lines.push(`Removed from Gearman: ${counted(cleared.queueRemoved, 'job')}.`);
  lines.push(...stillExecuting(cleared.queueExecuting).map((text) => paint(screen, 'yellow', text)));
  if (cleared.queueLeft > 0)
    lines.push(`Still in Gearman for this site: ${counted(cleared.queueLeft, 'job')}.`);
  if (cleared.interruptedJobs.length > 0) {
    lines.push(`Interrupted, will start again: ${cleared.interruptedJobs.join(', ')}.`);
  }
  if (cleared.downloadsDeleted > 0) {
    lines.push(
      `Download files deleted: ${cleared.downloadsDeleted} (${formatBytes(cleared.downloadsBytes)}).`,
    );
  }
  return `${lines.join('\n')}\n`;
}

const COLORS: Record<Killed['action'] | Marked['action'], Color> = {
  marked: 'green',
  deleted: 'green',
  refused: 'red',
  failed: 'red',
};

const NONE_MATCH = 'No job matches.\n';

/** One line for each job: what was done to it. */
export function renderKilled(killed: readonly Killed[], screen: Screen): string {
  return killed.length === 0 ? NONE_MATCH : renderMarked(killed, screen) + sumOf(killed);
}

/** So many results are seen at once. */
const FEW = 5;

/** How many became what, if the lines do not show it at a glance; those that were not done with their ids. */
function sumOf(killed: readonly Killed[]): string {
  if (killed.length <= FEW) return '';
  const parts = Object.keys(COLORS).flatMap((action) => {
    const ids = killed.filter((each) => each.action === action).map(({id}) => id);
    if (ids.length === 0) return [];
    const isDone = action === 'marked' || action === 'deleted';
    return `${ids.length} ${action}${isDone ? '' : ` (${ids.join(', ')})`}`;
  });
  return `${parts.join(', ')}.\n`;
}

/** The same for marked jobs. */
export function renderMarked(marked: readonly (Marked | Killed)[], screen: Screen): string {
  return marked
    .map(({id, was, action, message}) => {
      const from = was === null ? '' : ` (was ${was})`;
      return `${id}: ${paint(screen, COLORS[action], action)}${from}. ${sanitizeLine(message)}\n`;
    })
    .join('');
}

/** One line for each job: what it would become. */
export function renderMarkPlan(
  targets: readonly MarkTarget[],
  as: 'completed' | 'error',
  screen: Screen,
): string {
  return targets
    .map(({job: {id, name}, was, refused, warning}) => {
      const caution = warning === null ? '' : ` Warning: ${warning}`;
      const what =
        refused === null
          ? paint(screen, 'yellow', `to mark as ${as}.${caution}`)
          : `refused. ${sanitizeLine(refused)}`;
      return `${id} (${sanitizeLine(name)}, ${was}): ${what}\n`;
    })
    .join('');
}

/** What a kill prints under --json: what it did, or under --dry-run what it would do. */
export function killDocument(
  killed: readonly Killed[],
  {workerRestarted, interrupted}: Pick<KillResult, 'workerRestarted' | 'interrupted'>,
  dryRun: boolean,
) {
  return {killed, workerRestarted, interrupted, ...(dryRun ? {dryRun} : {})};
}

const PLANNED: Record<Killed['action'], string> = {
  marked: 'to kill',
  deleted: 'to kill and DELETE',
  refused: 'refused',
  failed: 'to remove from Gearman',
};

/** What a kill would do to each job, and which others a restart of the worker interrupts. */
export function renderKillPlan(
  planned: readonly Killed[],
  {
    jobs,
    interrupts,
    probes,
  }: {
    jobs: ReadonlyMap<number, Pick<Job, 'name' | 'likely' | 'status'>>;
    interrupts: readonly NamedJob[];
    /** The waiting jobs are read to find some of these. */
    probes: boolean;
  },
  screen: Screen,
): string {
  if (planned.length === 0) return NONE_MATCH;
  const lines = planned.map(({id, was, action, message}) => {
    const job = jobs.get(id);
    const state = job?.likely ? `${job.likely}?` : was === 'ended' ? job?.status : was;
    const what = job === undefined ? '' : ` (${sanitizeLine(job.name)}, ${state})`;
    const color = action === 'refused' ? 'red' : 'yellow';
    return `${id}${what}: ${paint(screen, color, PLANNED[action])}. ${sanitizeLine(message)}`;
  });
  if (probes)
    lines.push(
      'To find these jobs, atomctl will read the waiting jobs of their classes: gearmand counts one retry for each.',
    );
  lines.push(...plannedInterruptions(interrupts).map((text) => paint(screen, 'yellow', `Warning: ${text}`)));
  return `${lines.join('\n')}\n`;
}

/** Names the other jobs that end with their workers. */
function plannedInterruptions(interrupts: readonly NamedJob[]): string[] {
  if (interrupts.length === 0) return [];
  const again = interrupts.length === 1 ? 'it out again, and it starts' : 'them out again, and they start';
  return [
    `the worker to be stopped also executes ${namesOf(interrupts)}; Gearman hands ${again} from the beginning.`,
  ];
}

function namesOf(jobs: readonly NamedJob[]): string {
  return jobs.map(({id, name}) => `${id} (${sanitizeLine(name)})`).join(', ');
}
