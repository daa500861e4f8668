/** Explains the state of one job: its proof, its place, what blocks it, who executes it and how, and what to do. */

import {seenWaiting} from '../live/counts.ts';
import {endedJobsInGearman} from '../live/ended-jobs.ts';
import type {RowEvidence} from '../live/evidence.ts';
import {type LiveReport, type LiveVerdict, liveStates} from '../live/live-state.ts';
import {type MarkState, stateOf} from '../mark/mark.ts';
import type {JobDetails} from '../model/job.ts';
import {isCut, parseLogLines} from '../model/log.ts';
import {showJob} from '../model/show.ts';
import {runAgain} from '../retry/run-again.ts';
import {adviceFor, type Situation} from './advice.ts';
import {olderRow, SERIAL_SECONDS, SERIAL_TRIES, triesUsed, waitsInTurn} from './blocker.ts';
import {type Executors, findExecutors} from './executors.ts';
import type {JobWhy} from './facts.ts';
import {MissingFacts} from './missing.ts';
import type {WhyOptions} from './options.ts';
import {progressOf} from './progress.ts';
import {queuePlace, serversToReach} from './queue-place.ts';
import {usualDurations} from './usual.ts';
import {ableWorkers, isIdle, siteWorkers} from './workers.ts';

export interface Explained {
  why: JobWhy;
  /** null for a job that has ended. */
  report: LiveReport | null;
}

/**
 * Why a job is in its state. Nothing is changed; only a probe touches the queue, and gives its jobs back in order.
 * @throws AtomctlError NO_SUCH_JOB; for the database; what `probe` throws
 */
export async function explainJob(options: WhyOptions): Promise<Explained> {
  const job = await readJob(options);
  if (job.status !== 'running') return {why: await explainEnded(job, options), report: null};
  const seen = await readStates(job, options);
  const verdict = seen.report.verdicts.get(job.id);
  if (verdict === undefined) {
    // It ended while the servers were asked, and its row now says how.
    const now = await readJob(options);
    if (now.status !== 'running') return {why: await explainEnded(now, options), report: seen.report};
  }
  return {
    why: await explainRunning(job, {...seen, verdict: verdict ?? ROW_CHANGED}, options),
    report: seen.report,
  };
}

const ROW_CHANGED: LiveVerdict = {
  state: 'uncertain',
  likely: null,
  reason: 'Its row changed while atomctl asked the servers.',
  needsTime: false,
};

function readJob({database, time, now, id}: WhyOptions): Promise<JobDetails> {
  return showJob({database, time, now: now(), id});
}

interface SeenStates {
  report: LiveReport;
  probed: boolean;
  /** Why it, or a part of it, was not probed. */
  refused: string | null;
}

/** Probes only if that can tell more: a job that executes, finished or is lost has no place in the queue. */
async function readStates({id, name}: JobDetails, options: WhyOptions): Promise<SeenStates> {
  const {probe, ...sources} = options;
  const report = await liveStates(sources);
  const state = report.verdicts.get(id)?.state;
  const mayWait = state === 'queued' || state === 'uncertain';
  if (probe === undefined || !mayWait) return {report, probed: false, refused: null};
  let refused: string | null = null;
  const again = await liveStates({
    ...sources,
    probe: async () => {
      const probed = await probe(name);
      refused = probed.refused;
      return probed.waiting;
    },
  });
  return {report: again, probed: true, refused};
}

async function explainRunning(
  job: JobDetails,
  seen: SeenStates & {verdict: LiveVerdict},
  options: WhyOptions,
): Promise<JobWhy> {
  const {report, verdict} = seen;
  const missing = new MissingFacts();
  const row = report.evidence.rows.find(({id}) => id === job.id);
  const shown = verdict.likely ?? verdict.state;
  const executors = await findExecutors(report, options);
  const blocker = await blockerOf(job, shown, options, missing);
  const place = placeOf(job, shown, seen, missing);
  const executing =
    shown === 'executing' && row !== undefined
      ? await executors.describe(row, missing)
      : {
          worker: missing.because('worker', NOT_EXECUTING),
          process: missing.because('process', NOT_EXECUTING),
        };
  const begunMs = row?.begun?.lastMs ?? row?.begun?.earliestMs ?? null;
  const facts = {
    id: job.id,
    name: job.name,
    state: verdict.state,
    likely: verdict.likely,
    proof: [verdict.reason, ...blocker.proof],
    ...place,
    ...blocker.facts,
    ...executing,
    ableWorkers: workersFor(row, report, {executors, prefixes: options.prefixes}, missing),
    ...(await historyOf(job, {begunMs: shown === 'executing' ? begunMs : null}, options, missing)),
    missing: missing.reasons,
  };
  const nowMs = options.now().getTime();
  const lastMs = row?.lastActivityMs ?? null;
  const advice = adviceFor({
    ...facts,
    begun: row?.begun != null,
    probed: seen.probed,
    toReach: row === undefined ? [] : serversToReach(report, row, seen),
    again: runAgain(job),
    commands: options.commands,
    failed: row?.failed ?? false,
    marksErrors: row?.key !== 'none',
    blockerState: blocker.state(report),
    processState: await executors.processState(job.id),
    silentSeconds: lastMs === null ? null : Math.floor((nowMs - lastMs) / 1000),
    runsForSeconds: begunMs === null ? null : Math.floor((nowMs - begunMs) / 1000),
  });
  return inOrder({...facts, advice});
}

const NOT_EXECUTING = 'It is not executing.';

function placeOf(
  {id}: JobDetails,
  shown: string,
  seen: SeenStates & {verdict: LiveVerdict},
  missing: MissingFacts,
): Pick<JobWhy, 'position' | 'ahead'> {
  const none = (reason: string) => ({
    position: missing.because('position', reason),
    ahead: missing.because('ahead', reason),
  });
  if (shown === 'executing') return none('It waits no more.');
  if (shown === 'finished' || shown === 'lost') return none('It is in no queue.');
  const place = queuePlace(seen.report, id, seen);
  if (typeof place === 'string') return none(place);
  return seen.verdict.state === 'queued' ? place : none(seen.verdict.reason);
}

interface Blocker {
  facts: Pick<JobWhy, 'blockedBy' | 'triesUsed'>;
  proof: string[];
  /** The state of the row that blocks it. */
  state: (report: LiveReport) => string | null;
}

async function blockerOf(
  job: JobDetails,
  shown: string,
  {database}: WhyOptions,
  missing: MissingFacts,
): Promise<Blocker> {
  const none = (reason: string): Blocker => ({
    facts: {blockedBy: missing.because('blockedBy', reason), triesUsed: missing.because('triesUsed', reason)},
    proof: [],
    state: () => null,
  });
  if (!waitsInTurn(job.name)) return none('Only moves and imports wait for one another.');
  if (shown === 'finished' || shown === 'lost') return none('It does not wait any more.');
  const older = await olderRow(database, job.id);
  if (older === null) return none('No older move or import says Running.');
  const used = triesUsed(job.log);
  if (shown === 'executing' && used === 0) return none('It waits for no other job.');
  const tries =
    shown === 'executing'
      ? ` It has used ${used} of ${SERIAL_TRIES} tries, ${SERIAL_SECONDS} s apart, and holds its worker meanwhile.`
      : '';
  return {
    facts: {blockedBy: older.id, triesUsed: used},
    proof: [
      `AtoM runs one move or import at a time, and job ${older.id} (${older.name}) is older and says Running.${tries}`,
    ],
    state: ({verdicts}) => {
      const verdict = verdicts.get(older.id);
      return verdict?.likely ?? verdict?.state ?? null;
    },
  };
}

function workersFor(
  row: RowEvidence | undefined,
  {evidence}: LiveReport,
  {executors, prefixes}: {executors: Executors; prefixes: WhyOptions['prefixes']},
  missing: MissingFacts,
): JobWhy['ableWorkers'] {
  if (row === undefined) return missing.because('ableWorkers', ROW_CHANGED.reason);
  const silent = evidence.servers.filter(({error}) => error !== null);
  if (silent.length > 0 && silent.length === evidence.servers.length)
    return missing.because('ableWorkers', silent[0]!.error!);
  const where = {waitingIn: seenWaiting(evidence).get(row.id), prefixes};
  return ableWorkers(row, where, siteWorkers(evidence)).map((worker) => ({
    id: worker.id,
    pid: worker.pid,
    host: worker.ip,
    executes: executors.jobOf(worker.id),
    idle: isIdle(worker, evidence),
  }));
}

/** @param begunMs of a job that executes, when it began */
async function historyOf(
  job: JobDetails,
  {begunMs}: {begunMs: number | null},
  {database, time}: WhyOptions,
  missing: MissingFacts,
): Promise<Pick<JobWhy, 'lastActivityAt' | 'lastLine' | 'progress' | 'usual'>> {
  const silence =
    job.log === ''
      ? 'It has logged nothing.'
      : isCut(job.log)
        ? 'Its log is full, so that its newest lines are missing.'
        : 'Its log has no line with a time.';
  const last =
    job.lastActivityAt === null ? undefined : parseLogLines(job.log).findLast((line) => line.time !== null);
  const durations = await usualDurations(database, {name: job.name, time});
  const expected = () =>
    begunMs === null
      ? missing.because(
          'usual.expectedEndAt',
          job.status === 'running' ? 'It is not executing, or its start is not known.' : 'It has ended.',
        )
      : time.toIso(time.toWall(new Date(begunMs + durations!.medianSeconds * 1000)));
  return {
    lastActivityAt: job.lastActivityAt ?? missing.because('lastActivityAt', silence),
    lastLine: last === undefined ? missing.because('lastLine', silence) : shortened(last.message),
    progress: progressOf(job) ?? missing.because('progress', 'Neither its log nor its notes say "N of M".'),
    usual:
      durations === null
        ? missing.because('usual', 'None of the newest completed jobs has its name.')
        : {...durations, expectedEndAt: expected()},
  };
}

const SHOWN_CHARACTERS = 200;

/** Parameters may be as long as a log. */
function shortened(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS - 1)}…` : text;
}

async function explainEnded(job: JobDetails, options: WhyOptions): Promise<JobWhy> {
  const missing = new MissingFacts();
  const ended = 'It has ended.';
  const since = job.finishedAt === null ? '' : ` since ${job.finishedAt}`;
  const errors = job.notes.filter(({error}) => error).map(({text}) => shortened(text));
  const state = job.status as JobWhy['state'];
  const {was, reason} = stateOf(job, null, await endedJobsInGearman([job.id], options));
  const goesOn = stillInGearman(job.id, was, reason);
  const facts = {
    id: job.id,
    name: job.name,
    state,
    likely: null,
    proof: [
      state === 'unknown' ? 'Its row has no status that AtoM defines.' : `Its row says ${state}${since}.`,
      ...(goesOn === null ? [] : [goesOn.proof]),
      ...errors,
    ],
    position: missing.because('position', ended),
    ahead: missing.because('ahead', ended),
    blockedBy: missing.because('blockedBy', ended),
    triesUsed: missing.because('triesUsed', ended),
    worker: missing.because('worker', ended),
    ableWorkers: missing.because('ableWorkers', ended),
    process: missing.because('process', ended),
    ...(await historyOf(job, {begunMs: null}, options, missing)),
    missing: missing.reasons,
  };
  const advice =
    goesOn?.advice ?? adviceFor({...facts, ...NOT_RUNNING, again: runAgain(job), commands: options.commands});
  return inOrder({...facts, advice});
}

/** What a worker will still do although the row has ended; null if Gearman does not have the job. */
function stillInGearman(
  id: number,
  was: MarkState,
  reason: string,
): {proof: string; advice: JobWhy['advice']} | null {
  if (was === 'executing')
    return {
      proof: `But ${reason} That ends with its job, and may change the row again.`,
      advice: {
        message:
          'Wait until its worker is done with it; until then jobs:retry refuses it. This says how to end it:',
        command: `atomctl jobs:kill ${id}`,
      },
    };
  if (was !== 'queued' && was !== 'uncertain') return null;
  return {
    proof: `${reason} The next free worker will ${was === 'queued' ? 'run it' : 'run or remove it'}.`,
    advice: {
      message: 'Wait for this, or remove it from Gearman.',
      command: `atomctl jobs:kill ${id} --force`,
    },
  };
}

const NOT_RUNNING: Pick<
  Situation,
  | 'begun'
  | 'probed'
  | 'toReach'
  | 'failed'
  | 'marksErrors'
  | 'blockerState'
  | 'processState'
  | 'silentSeconds'
  | 'runsForSeconds'
> = {
  begun: true,
  probed: false,
  toReach: [],
  failed: false,
  marksErrors: true,
  blockerState: null,
  processState: null,
  silentSeconds: null,
  runsForSeconds: null,
};

/** The keys in the order of the documentation. */
function inOrder({advice, missing, ...facts}: JobWhy): JobWhy {
  return {...facts, advice, missing};
}
