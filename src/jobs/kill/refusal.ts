import type {AtomctlError} from '../../errors.ts';
import {placesOf} from '../live/live-state.ts';
import {changedSince} from '../model/matched.ts';
import {endOf} from './goes-on.ts';
import type {KillOptions, KillPlan, Target} from './target.ts';

/** Why a job is left alone as far as its state tells, with the command that would do it; null if the kill goes on with it. */
export function plannedRefusal(
  options: KillOptions,
  report: KillPlan['report'],
  target: Pick<
    Target,
    'job' | 'now' | 'failed' | 'howToEnd' | 'isCancelled' | 'isKeyless' | 'verdict' | 'waitsEnded'
  >,
): string | null {
  const {job, now, failed} = target;
  const since = changedSince(options.matched?.get(job.id), {status: job.status, state: now});
  if (since !== null) return `Job ${job.id} changed meanwhile: ${since}. Its row was not changed.`;
  if (options.force) return null;
  const changed = changedMeanwhile(options, {job, now});
  switch (now) {
    case 'ended':
      if (changed !== null) return changed;
      if (options.deleteRows) return null;
      if (job.status === 'running') return `Job ${job.id} ended meanwhile. Its row was not changed.`;
      return target.waitsEnded
        ? `Job ${job.id} has already ended (${job.status}), but it still waits in Gearman and will run. To remove it there: atomctl jobs:kill ${job.id} --force`
        : `Job ${job.id} has already ended (${job.status}). To delete its row: atomctl jobs:kill ${job.id} --delete`;
    case 'finished':
      if (options.deleteRows) return changed;
      return (
        `Job ${job.id} has finished its work${failed ? ', after an error' : ''}; only its row was not saved. ` +
        `To correct the row: atomctl jobs:mark ${job.id} --as ${failed ? 'error' : 'completed'}`
      );
    case 'executing':
      if (options.worker !== null) return changed;
      if (target.isCancelled) return alreadyCancelled(options, target);
      if (options.noSystemd) return withoutSystemd(options, report, target);
      return (
        `Job ${job.id} is executing, and only stopping its worker ends it: atomctl jobs:kill ${job.id} --restart-worker${options.deleteRows ? ' --delete' : ''} ` +
        '(--force changes only the row, and the worker may overwrite it).'
      );
    case 'uncertain':
      return changed ?? unreachable(report, target);
    // A probe of the queue may prove what these are.
    case 'queued':
    case 'lost':
      return changed;
  }
}

/** Nothing can be proved of it, and nothing found, as long as no server answers; null if one does. */
function unreachable(
  {evidence: {servers}}: KillPlan['report'],
  {job: {id}, verdict}: Pick<Target, 'job' | 'verdict'>,
): string | null {
  if (servers.some(({error}) => error === null)) return null;
  return `Job ${id} is uncertain. ${verdict?.reason ?? ''} Start the Gearman server, and kill the job again; to change its row anyway, give --force.`;
}

/**
 * Why a job is not what the question said; null if no more would be done to it than was asked. While its row says Running, what waited or
 * executed may go on; a lost job that is not lost any more was submitted again.
 */
function changedMeanwhile(
  {asked}: Pick<KillOptions, 'asked'>,
  {job: {id, status, name}, now}: Pick<Target, 'job' | 'now'>,
): string | null {
  const before = asked?.get(id);
  if (before === undefined) return null;
  const changed = (was: string, is: string) =>
    `Job ${id} changed meanwhile: it was ${was} and is ${is} now. Its row was not changed.`;
  if (name !== before.name) return changed(before.name, name);
  if (status !== before.status) return changed(before.status, status);
  const hasBegunAgain = before.state === 'lost' && now !== 'lost';
  const hasFinished = now === 'finished' && (before.state === 'queued' || before.state === 'executing');
  return hasBegunAgain || hasFinished ? changed(before.state, now) : null;
}

/** A first kill with --force has done all but this. */
function alreadyCancelled(
  {deleteRows}: Pick<KillOptions, 'deleteRows'>,
  target: Pick<Target, 'job' | 'howToEnd' | 'isKeyless'>,
): string {
  const {id, status} = target.job;
  const done = `Job ${id} is already cancelled and marked (${status}); only its worker is left to end:`;
  const end = endOf(target, {deleteRows: false});
  if (target.howToEnd === null) return `${done} ${end}${deleteRows ? ' --delete' : ''}`;
  return `${done} ${end}${deleteRows ? ` To delete its row after that: atomctl jobs:kill ${id} --delete` : ''}`;
}

/** What ends an executing job where no systemd can stop its worker. Cancelled first, it is handed to no other worker. */
function withoutSystemd(
  {deleteRows}: Pick<KillOptions, 'deleteRows'>,
  report: KillPlan['report'],
  {job: {id}, howToEnd}: Pick<Target, 'job' | 'howToEnd'>,
): string {
  const again = `atomctl jobs:kill ${id}${deleteRows ? ' --delete' : ''}`;
  const {end, start: startAgain} = howToEnd ?? {end: 'kill its worker with its child processes.', start: ''};
  const start = `Job ${id} is executing, and systemd does not run on this machine, so atomctl cannot stop its worker.`;
  return placesOf(report, id).length > 0
    ? `${start} First cancel the job and change its row: ${again} --force. Then end its worker: ${end} ${startAgain}`.trimEnd()
    : `${start} End its worker: ${end} Before another worker starts the job again: ${again}. ${startAgain}`.trimEnd();
}

/** The same after all was tried to take it out of Gearman. */
export function refusal(
  options: KillOptions,
  {problems, report}: Pick<KillPlan, 'problems' | 'report'>,
  target: Target,
): string | null {
  const planned = plannedRefusal(options, report, target);
  if (planned !== null || options.force) return planned;
  const {job, now, verdict} = target;
  switch (now) {
    case 'executing':
      if (problems.length > 0) return `Job ${job.id} is executing. ${sentences(problems)}`;
      return `Job ${job.id} is still executing, and atomctl could not stop its worker from this machine. Stop that worker, then kill the job again.`;
    case 'queued':
    case 'uncertain': {
      const reason = problems.length > 0 ? sentences(problems) : (verdict?.reason ?? '');
      return `Job ${job.id} is ${now}. ${reason} Its row was not changed; to change it anyway, give --force.`;
    }
    default:
      return null;
  }
}

function sentences(problems: readonly AtomctlError[]): string {
  return problems.map(({message}) => message).join(' ');
}
