/** Whether jobs can be run again, and what that would do: nothing is changed. */
import {formatAddress} from '../../gearman/address.ts';
import type {GearmanServer} from '../../gearman/server.ts';
import type {HostCommands} from '../../host-commands.ts';
import type {Database} from '../../mysql/database.ts';
import {type PhpArray, phpString} from '../../php/value.ts';
import {functionName} from '../../queue/function-name.ts';
import {claimsToBeProbe} from '../../queue/probe/probe-id.ts';
import {type QueueSnapshot, serverOfQueue, takeSnapshot} from '../../queue/snapshot.ts';
import {type LiveAccess, type LiveReport, liveStatesToAct, type Recheck} from '../live/live-state.ts';
import {type MarkState, stateOf} from '../mark/mark.ts';
import type {Job} from '../model/job.ts';
import {loadJobs} from '../model/load-jobs.ts';
import {changedSince, type Matched} from '../model/matched.ts';
import {fileProblem} from './job-files.ts';
import {type KnownJobs, knownJobs} from './known-jobs.ts';
import {type Relative, relatives} from './relatives.ts';
import {fileNotNamed, type LoggedStart, loggedStart, onlyByForce} from './run-again.ts';
import {type ClassFacts, namedFiles} from './second-run.ts';
import {payloadOf} from './submission.ts';

export interface RetryOptions extends Omit<LiveAccess, 'database'> {
  database: Database;
  ids: readonly number[];
  /** What the filters saw that chose the jobs; absent if ids did. */
  matched?: ReadonlyMap<number, Matched>;
  /** The site's root, in which its worker runs; null if it is not known. */
  root: string | null;
  /** Who retries, as the notes name them: user@host. */
  by: string;
  reason: string | null;
  /** The culture that AtoM is to show the notes in. */
  culture: string;
  /** Runs also what does work twice, and jobs that lost their user. */
  force: boolean;
  /** Runs also what was run again before; false if filters chose the jobs, which know nothing of that. */
  onceMore: boolean;
  /** Aborted, the jobs are left alone that were not begun with. */
  signal: AbortSignal;
  recheck: Recheck;
  /** How a worker is started on this host. */
  commands: HostCommands;
}

/** A row as it was seen: it must still say the same as it is changed. */
export interface SeenRow {
  id: number;
  status: Job['status'];
  /** Bytes of its log. */
  logLength: number;
}

/** What a job is run again with. */
export interface ReadyRetry {
  old: SeenRow;
  /** Jobs with the same work that were lost: their rows are marked as errors. */
  lost: SeenRow[];
  /** The ids of all jobs with the same work: another one means that somebody was quicker. */
  relatives: number[];
  parameters: PhpArray;
  function: string;
  /** Those that have a worker for it; never empty. */
  servers: GearmanServer[];
  objectId: number | null;
  anonymous: boolean;
  /** That AtoM deletes old jobs as it begins, a sentence; null if it does not. */
  deletes: string | null;
  /** What running it again does, in sentences. */
  effects: string[];
}

/** A job, and why it cannot be run again or what with. */
export interface RetryTarget {
  job: Job;
  verdict: {refused: string} | {ready: ReadyRetry};
}

/** What is read of a job before the servers are asked. */
interface Draft {
  job: Job;
  logLength: number;
  start: LoggedStart;
  relatives: Relative[];
}

interface Evidence {
  report: LiveReport | null;
  known: KnownJobs;
  snapshot: QueueSnapshot;
}

/**
 * What would become of each job; ids without a row are left out. A job that says Running must be proved lost, and no server
 * may have its key: its work would be done twice.
 * @throws AtomctlError for the database
 */
export async function planRetry(options: RetryOptions): Promise<Map<number, RetryTarget>> {
  const jobs = await loadJobs({...options, now: options.now(), ids: [...new Set(options.ids)]});
  const drafts: Draft[] = [];
  for (const job of jobs) drafts.push(await draftOf(options.database, job));
  const evidence = await collect(options, drafts);
  const targets = new Map<number, RetryTarget>();
  for (const draft of drafts) {
    const {job} = draft;
    const {was, reason} = stateOf(job, evidence.report, {executing: evidence.known.found});
    const refused = stateRefusal(job, was, reason) ?? matchRefusal(options, job, was);
    const verdict = refused === null ? await judge(options, draft, evidence) : {refused};
    targets.set(job.id, {job, verdict});
  }
  return targets;
}

function matchRefusal({matched}: RetryOptions, {id, status}: Job, state: string): string | null {
  const since = changedSince(matched?.get(id), {status, state});
  return since === null ? null : `Job ${id} changed meanwhile: ${since}. Nothing was done.`;
}

async function draftOf(database: Database, job: Job): Promise<Draft> {
  const [row] = await database.query<{output: string | null; bytes: number | null}>(
    'SELECT output, LENGTH(output) AS bytes FROM job WHERE id = ?',
    [job.id],
  );
  return {
    job,
    logLength: row?.bytes ?? 0,
    start: loggedStart(job, row?.output ?? ''),
    relatives: await relatives(database, job.id),
  };
}

async function collect(options: RetryOptions, drafts: readonly Draft[]): Promise<Evidence> {
  const rows = drafts.flatMap((draft) => [draft.job, ...draft.relatives]);
  const running = new Set(rows.filter(({status}) => status === 'running').map(({id}) => id));
  const report = running.size === 0 ? null : await liveStatesToAct(options, options.recheck, running);
  const keyed = drafts.flatMap(({job: {id, name}, start, ...draft}) => {
    if ('refused' in start) return [];
    const {parameters, text} = start;
    const others = draft.relatives.map((other) => ({...other, parameters: payloadOf(parameters, other.id)}));
    return [{id, name, parameters: text}, ...others];
  });
  const known = await knownJobs(keyed, options);
  const snapshot = await takeSnapshot(options.servers, {connections: true, nowMs: options.now().getTime()});
  return {report, known, snapshot};
}

/** Why a job in this state is not run again, with what to do instead; null if it may be. */
export function stateRefusal(
  {id, status}: Pick<Job, 'id' | 'status'>,
  was: MarkState,
  reason: string,
): string | null {
  switch (was) {
    case 'ended':
    case 'lost':
      return null;
    case 'executing':
      if (status !== 'running')
        return `Job ${id} has ended in the database, but ${reason} Run the same command again when that worker is done with it. To see it: atomctl queue:workers`;
      return `Job ${id} is executing. ${reason} To wait for its end: atomctl jobs:wait ${id}`;
    case 'queued':
      return `Job ${id} is queued. ${reason} A worker will run it. To remove it from Gearman: atomctl jobs:kill ${id}`;
    case 'finished':
      return `Job ${id} has finished its work; only its row was not saved. To correct the row: atomctl jobs:mark ${id} --as completed`;
    case 'uncertain':
      return `Job ${id} is uncertain. ${reason} To end it first: atomctl jobs:kill ${id}`;
  }
}

type Verdict = RetryTarget['verdict'];

/** The checks of a job that has ended or is lost, in the order in which a user can do something about them. */
async function judge(options: RetryOptions, draft: Draft, evidence: Evidence): Promise<Verdict> {
  const {job, start} = draft;
  const {id} = job;
  if ('refused' in start) return start;
  const {parameters, jobClass, facts} = start;
  const open = openElsewhere(draft, evidence) ?? retriedBefore(options, draft);
  if (open !== null) return {refused: open};
  const row = await rowFacts(options, job, parameters);
  const objectId = objectIdOf(parameters);
  if (objectId !== null && !row.objectExists)
    return {
      refused: `Job ${id} needs the object ${objectId}, which was deleted. It cannot run again.`,
    };
  if (job.userId === null && !row.anonymous && !options.force) return {refused: noUserText(id, row.deletes)};
  const second = facts.run(parameters);
  const fileMissing = await filesRefusal(options, job, facts, parameters);
  if (fileMissing !== null) return {refused: fileMissing};
  if (second.harmful && !options.force) return {refused: onlyByForce(id, second.text)};
  const {own} = options.prefixes;
  if (own === null)
    return {refused: "This site's function prefix is not known. Give it with --function-prefix."};
  const name = functionName(own, jobClass);
  const servers = serversFor(name, evidence.snapshot);
  if (servers.length === 0)
    return {
      refused: `No connected worker of this site runs ${jobClass}. To start the workers: ${options.commands.startWorker}`,
    };
  return {
    ready: {
      old: {id, status: job.status, logLength: draft.logLength},
      lost: lostRelatives(draft, evidence),
      relatives: draft.relatives.map((other) => other.id),
      parameters,
      function: name,
      servers,
      objectId,
      anonymous: row.anonymous,
      deletes: job.userId === null ? row.deletes : null,
      effects: [
        runBefore(id, draft.relatives) ?? '',
        second.text,
        job.userId === null ? row.deletes : '',
      ].filter(Boolean),
    },
  };
}

/** Why the job, or one with the same work, may still be run by a worker; null if none can. */
function openElsewhere({job: {id}, ...draft}: Draft, {report, known}: Evidence): string | null {
  if (known.problem !== null)
    return `${known.problem} So atomctl does not know if Gearman still has job ${id}. Run the same command again after the server answers.`;
  const place = known.found.get(id)?.[0];
  if (place !== undefined)
    return (
      `${serverOfQueue(place.queue)} still has job ${id}, waiting or cancelled. ` +
      'A free worker will run or remove it: wait for this, then run the same command again.'
    );
  for (const other of draft.relatives) {
    const was = other.status === 'running' ? (report?.verdicts.get(other.id)?.state ?? 'ended') : 'ended';
    const isOpen = (was !== 'lost' && was !== 'ended') || known.found.has(other.id);
    if (isOpen)
      return `Job ${other.id} does the same work as job ${id} and has not ended. To see it: atomctl jobs:show ${other.id}`;
  }
  return null;
}

/**
 * Of jobs with the same work the last one that began is run again: a failed job stays failed whatever became of its retry, and
 * filters would choose it every time.
 */
function retriedBefore({onceMore, ids}: RetryOptions, {job: {id}, ...draft}: Draft): string | null {
  const later = laterRuns(id, draft.relatives);
  const named = later.findLast((other) => ids.includes(other.id));
  if (named !== undefined)
    return `Job ${named.id} does the same work as job ${id}, and both ids were given. To run it once: atomctl jobs:retry ${named.id}`;
  const before = runBefore(id, draft.relatives);
  return onceMore || before === null ? null : `${before} To run it once more: atomctl jobs:retry ${id}`;
}

function laterRuns(id: number, relatives: readonly Relative[]): Relative[] {
  return relatives.filter((other) => other.id > id && other.began);
}

/** That the work was done once more since, and how that ended; null if it was not. */
function runBefore(id: number, relatives: readonly Relative[]): string | null {
  const last = laterRuns(id, relatives).findLast(({status}) => status !== 'running');
  return last === undefined ? null : `Job ${id} was already run again, as job ${last.id} (${last.status}).`;
}

function lostRelatives(draft: Draft, {report}: Evidence): SeenRow[] {
  const lengths = new Map(report?.rows.map(({id, logLength}) => [id, logLength]));
  return draft.relatives
    .filter(({status}) => status === 'running')
    .map(({id, status}) => ({id, status, logLength: lengths.get(id) ?? 0}));
}

function noUserText(id: number, effect: string): string {
  return (
    `Job ${id} has no user: it was submitted on the command line, or its user was deleted. ` +
    `${effect} To run it anyway: atomctl jobs:retry ${id} --force`
  );
}

interface RowFacts {
  objectExists: boolean;
  /** It has the token of an anonymous visitor. */
  anonymous: boolean;
  /** What AtoM deletes as a job without a user begins: arBaseJob::deleteOldUnauthenticatedJobs. */
  deletes: string;
}

const TWO_DAYS_MS = 2 * 86_400_000;

async function rowFacts(options: RetryOptions, {id}: Job, parameters: PhpArray): Promise<RowFacts> {
  const {database, time, now} = options;
  const old = time.wallBefore(new Date(now().getTime() - TWO_DAYS_MS));
  const [row] = await database.query<{object: number; anonymous: number; old: number; own: number | null}>(
    `SELECT EXISTS (SELECT 1 FROM object WHERE id = ?) AS object,
            EXISTS (SELECT 1 FROM property WHERE object_id = ? AND name = 'userToken') AS anonymous,
            COUNT(job.id) AS old, MAX(job.id = ?) AS own
     FROM job JOIN object ON object.id = job.id
     WHERE job.user_id IS NULL AND object.created_at < ?`,
    [objectIdOf(parameters) ?? 0, id, id, old],
  );
  const count = Number(row!.old);
  const which =
    count > 1
      ? `the ${count} jobs without a user that are`
      : `${count === 0 ? 'every job' : 'the 1 job'} without a user that is`;
  return {
    objectExists: row!.object === 1,
    anonymous: row!.anonymous === 1,
    deletes: `It runs without a user: when it starts, AtoM deletes ${which} older than two days${row!.own === 1 ? `, job ${id} among them` : ''}.`,
  };
}

/** The object that AtoM gave the row; null if the job has none. */
function objectIdOf(parameters: PhpArray): number | null {
  const text = phpString(parameters.get('objectId') ?? null);
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : null;
}

async function filesRefusal(
  {root}: RetryOptions,
  job: Job,
  facts: ClassFacts,
  parameters: PhpArray,
): Promise<string | null> {
  const paths = namedFiles(facts, parameters);
  if (paths === null) return fileNotNamed(job, parameters);
  for (const path of paths) {
    const problem = await fileProblem(path, root);
    if (problem === null) continue;
    const instead = problem.includes('permission')
      ? 'Run atomctl as a user who may read it: sudo -u www-data atomctl …'
      : 'Upload it again in AtoM, or run atomctl on the host that has the file.';
    return `Job ${job.id} reads the file ${path}, which ${problem}. ${instead}`;
  }
  return null;
}

function serversFor(name: string, {answered, connections}: QueueSnapshot): GearmanServer[] {
  return answered.filter((server) =>
    connections
      .get(formatAddress(server.address))
      ?.some(({id, functions}) => !claimsToBeProbe(id) && functions.includes(name)),
  );
}
