import {changeRows, type RowChange, rehearseChanges} from '../model/change-row.ts';
import {noteOfKill} from '../model/own-notes.ts';
import type {KillOptions, KillPlan, Target} from './target.ts';

/**
 * Tries the change of each row and takes it back: what prevents one refuses its job while the queue is untouched.
 * @throws AtomctlError if the database does not answer; nothing was touched
 */
export async function rehearseRows(options: KillOptions, {targets}: KillPlan): Promise<void> {
  if (options.signal.aborted) return;
  const wanted = [...targets.values()].filter(({refused}) => refused === null);
  const outcomes = await rehearseChanges(
    options.database,
    wanted.map((target) => changeOf(options, target)),
  );
  for (const [index, target] of wanted.entries()) {
    const row = outcomes[index]!;
    const {id} = target.job;
    if (row.outcome === 'gone' && !options.deleteRows) target.refused = `The row of job ${id} was deleted.`;
    if (row.outcome === 'changed') target.refused = `Job ${id} changed meanwhile. Its row was not changed.`;
    if (row.outcome !== 'failed') continue;
    if (row.error.code === 'DATABASE_LOST') throw row.error;
    target.refused = `The row of job ${id} cannot be changed: ${row.error.message} Nothing was changed in Gearman.`;
  }
}

/**
 * Changes the rows of jobs that no worker gets any more. What goes wrong is in the targets: by now something was done.
 * @param goesOn asked after each transaction
 */
export async function writeRows(
  options: KillOptions,
  targets: readonly Target[],
  goesOn: () => boolean = () => true,
): Promise<void> {
  const changes = targets.map((target) => changeOf(options, target));
  await changeRows(options.database, changes, (outcome, index) => {
    targets[index]!.row = outcome;
    return goesOn();
  });
}

function changeOf(options: KillOptions, {job, was, logLength}: Target): RowChange {
  const {time, now, by, reason, culture, force} = options;
  // A worker that writes to the log of a lost job shows that it is not lost.
  const seen = {
    status: job.status,
    logLength: was === 'lost' && !force ? (logLength ?? undefined) : undefined,
  };
  if (options.deleteRows) return {id: job.id, seen, to: {as: 'deleted'}};
  const nowWall = time.toWall(now());
  const note = noteOfKill({by, nowWall, was, reason});
  return {id: job.id, seen, to: {as: 'error', note, culture, nowWall}};
}
