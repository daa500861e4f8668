import {BY_SYSTEMD} from '../../host-commands.ts';
import type {KillOptions, Target} from './target.ts';

type EndOptions = Pick<KillOptions, 'deleteRows' | 'noSystemd'>;
type Ending = Pick<Target, 'job' | 'howToEnd' | 'isKeyless'>;

/** What the worker of a job does whose row was changed while it executes, and how to end it. The plan and the result say it. */
export function goesOn(target: Ending, options: EndOptions): string {
  const next = options.deleteRows
    ? 'Its worker continues until it next writes to the row, which is gone: then it may fail and its process may end, and jobs that wait need another worker.'
    : 'Its worker continues until the job ends and may change the row back.';
  return `${next} To end it: ${endOf(target, options)}`;
}

/** How the worker of an executing job is ended: a command, or sentences that begin with one. */
export function endOf({job: {id}, howToEnd, isKeyless}: Ending, {deleteRows, noSystemd}: EndOptions): string {
  // It goes back into the queue as its worker ends, and a job without a row cannot be named any more.
  const remove =
    isKeyless && !deleteRows ? ` Then remove it from Gearman: atomctl jobs:kill ${id} --force.` : '';
  if (howToEnd) return `${howToEnd.end}${remove} ${howToEnd.start}`;
  if (noSystemd) return deleteRows ? 'see atomctl queue:workers' : `see atomctl jobs:kill ${id}`;
  if (remove !== '')
    return `atomctl worker:stop (other jobs of these workers begin again later).${remove} Then start the worker again: ${BY_SYSTEMD.startWorker}`;
  return deleteRows
    ? `${BY_SYSTEMD.restartWorker} (other jobs of these workers start again)`
    : `atomctl jobs:kill ${id} --restart-worker`;
}

/** What is left to say of a job that Gearman does not hand out again, and that a worker goes on with. */
export function cancelledText(target: Ending, options: EndOptions): string {
  return `Gearman will not hand the job out again. ${goesOn(target, options)}`;
}

/** The same of one that executes and could not be cancelled. */
export function keylessText(target: Ending, options: EndOptions): string {
  return `Its key in Gearman is not known, so it cannot be cancelled there: Gearman hands the job out again if its worker dies. ${goesOn(target, options)}`;
}
