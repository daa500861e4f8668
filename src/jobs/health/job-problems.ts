import type {SiteTime} from '../../atom/site-time.ts';
import {counted} from '../../counted.ts';
import type {HostCommands} from '../../host-commands.ts';
import {FAULT_SEVERITY} from '../../queue/severity.ts';
import type {QueueProblem} from '../../queue/verdict.ts';
import type {LiveReport} from '../live/live-state.ts';
import type {LiveState} from '../model/job.ts';
import {type ClockFault, clockConsequence} from './clock.ts';
import type {CrossCheck, LocalStall} from './cross-check.ts';
import type {EndedJob} from './ended-jobs.ts';
import {finishedFix} from './finished-jobs.ts';
import type {Surplus} from './surplus.ts';

/** A problem with what follows from it. */
export interface JobProblem extends QueueProblem {
  consequence: string;
}

/**
 * What is wrong with the site's jobs, for the verdict that queue:status and the doctor share.
 * @param options.excluded job classes that are left out
 */
export function jobProblems(
  report: Pick<LiveReport, 'evidence' | 'verdicts'>,
  {surplus, ended, stalls}: CrossCheck,
  {excluded, ...options}: StallOptions & {excluded: readonly string[]},
): JobProblem[] {
  const isIncluded = ({jobClasses}: {jobClasses: readonly string[]}) =>
    !jobClasses.every((name) => excluded.includes(name));
  return [
    ...lostJobs(report, excluded),
    ...finishedJobs(report, excluded),
    ...stalls.filter(isIncluded).map((stall) => stalledWorkers(stall, options)),
    ...endedJobs(ended.filter(({name}) => !excluded.includes(name))),
    ...surplus.filter(isIncluded).map(jobsWithoutRows),
  ];
}

type Report = Pick<LiveReport, 'evidence' | 'verdicts'>;

function rowsIn({evidence, verdicts}: Report, state: LiveState, excluded: readonly string[]) {
  return evidence.rows.filter(({id, name}) => verdicts.get(id)!.state === state && !excluded.includes(name));
}

function lostJobs(report: Report, excluded: readonly string[]): JobProblem[] {
  const lost = rowsIn(report, 'lost', excluded);
  if (lost.length === 0) return [];
  return [
    {
      state: FAULT_SEVERITY['lost jobs'],
      message: `${lost.length === 1 ? '1 job is' : `${lost.length} jobs are`} lost: ${someOf(lost.map(label))}.`,
      consequence:
        lost.length === 1
          ? 'No worker will run it; AtoM keeps showing it as running.'
          : 'No worker will run them; AtoM keeps showing them as running.',
      remedy: 'atomctl doctor --fix',
    },
  ];
}

function finishedJobs(report: Report, excluded: readonly string[]): JobProblem[] {
  const finished = rowsIn(report, 'finished', excluded);
  if (finished.length === 0) return [];
  return [
    {
      state: FAULT_SEVERITY['finished jobs'],
      message: `${finished.length === 1 ? '1 job has' : `${finished.length} jobs have`} finished, but the database says running: ${someOf(finished.map(label))}.`,
      consequence: 'AtoM keeps showing them as running; a move or import blocks every later one.',
      remedy: finishedFix(finished.map(({id, failed, key}) => ({id, failed, marksErrors: key !== 'none'}))),
    },
  ];
}

interface StallOptions {
  time: SiteTime;
  commands: HostCommands;
}

/** `2 jobs have waited since 2026-11-23 02:42:45 although pid_7_65 can run them and executes nothing; …`. */
export function stalledWorkers({workers, ...stall}: LocalStall, {time, commands}: StallOptions): JobProblem {
  const one = stall.waiting === 1;
  const since = stall.sinceMs === null ? '' : ` since ${time.toWall(new Date(stall.sinceMs))}`;
  const subject = `${one ? '1 job has' : `${stall.waiting} jobs have`} waited${since} (${someOf(stall.jobClasses)})`;
  const names = someOf(workers.map(({id}) => id));
  const them = one ? 'it' : 'them';
  const who =
    workers.length === 1
      ? `${names} can run ${them} and executes nothing`
      : stall.idle >= workers.length
        ? `${names} can run ${them} and execute nothing`
        : `of ${workers.length} workers that can run ${them}, ${stall.idle} ${stall.idle === 1 ? 'executes' : 'execute'} nothing`;
  const facts = workers.flatMap((worker) => processFact(worker) ?? []);
  return {
    state: FAULT_SEVERITY['stalled workers'],
    message: `${[`${subject} although ${who}`, ...facts.slice(0, SHOWN)].join('; ')}.`,
    consequence: 'These jobs wait until a worker starts them; new jobs of these classes wait behind them.',
    remedy: remedyFor(workers, commands),
  };
}

type LocalWorker = LocalStall['workers'][number];

function processFact({pid, seen}: LocalWorker): string | null {
  if (seen === null) return null;
  const {state, isWorker} = seen;
  if (state === 'gone')
    return `there is no process ${pid} on this host (it may run in a container, or only its connection still exists)`;
  if (!isWorker && state !== 'ended') return `process ${pid} on this host is not an AtoM worker`;
  return `process ${pid} ${STATE_TEXTS[state]}`;
}

const STATE_TEXTS = {
  running: 'is running',
  sleeping: 'is sleeping',
  'waiting for a disk': 'waits for a disk or a network file system',
  stopped: 'is stopped (state T, by SIGSTOP or Ctrl-Z)',
  traced: 'is stopped by a debugger',
  ended: 'has ended, but its parent process has not collected it',
} as const;

function remedyFor(workers: readonly LocalWorker[], {restartWorker}: HostCommands): string {
  const stopped = workers.flatMap(({pid, seen}) => (seen?.state === 'stopped' && seen.isWorker ? [pid] : []));
  return stopped.length > 0 ? `kill -CONT ${stopped.join(' ')}` : restartWorker;
}

/** Rows that have ended while Gearman still has their jobs. */
export function endedJobs(ended: readonly EndedJob[]): JobProblem[] {
  if (ended.length === 0) return [];
  const named = ended.map(
    (job) => `${label(job)}, ${job.running ? 'assigned to a worker' : 'waiting'} on ${job.server}`,
  );
  return [
    {
      state: FAULT_SEVERITY['jobs of ended rows'],
      message: `Gearman still has ${ended.length === 1 ? '1 job that has' : `${ended.length} jobs that have`} ended in the database: ${someOf(named, '; ')}.`,
      consequence: endedConsequence(ended),
      remedy: endedRemedy(ended),
    },
  ];
}

function endedConsequence(ended: readonly EndedJob[]): string {
  const waits = ended.some(({running}) => !running);
  const runs = ended.some(({running}) => running);
  return [
    runs &&
      'After jobs:kill --force a worker still runs its job, until the job ends, and may change its row again; to see the worker: atomctl queue:workers.',
    waits &&
      'A kill was interrupted, or the job was submitted again: a worker will run it and change its row again.',
  ]
    .filter(Boolean)
    .join(' ');
}

/** Without its row, a waiting job fails when a worker takes it. Deleting the row of one that runs may end its worker. */
function endedRemedy(ended: readonly EndedJob[]): string {
  const waiting = ended.filter(({running}) => !running).slice(0, SHOWN);
  if (waiting.length === 0) return `atomctl jobs:why ${ended[0]!.id}`;
  return `atomctl jobs:kill ${[...new Set(waiting.map(({id}) => id))].join(' ')} --delete`;
}

/** The clocks of AtoM and of atomctl differ: one problem, whatever shows it. */
export function clockProblems(faults: readonly ClockFault[]): JobProblem[] {
  if (faults.length === 0) return [];
  return [
    {
      state: FAULT_SEVERITY['clocks that differ'],
      message: faults.map(({message}) => message).join(' '),
      consequence: clockConsequence(faults),
      remedy: [...new Set(faults.map(({remedy}) => remedy))].join('; '),
    },
  ];
}

/** No job began so early: without a row that matches, a clear asks for the jobs without a row alone. */
const REMOVE_JOBS_WITHOUT_ROWS = 'atomctl jobs:clear --all-queued --until 1970-01-02';

/** Jobs in Gearman that belong to no row. */
export function jobsWithoutRows({jobClasses, count}: Surplus): JobProblem {
  return {
    state: FAULT_SEVERITY['jobs without rows'],
    message: `Gearman has ${counted(count, 'job')} of ${someOf(jobClasses)} for which the database has no running row.`,
    consequence:
      "The rows were deleted (AtoM's own jobs:clear does not change the queue), or another site uses the same function prefix: then workers of one site run jobs of the other site.",
    remedy: `To see which workers run them: atomctl queue:workers. A job without a row fails at once and is removed. If another site has this prefix, give each site its own workers_key in app.yml. If none has, this removes those that wait and have no row, and its filter keeps the history: ${REMOVE_JOBS_WITHOUT_ROWS}`,
  };
}

function label({id, name}: {id: number; name: string}): string {
  return `${id} (${name})`;
}

const SHOWN = 5;

function someOf(items: readonly string[], separator = ', '): string {
  const rest = items.length - SHOWN;
  return `${items.slice(0, SHOWN).join(separator)}${rest > 0 ? ` and ${rest} more` : ''}`;
}
