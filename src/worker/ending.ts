import {constants} from 'node:os';
import {formatTimeSpan} from '../systemd/time-span.ts';
import type {UnitState} from '../systemd/unit-state.ts';
import {limitWords, type StartLimit} from './start-limit.ts';

/** AtoM's worker exits with it when `--max-job-count` or `--max-mem-usage` is reached. */
export const LIMIT_REACHED = 111;

/** Exit statuses that have a meaning of their own: AtoM's, PHP's, and those systemd uses before the program runs. */
const STATUS_WORDS: Record<number, string> = {
  [LIMIT_REACHED]: "the worker's own limit (--max-job-count or --max-mem-usage) was reached",
  200: 'its working directory could not be entered',
  203: 'its program could not be executed',
  217: 'its user does not exist',
  255: 'PHP ended with a fatal error',
};

/** systemd's words for an end that the exit status does not tell. */
const RESULT_WORDS: Record<string, string> = {
  'oom-kill': 'it was killed because memory ran out',
  timeout: 'it did not start or stop in time and was killed',
  watchdog: 'its watchdog killed it',
  resources: 'systemd lacked the resources to start it',
  protocol: 'it did not start the way its unit says',
};

/** How the worker ended last, in words without a full stop; null before it first ended. */
export function endingWords({result, lastExit}: UnitState): string | null {
  const words = RESULT_WORDS[result];
  if (words !== undefined) return words;
  if (lastExit === null) return null;
  const {how, status} = lastExit;
  if (how !== 'exited') return `it was ended by ${signalName(status)}`;
  const meaning = STATUS_WORDS[status];
  return `it ended with exit status ${status}${meaning === undefined ? '' : `: ${meaning}`}`;
}

function signalName(number: number): string {
  const [name] = Object.entries(constants.signals).find(([, value]) => value === number) ?? [];
  return name ?? `signal ${number}`;
}

/** Whether systemd will start it again without being asked; null while it runs. */
export function comesBack(unit: UnitState): boolean | null {
  if (unit.active === 'active' || unit.active === 'reloading') return null;
  return unit.active === 'activating';
}

/**
 * Why a worker that does not run does not, and whether it will come back, in sentences; null while it runs.
 * @param startCommand what a person would type to start it
 */
export function whyNotRunning(unit: UnitState, limit: StartLimit, startCommand: string): string | null {
  const ending = endingWords(unit);
  if (unit.load === 'masked') return 'It is masked: nothing can start it before "systemctl unmask".';
  if (unit.load !== 'loaded') return `systemd could not load it (${unit.load}).`;
  if (comesBack(unit) === null) return null;
  if (unit.active === 'deactivating') return 'It is being stopped.';
  if (unit.active === 'activating') {
    if (unit.sub !== 'auto-restart') return 'It is being started.';
    return `${capital(ending ?? 'it ended')}; systemd starts it again ${formatTimeSpan(unit.restartDelaySeconds)} after that.`;
  }
  if (limit.hit) return atTheLimit(ending, limit);
  if (ending === null) return `It was not started since the machine was. ${willNot(startCommand)}`;
  if (unit.result === 'success' && unit.lastExit?.status === 0) {
    return `It ended with exit status 0: stopped by hand, or by SIGTERM from outside. ${willNot(startCommand)}`;
  }
  return `${capital(ending)}. ${willNot(startCommand)}`;
}

function atTheLimit(ending: string | null, limit: StartLimit): string {
  const left = limit.secondsLeft === null ? '' : ` for another ${formatTimeSpan(limit.secondsLeft)}`;
  return (
    `${ending === null ? '' : `${capital(ending)}. `}It reached the start limit of ${limitWords(limit)}:` +
    ` systemd refuses to start it${left}, until the counter is reset (atomctl worker:restart --reset).`
  );
}

function willNot(startCommand: string): string {
  return `It will not come back by itself: ${startCommand}.`;
}

function capital(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}
