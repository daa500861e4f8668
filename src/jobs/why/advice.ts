import {formatDuration} from '../../duration.ts';
import type {HostCommands} from '../../host-commands.ts';
import type {ProcessState} from '../../processes/process-state.ts';
import type {RunAgain} from '../retry/run-again.ts';
import {SERIAL_SECONDS, SERIAL_TRIES} from './blocker.ts';
import type {JobWhy} from './facts.ts';

/** What the advice rests on besides the facts that are shown. */
export interface Situation extends Omit<JobWhy, 'advice'> {
  begun: boolean;
  /** The waiting jobs were read. */
  probed: boolean;
  /** The Gearman servers that may have the job and did not answer: a probe cannot find it there. */
  toReach: readonly string[];
  /** How it is run again once it has ended. */
  again: RunAgain;
  /** Of a finished job: its log or notes show an error. */
  failed: boolean;
  /** Its log would show one: AtoM 2.7 and later. */
  marksErrors: boolean;
  /** The state of the row that blocks it; null if none does. */
  blockerState: string | null;
  /** Of its worker's process; null if that is not known. */
  processState: ProcessState | null;
  silentSeconds: number | null;
  runsForSeconds: number | null;
  /** How a worker is started on this host. */
  commands: HostCommands;
}

export type Advice = JobWhy['advice'];

/** A job that is silent for less is at work, as far as its log can tell. */
const SILENT_SECONDS = 3600;

/** The one thing to do about a job, with the command for it. */
export function adviceFor(job: Situation): Advice {
  switch (job.likely ?? job.state) {
    case 'executing':
      return aboutExecuting(job);
    case 'queued':
      return aboutQueued(job);
    case 'finished':
      return aboutFinished(job);
    case 'lost':
      return aboutLost(job);
    case 'uncertain':
      return notProved(job);
    case 'error':
      return aboutFailed(job);
    case 'unknown':
      return {
        message: `See what became of it, then: atomctl jobs:mark ${job.id} --as completed, or --as error.`,
        command: `atomctl jobs:show ${job.id}`,
      };
    default:
      return {message: 'It has ended: there is nothing to do.', command: `atomctl jobs:show ${job.id}`};
  }
}

function aboutFailed({id, again}: Situation): Advice {
  const show = `atomctl jobs:show ${id}`;
  return 'command' in again
    ? {message: `See its errors with ${show}; then run it again.`, command: again.command}
    : {message: `See its errors. ${again.instead}`, command: show};
}

function aboutBlocked({again, triesUsed}: Situation, blocker: number): Advice {
  // After the last try it waits once more.
  const left = (SERIAL_TRIES - (triesUsed ?? 0) + 1) * SERIAL_SECONDS;
  const then = 'command' in again ? `run it again with ${again.command}.` : again.instead;
  return {
    message: `It fails in at most ${formatDuration(left)} unless job ${blocker} ends before. If it fails: ${then}`,
    command: `atomctl jobs:why ${blocker}`,
  };
}

function aboutExecuting(job: Situation): Advice {
  const {id, worker, processState, silentSeconds, runsForSeconds, usual, blockedBy} = job;
  if (processState === 'stopped') {
    return {
      message: 'A signal has stopped its process: let it continue.',
      command: `kill -CONT ${worker!.pid}`,
    };
  }
  if (processState === 'gone') {
    return {
      message:
        'Its worker has ended. When the child ends too, Gearman hands the job out again and it imports twice: cancel the job; the child continues.',
      command: `atomctl jobs:kill ${id} --force`,
    };
  }
  if (blockedBy !== null) return aboutBlocked(job, blockedBy);
  const isSilent = silentSeconds !== null && silentSeconds > SILENT_SECONDS;
  const isLong = usual === null || (runsForSeconds ?? 0) > usual.p95Seconds;
  if (isSilent && isLong) {
    return {
      message: `It has logged nothing for ${formatDuration(silentSeconds)}. If its process uses no CPU and no disk either, end it; this says how.`,
      command: `atomctl jobs:kill ${id}`,
    };
  }
  return {message: 'Let it work, and watch its log.', command: `atomctl jobs:show ${id} --follow`};
}

function aboutQueued(job: Situation): Advice {
  const {id, name, ableWorkers, blockedBy, position, commands, toReach} = job;
  if (job.state === 'uncertain' && toReach.length > 0) return reachFirst(toReach);
  if (ableWorkers?.length === 0)
    return {message: `No connected worker can do ${name}: start one.`, command: commands.startWorker};
  if (blockedBy !== null) {
    const isLost = job.blockerState === 'lost' || job.blockerState === 'finished';
    return isLost
      ? {
          message: `Job ${blockedBy} blocks it and nothing executes that: correct its row.`,
          command: 'atomctl doctor --fix',
        }
      : {message: `Wait for job ${blockedBy}, which goes first.`, command: `atomctl jobs:wait ${blockedBy}`};
  }
  if (job.state === 'uncertain') return notProved(job);
  if (ableWorkers?.every(({idle}) => idle === true))
    return {
      message: 'A worker that can do it executes nothing: if this stays so, it hangs.',
      command: 'atomctl queue:status',
    };
  const busy = ableWorkers?.find(({executes}) => executes !== null)?.executes ?? null;
  const before =
    position === null || position === 1
      ? 'a worker to become free'
      : position === 2
        ? 'the job before it'
        : `the ${position - 1} jobs before it`;
  return busy === null
    ? {message: `Wait for ${before}.`, command: `atomctl jobs:wait ${id}`}
    : {
        message: `Wait for ${before}; a worker that can do it executes job ${busy}.`,
        command: `atomctl jobs:why ${busy}`,
      };
}

function notProved({id, probed, toReach}: Situation): Advice {
  if (toReach.length > 0) return reachFirst(toReach);
  return probed
    ? {message: 'See what keeps its state from being proved.', command: 'atomctl doctor'}
    : {message: 'See if it is among the waiting jobs.', command: `atomctl jobs:why ${id} --probe`};
}

function reachFirst(servers: readonly string[]): Advice {
  const names = servers.join(', ');
  const message =
    servers.length === 1
      ? `Gearman server ${names} may have it and does not answer: start it, or correct its address.`
      : `These Gearman servers may have it and do not answer: ${names}. Start them, or correct their addresses.`;
  return {message, command: 'atomctl doctor --check gearman-servers'};
}

function aboutFinished(job: Situation): Advice {
  const {id, state, failed, marksErrors, probed} = job;
  if (state === 'uncertain') return notProved(job);
  const mark = `atomctl jobs:mark ${id}${probed ? ' --probe' : ''} --as`;
  if (failed) return {message: 'Bring its row up to date: it failed.', command: `${mark} error`};
  return marksErrors
    ? {message: 'Bring its row up to date.', command: `${mark} completed`}
    : {
        message: `See in its log whether it failed, then: ${mark} completed, or --as error.`,
        command: `atomctl jobs:show ${id}`,
      };
}

function aboutLost(job: Situation): Advice {
  const {id, again, state} = job;
  if (state === 'uncertain') return notProved(job);
  return 'command' in again
    ? {
        message: 'Run it again: this makes a new job and marks this one as an error.',
        command: again.command,
      }
    : {message: `End it. ${again.instead}`, command: `atomctl jobs:kill ${id}`};
}
