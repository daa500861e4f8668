/**
 * Keeps a site's jobs from starting while a command runs. The phases: take what waits until nothing executes, stop the workers,
 * run the command and take what arrives, give the jobs back, start the workers. If the process is killed, gearmand gives back what
 * it held.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {counted} from '../../counted.ts';
import {AtomctlError, EXIT} from '../../errors.ts';
import {splitFunctionName} from '../../queue/function-name.ts';
import type {SavedJob} from '../../queue/saved/saved-queue.ts';
import type {LiveAccess} from '../live/collect-evidence.ts';
import {failureOf} from '../model/worker-control.ts';
import type {RestoreAction, RestoreResult} from '../save/restore.ts';
import {otherPrefix} from '../save/restore-plan.ts';
import {HeldQueue, type HeldQueueOptions, type LeftJobs, type Moved} from './held-queue.ts';
import {
  addWaits,
  type ExecutedJob,
  executedText,
  type LeftClass,
  leftText,
  type WaitsFor,
  waitsForText,
  whatHoldWaitsFor,
} from './waits-for.ts';

/** What a site is after the command: a deploy may have moved it. */
export interface SiteAfterwards {
  /** null if it is not known. */
  prefix: string | null;
  /** The Gearman servers that it uses, `host:port`; null if they are not known. */
  servers: readonly string[] | null;
  /**
   * Starts the units that were stopped, whatever is known of the site.
   * @throws AtomctlError if a worker did not come back with its abilities, or if that is not known
   */
  startUnits: () => Promise<void>;
  /**
   * Submits the jobs that no server knows any more.
   * @param rePrefix under the prefix that the site has now
   */
  restore: (jobs: readonly SavedJob[], rePrefix: boolean) => Promise<RestoreResult>;
  close: () => Promise<void>;
}

export interface HoldOptions extends Omit<HeldQueueOptions, 'workersStop'>, LiveAccess {
  signal: AbortSignal;
  /** Stops the site's units; null if it has none here. @throws AtomctlError if one did not stop */
  stopUnits: (() => Promise<void>) | null;
  /** How long executing jobs may take to end; null: without limit. */
  maxWaitSeconds: number | null;
  /** Runs the command and resolves to its exit status. */
  runCommand: () => Promise<number>;
  afterwards: () => Promise<SiteAfterwards>;
  /** Writes jobs that no server may have as queue:save does, and resolves to the file's name. */
  keepCopy: (jobs: readonly SavedJob[]) => Promise<string>;
  /** Submits jobs of another prefix under the one that the site has afterwards. */
  rePrefix: boolean;
  /** Says what goes on, and what cannot be promised. */
  notice: (text: string) => void;
}

export interface HoldResult {
  /** The command's exit status; null if it did not run. */
  commandStatus: number | null;
  /** How many jobs were held; of these, moved to the site's new prefix, and submitted again after a restart of gearmand. */
  held: number;
  moved: number;
  restored: number;
  /** Jobs under an earlier prefix that were only ended there: they had been moved before, or their rows have ended. */
  dropped: number;
  /** How many wait in the queue again, or have left it for a worker since. */
  returned: number;
  unitsStopped: boolean;
  /** The executing jobs whose end was waited for, and the serial jobs that were left to the workers when the wait ended. */
  waitedFor: ExecutedJob[];
  left: LeftClass[];
  /** Why the command did not run, or why jobs are under a prefix that no worker of the site has. */
  failure: AtomctlError | null;
  /** What went wrong after the command; nothing is lost. */
  problems: string[];
}

/**
 * Holds the queue, runs the command and gives the jobs back whatever happens.
 * @throws AtomctlError before anything was held: see HeldQueue.open
 */
export async function holdQueue(options: HoldOptions): Promise<HoldResult> {
  const queue = await HeldQueue.open({...options, workersStop: options.stopUnits !== null});
  const run: Run = {
    commandStatus: null,
    unitsStopped: false,
    waits: {executing: [], unnamed: 0, left: []},
  };
  let failure: AtomctlError | null = null;
  let end = nothingEnded();
  try {
    failure = await failureOf(runHeld(queue, options, run));
  } finally {
    end = await finish(queue, options, run);
  }
  const {waits, ...ran} = run;
  const waited = {waitedFor: waits.executing, left: waits.left};
  return {...ran, ...waited, ...end, failure: failure ?? end.failure};
}

interface Run {
  commandStatus: number | null;
  unitsStopped: boolean;
  waits: WaitsFor;
}

async function runHeld(queue: HeldQueue, options: HoldOptions, run: Run): Promise<void> {
  const {stopUnits} = options;
  const saysWorkers = stopUnits === null && (await sayNotPromised(queue, options));
  await becomeIdle(queue, options, run);
  if (stopUnits !== null) {
    run.unitsStopped = true;
    await stopUnits();
    // What a worker began in the moment before is back in the queue.
    await queue.takeWaiting();
  }
  if (!saysWorkers) await sayNotPromised(queue, options);
  if (options.signal.aborted) throw interrupted();
  run.commandStatus = await whileTaking(queue, options.runCommand);
}

/** @returns whether there was something to say */
async function sayNotPromised(queue: HeldQueue, {notice}: HoldOptions): Promise<boolean> {
  const workers = await queue.workers();
  if (workers > 0) notice(notPromised(workers));
  return workers > 0;
}

function notPromised(workers: number): string {
  const which = workers === 1 ? '1 worker of this site is' : `${workers} workers of this site are`;
  return `${which} not stopped, because no active systemd unit of this host runs it: a job that arrives while the command runs may start before it can be held, and imports and moves are not held.`;
}

const POLL_MS = 100;

/** Takes what waits until no worker executes a job; says what it waits for, each time that this has changed. */
async function becomeIdle(queue: HeldQueue, options: HoldOptions, run: Run): Promise<void> {
  const began = performance.now();
  let [before, said] = ['', ''];
  for (;;) {
    const left = await queue.takeWaiting();
    const executing = await queue.executing();
    await queue.requireConnected();
    if (left.length === 0 && executing === 0) {
      run.waits.left = [];
      return;
    }
    if (options.signal.aborted) throw interrupted();
    const {maxWaitSeconds} = options;
    const isOver = maxWaitSeconds !== null && performance.now() - began >= maxWaitSeconds * 1000;
    // What a worker is about to be handed does not stay.
    const now = JSON.stringify([left, executing]);
    if (isOver || (now === before && now !== said)) {
      const waits = await readWaits(queue, options, {left, executing});
      addWaits(run.waits, waits);
      if (isOver) throw timeOver(waits, maxWaitSeconds);
      options.notice(waitsForText(waits));
      said = now;
    }
    before = now;
    await sleep(POLL_MS, undefined, {signal: options.signal}).catch(() => {});
  }
}

/** Without the database only the counts are known. */
async function readWaits(
  queue: HeldQueue,
  options: HoldOptions,
  seen: {left: readonly LeftJobs[]; executing: number},
): Promise<WaitsFor> {
  const waits = whatHoldWaitsFor(options, queue, seen);
  return waits.catch((error: unknown) => {
    if (!(error instanceof AtomctlError)) throw error;
    return {
      executing: [],
      unnamed: seen.executing,
      left: seen.left.map((each) => ({...each, ids: null})),
    };
  });
}

function timeOver({executing, unnamed, left}: WaitsFor, seconds: number): AtomctlError {
  const count = executing.length + unnamed;
  const named = executing.length === 0 ? '' : `: ${executing.map(executedText).join('; ')}`;
  const message =
    count === 0
      ? `After ${seconds} s jobs that were not taken still wait.`
      : `After ${seconds} s the site still executes ${counted(count, 'job')}${named}.`;
  return new AtomctlError(
    'TIME_OVER',
    [message, ...left.map((each) => leftText(each, {over: true}))].join(' '),
    {
      hint: 'The command was not run, and the waiting jobs are back in the queue. Allow more with --max-wait.',
    },
  );
}

function interrupted(): AtomctlError {
  return new AtomctlError('INTERRUPTED', 'Interrupted before the command was run.', {
    hint: 'The waiting jobs are back in the queue.',
  });
}

async function whileTaking(queue: HeldQueue, runCommand: () => Promise<number>): Promise<number> {
  let ended = false;
  const command = runCommand().finally(() => {
    ended = true;
  });
  // Its failure is thrown below.
  const settled = command.catch(() => {});
  while (!ended) {
    await queue.takeArrived();
    await Promise.race([settled, sleep(POLL_MS)]);
  }
  return command;
}

type Ending = Omit<HoldResult, 'commandStatus' | 'unitsStopped' | 'waitedFor' | 'left'>;

function nothingEnded(): Ending {
  return {held: 0, moved: 0, restored: 0, dropped: 0, returned: 0, failure: null, problems: []};
}

async function finish(queue: HeldQueue, options: HoldOptions, run: Run): Promise<Ending> {
  const end = nothingEnded();
  const report = (error: AtomctlError | null) => {
    if (error !== null) end.problems.push([error.message, error.hint].filter(Boolean).join(' '));
  };
  const site = await options.afterwards();
  try {
    try {
      // What has come since stays behind what waited.
      await queue.takeArrived();
      end.held = queue.jobs.length;
      if (options.rePrefix && site.prefix !== null) report(await failureOf(move(queue, site.prefix, end)));
      for (const error of await queue.giveBack()) report(error);
    } finally {
      // Workers that run already would begin the last jobs first where very many return.
      if (run.unitsStopped) report(await failureOf(site.startUnits()));
      await queue.noticeLosses();
      await queue.close();
    }
    end.returned = queue.jobsBack.length;
    const left = options.rePrefix ? queue.jobsBack : queue.jobs;
    end.failure = leftOn(left, site, options) ?? leftUnder(left, options.prefixes.own, site.prefix);
    if (queue.isLost) report(await failureOf(restoreLost(queue, site, end, options)));
  } finally {
    await site.close();
  }
  return end;
}

async function move(queue: HeldQueue, prefix: string, end: Ending): Promise<void> {
  const moved: Moved = {moved: 0, dropped: 0, left: []};
  try {
    await queue.move(prefix, moved);
  } finally {
    end.moved = moved.moved;
    end.dropped = moved.dropped;
    end.problems.push(...moved.left);
  }
}

/** Why jobs wait on a server where the site's workers do not look for them; null if none does. */
function leftOn(
  held: readonly SavedJob[],
  {servers, prefix}: SiteAfterwards,
  {prefixes, rePrefix}: HoldOptions,
): AtomctlError | null {
  const left = held.filter(({server}) => servers !== null && !servers.includes(server));
  if (left.length === 0 || servers === null) return null;
  const old = [...new Set(left.map(({server}) => server))];
  const isMoved = !rePrefix && prefix !== null && prefix !== prefixes.own;
  const save = [...old.map((server) => `--gearman ${server}`)];
  if (isMoved) save.push(`--function-prefix ${prefixes.own}`);
  const restore = `--to ${servers[0]}${isMoved ? ' --re-prefix' : ''}`;
  const message = `${waiting(left)} on ${old.join(', ')}, and this site's Gearman server is ${servers.join(', ')}: no worker of it runs them.`;
  return new AtomctlError('REFUSED', message, {
    hint: `To submit them there: atomctl queue:save queue.json ${save.join(' ')}; atomctl queue:restore queue.json ${restore}. Run no worker of the site on ${old.join(', ')} afterwards: it still has them, too.`,
  });
}

/** Why jobs are not given back where the site's workers find them; null if they are. */
function leftUnder(
  held: readonly SavedJob[],
  before: string | null,
  after: string | null,
): AtomctlError | null {
  if (before === after) return null;
  const left = held.filter((job) => (splitFunctionName(job.function).prefix ?? '') !== after);
  if (left.length === 0) return null;
  const {prefix: old} = splitFunctionName(left[0]!.function);
  const command = `atomctl queue:hold --from-prefix ${old} --re-prefix -- true`;
  if (after !== null)
    return otherPrefix(waiting(left), {old, own: after}, `To submit them under the site's own: ${command}`);
  return new AtomctlError(
    'REFUSED',
    `${waiting(left)} under the function prefix ${old}, and it is not known whether this is still the site's.`,
    {
      hint: `Repair the settings first, or give --atom-root. If the prefix is another one then: ${command}. To see it: atomctl config`,
    },
  );
}

function waiting({length}: readonly SavedJob[]): string {
  return length === 1 ? '1 job waits' : `${length} jobs wait`;
}

/** What a restarted gearmand has forgotten. What cannot be submitted again is kept in a file: nothing else has it. */
async function restoreLost(
  queue: HeldQueue,
  site: SiteAfterwards,
  end: Ending,
  {keepCopy, rePrefix}: HoldOptions,
): Promise<void> {
  const {jobs: held} = queue;
  if (held.length === 0) return;
  let isWhole = false;
  try {
    const restored = await site.restore(held, rePrefix && site.prefix !== null);
    end.restored = restored.jobs.filter(({action}) => action === 'submitted').length;
    end.returned = restored.jobs.filter(({action}) => !LEFT.includes(action)).length;
    end.problems.push(...restored.warnings);
    const left = restored.jobs.filter(({action}) => LEFT.includes(action));
    for (const {id, message} of left) end.problems.push(`Job ${id}: ${message}`);
    isWhole = left.length === 0;
  } finally {
    if (!isWhole) {
      const file = await keepCopy(held);
      const command = `atomctl queue:restore ${file}`;
      end.problems.push(
        `The ${counted(held.length, 'job')} that were held are saved in ${file}. To submit them: ${command}`,
      );
    }
  }
}

const LEFT: readonly RestoreAction[] = ['blocked', 'refused', 'failed', 'left'];

/** The command's, if it did not succeed; else that of what went wrong around it. */
export function holdExitStatus({commandStatus, failure, problems}: HoldResult): number {
  if (commandStatus !== null && commandStatus !== 0) return commandStatus;
  if (failure !== null) return failure.exitStatus;
  return problems.length > 0 ? EXIT.failed : EXIT.ok;
}
