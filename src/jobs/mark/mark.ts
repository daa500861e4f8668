/** Corrects the rows of jobs that no worker and no server has. */
import {AtomctlError, EXIT} from '../../errors.ts';
import type {Database} from '../../mysql/database.ts';
import {serverOfQueue} from '../../queue/snapshot.ts';
import type {CollectOptions} from '../live/collect-evidence.ts';
import {type EndedJobs, endedJobsInGearman, waitingByPayload} from '../live/ended-jobs.ts';
import {type LiveAccess, type LiveReport, liveStatesToAct, type Recheck} from '../live/live-state.ts';
import {changeRow, type RowChange} from '../model/change-row.ts';
import type {Job, LiveState} from '../model/job.ts';
import {loadJobs} from '../model/load-jobs.ts';
import {MARKS, noteOfMark} from '../model/own-notes.ts';
import type {RunningRow} from '../model/running-jobs.ts';

export interface MarkOptions extends Omit<LiveAccess, 'database'> {
  database: Database;
  ids: readonly number[];
  as: 'completed' | 'error';
  /** Who marks, as the note names them: user@host. */
  by: string;
  reason: string | null;
  /** The culture that AtoM is to show the note in. */
  culture: string;
  /** Changes the rows also of jobs whose state is not proved. */
  force: boolean;
  /** Aborted, the jobs are left alone that were not begun with. */
  signal: AbortSignal;
  recheck: Recheck;
  /** Reads the waiting jobs, to prove more states. */
  probe?: CollectOptions['probe'];
}

export type MarkState = LiveState | 'ended';

export interface Marked {
  id: number;
  /** null if there is no such job. */
  was: MarkState | null;
  /** `refused`: the row was left as it is. `failed`: whether it was changed is not known. */
  action: 'marked' | 'refused' | 'failed';
  message: string;
}

export interface MarkResult {
  marked: Marked[];
  /** Jobs were left alone because of a signal. */
  stoppedEarly: boolean;
}

/** A job with the state that was proved, and why it is not to be marked; null if it is. */
export interface MarkTarget {
  job: Job;
  was: MarkState;
  /** Bytes of its log when the state was proved; null if the job has ended. */
  logLength: number | null;
  /** When its log says that it finished, wall clock; null if it is not finished. */
  finishedAt: string | null;
  refused: string | null;
  /** What speaks against this mark, a sentence; null if nothing does. */
  warning: string | null;
}

/**
 * The state of each job, and whether it may be marked; ids without a row are left out. Nothing is changed.
 * @throws AtomctlError for the database
 */
export async function planMark(options: MarkOptions): Promise<Map<number, MarkTarget>> {
  const ids = new Set(options.ids);
  const jobs = await loadJobs({...options, now: options.now(), ids: [...ids]});
  const running = new Set(jobs.filter(({status}) => status === 'running').map(({id}) => id));
  const report = running.size === 0 ? null : await liveStatesToAct(options, options.recheck, running);
  const inGearman = await endedInGearman(
    jobs.filter(({status}) => status !== 'running'),
    options,
  );
  const rows = new Map(report?.rows.map((row) => [row.id, row]));
  return new Map(
    jobs.map((job) => {
      const {was, reason} = stateOf(job, report, inGearman);
      const refused = markRefusal(options, job, was, reason);
      const row = rows.get(job.id);
      const finishedAt = was === 'finished' ? (row?.finishedAt ?? null) : null;
      const warning = refused === null ? warningOf(options.as, {job, was, row}) : null;
      return [job.id, {job, was, logLength: row?.logLength ?? null, finishedAt, refused, warning}];
    }),
  );
}

/** What Gearman has of jobs that have ended: by their keys, and by the payloads that wait if the queue may be read. */
async function endedInGearman(ended: readonly Job[], options: MarkOptions): Promise<EndedJobs> {
  const ids = ended.map(({id}) => id);
  const payloads = ended.length === 0 ? [] : ((await options.probe?.()) ?? []);
  const byKey = await endedJobsInGearman(ids, options);
  const read = waitingByPayload(ended, payloads, options.prefixes);
  return {...byKey, waiting: new Map([...byKey.waiting, ...read])};
}

/** What speaks against a mark that is not refused; null if nothing does. */
function warningOf(
  as: MarkOptions['as'],
  {job, was, row}: {job: Job; was: MarkState; row: RunningRow | undefined},
): string | null {
  if (as === 'completed') return againstCompleted(job, row);
  if (was === 'finished' && row?.failed === false) return 'Its log says that it finished, and has no error.';
  return job.status === 'completed' ? 'Its row says that it completed.' : null;
}

function againstCompleted({status}: Job, row: RunningRow | undefined): string | null {
  if (row?.begun === null) return 'No worker began it, so its work is not done.';
  if (status === 'error') return 'Its row says that it ended with an error.';
  return row?.failed === true ? 'Its log shows an error.' : null;
}

/** The state of a job, and the sentence that says why; empty of a job that has ended. */
export function stateOf(
  {id, status}: Pick<Job, 'id' | 'status'>,
  report: Pick<LiveReport, 'verdicts'> | null,
  {executing, waiting, unclear}: Partial<EndedJobs>,
): {was: MarkState; reason: string} {
  if (status === 'running') {
    const {state = 'ended', reason = ''} = report?.verdicts.get(id) ?? {};
    return {was: state, reason};
  }
  const executes = executing?.get(id)?.find(({running}) => running);
  if (executes !== undefined)
    return {was: 'executing', reason: `${serverOfQueue(executes.queue)} assigned it to a worker.`};
  const waits = waiting?.get(id)?.[0];
  if (waits !== undefined)
    return {was: 'queued', reason: `It waits on ${serverOfQueue(waits.queue)} although its row has ended.`};
  const unknown = unclear?.get(id)?.[0];
  if (unknown === undefined) return {was: 'ended', reason: ''};
  return {was: 'uncertain', reason: `${serverOfQueue(unknown.queue)} has it, waiting or cancelled.`};
}

/** Why a job in this state is not marked, with the command that fits it; null if it is marked. */
export function markRefusal(
  {as, force, probe}: Pick<MarkOptions, 'as' | 'force'> & Partial<Pick<MarkOptions, 'probe'>>,
  {id, status}: Pick<Job, 'id' | 'status'>,
  was: MarkState,
  reason: string,
): string | null {
  switch (was) {
    case 'ended':
      if (status === 'running') return `Job ${id} ended meanwhile. Its row was not changed.`;
      return status === as ? `Job ${id} has this status already.` : null;
    case 'executing':
      return `Job ${id} is executing. ${reason} This says how to end it: atomctl jobs:kill ${id}`;
    case 'queued':
      return `Job ${id} is queued. ${reason} To remove it from Gearman: atomctl jobs:kill ${id}${status === 'running' ? '' : ' --force'}`;
    case 'uncertain':
      return force
        ? null
        : `Job ${id} is uncertain. ${reason} ${probe ? '' : 'To look for it among the waiting jobs, too, give --probe. '}To mark it anyway, give --force.`;
    case 'finished':
    case 'lost':
      return null;
  }
}

/** What a mark would do to each job, as its result has it, if nothing changes until then. */
export function previewMark(
  {ids, as}: Pick<MarkOptions, 'ids' | 'as'>,
  targets: ReadonlyMap<number, MarkTarget>,
): Marked[] {
  return [...new Set(ids)].map((id) => {
    const target = targets.get(id);
    if (target === undefined) return {id, was: null, action: 'refused', message: `There is no job ${id}.`};
    const {was, refused, warning} = target;
    const action = refused === null ? 'marked' : 'refused';
    const would = [`Job ${id} would be marked as ${MARKS[as]}.`, warning].filter(Boolean).join(' ');
    return {id, was, action, message: refused ?? would};
  });
}

/**
 * Marks each job on its own; one that is refused does not stop the rest. Each state is proved again at first, and the row must
 * still say what it said then, its log included.
 * @param shown the plan before the question: what was refused there stays refused, and what has changed since is refused; null if
 *   nothing was shown
 * @throws AtomctlError for the database, before anything was changed
 */
export async function markJobs(
  options: MarkOptions,
  shown: ReadonlyMap<number, MarkTarget> | null,
): Promise<MarkResult> {
  if (shown === null) return markEach(options, await planMark(options));
  const planned = previewMark(options, shown);
  const agreed = {...options, ids: planned.flatMap(({id, action}) => (action === 'marked' ? [id] : []))};
  const targets = [...(await planMark(agreed))].map(([id, target]) => {
    const refused = target.refused ?? changedMeanwhile(options, shown.get(id)!, target);
    return [id, {...target, refused}] as const;
  });
  const result = await markEach(agreed, new Map(targets));
  const marked = new Map(result.marked.map((each) => [each.id, each]));
  return {...result, marked: planned.map((each) => marked.get(each.id) ?? each)};
}

/** Why a job is not as the plan before the question showed it; null if it is. A job whose state is not proved may go on. */
export function changedMeanwhile(
  {force}: Pick<MarkOptions, 'force'>,
  before: Pick<MarkTarget, 'job' | 'logLength'>,
  {job: {id, status}, was, logLength}: Pick<MarkTarget, 'job' | 'was' | 'logLength'>,
): string | null {
  if (status !== before.job.status)
    return `Job ${id} changed meanwhile: it was ${before.job.status} and is ${status} now. Its row was not changed.`;
  if (logLength === before.logLength || (force && was === 'uncertain')) return null;
  return `Job ${id} changed meanwhile: a worker wrote to its log. Its row was not changed.`;
}

async function markEach(options: MarkOptions, targets: ReadonlyMap<number, MarkTarget>): Promise<MarkResult> {
  const marked: Marked[] = [];
  let stoppedEarly = false;
  for (const planned of previewMark(options, targets)) {
    const {id, action} = planned;
    if (action === 'refused') marked.push(planned);
    else if (options.signal.aborted) {
      stoppedEarly = true;
      marked.push({...planned, action: 'refused', message: `Interrupted: job ${id} was not changed.`});
    } else marked.push(await markOne(options, targets.get(id)!));
  }
  return {marked, stoppedEarly};
}

async function markOne(options: MarkOptions, target: MarkTarget): Promise<Marked> {
  const {id} = target.job;
  const {was} = target;
  const change = changeOf(options, target);
  try {
    const row = await changeRow(options.database, change);
    switch (row.outcome) {
      case 'done':
        return {id, was, action: 'marked', message: `Job ${id} is marked as ${MARKS[options.as]}.`};
      case 'gone':
        return {id, was, action: 'refused', message: `Job ${id} no longer exists.`};
      case 'changed':
        return {
          id,
          was,
          action: 'refused',
          message: `Job ${id} changed meanwhile. Its row was not changed.`,
        };
      case 'unknown': {
        const message = `atomctl does not know if job ${id} was marked: ${row.error.message} To check: atomctl jobs:show ${id}`;
        return {id, was, action: 'failed', message};
      }
    }
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    return {id, was, action: 'refused', message: `Job ${id} was not marked: ${error.message}`};
  }
}

function changeOf(
  {time, now, as, by, reason, culture}: MarkOptions,
  {job, was, logLength, finishedAt}: MarkTarget,
): RowChange {
  const nowWall = time.toWall(now());
  const note = noteOfMark(as, {by, nowWall, was: was === 'ended' ? job.status : was, reason});
  return {
    id: job.id,
    seen: {status: job.status, logLength: logLength ?? undefined},
    to: {as, note, culture, nowWall, finishedAt},
  };
}

/** How it ends: interrupted, all marked, some, none because no such job exists, or none because all were refused. */
export function markExitStatus({marked, stoppedEarly}: MarkResult): number {
  if (stoppedEarly) return EXIT.interrupted;
  const refused = marked.filter(({action}) => action === 'refused');
  if (refused.length < marked.length)
    return marked.every(({action}) => action === 'marked') ? EXIT.ok : EXIT.failed;
  return refused.every(({was}) => was === null) ? EXIT.noSuchJob : EXIT.refused;
}
