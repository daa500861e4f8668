import {constants} from 'node:os';
import {formatDuration} from '../duration.ts';
import type {UnitState} from '../systemd/unit-state.ts';
import {limitText, type StartLimit} from './start-limit.ts';

/** AtoM's worker exits with it when `--max-job-count` or `--max-mem-usage` is reached. */
export const LIMIT_REACHED = 111;

/** Exit statuses that have a meaning of their own: AtoM's, PHP's, and those systemd uses before the program runs. */
const EXIT_STATUS_TEXTS: Record<number, string> = {
  [LIMIT_REACHED]: "the worker's own limit (--max-job-count or --max-mem-usage) was reached",
  200: 'systemd could not change to its working directory',
  203: 'its program could not be executed',
  217: 'its user does not exist',
  255: 'PHP ended with a fatal error',
};

/** What systemd's result means if the exit status does not show it. */
const RESULT_TEXTS: Record<string, string> = {
  'oom-kill': 'it was killed because memory ran out',
  timeout: 'it did not start or stop in time and was killed',
  watchdog: 'its watchdog killed it',
  resources: 'systemd did not have the resources to start it',
  protocol: 'it did not start as its unit file specifies',
};

/** How the worker ended last, without a full stop; null before it first ended. */
export function endingText({result, lastExit}: UnitState): string | null {
  const text = RESULT_TEXTS[result];
  if (text !== undefined) return text;
  if (lastExit === null) return null;
  const {how, status} = lastExit;
  if (how !== 'exited') return `it was ended by ${signalName(status)}`;
  const meaning = EXIT_STATUS_TEXTS[status];
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

/** Why a worker that does not run does not, in sentences; null while it runs. */
export function whyNotRunning(unit: UnitState, limit: StartLimit): string | null {
  if (unit.load === 'masked') return 'It is masked: it cannot start before "systemctl unmask".';
  if (unit.load !== 'loaded') return `systemd could not load it (${unit.load}).`;
  if (comesBack(unit) === null) return null;
  const ending = endingText(unit);
  if (unit.active === 'deactivating') return 'It is being stopped.';
  if (unit.sub === 'auto-restart') {
    return `${capital(ending ?? 'it ended')}. systemd starts it again ${formatDuration(unit.restartDelaySeconds)} after that.`;
  }
  if (unit.active === 'activating') return 'It is being started.';
  if (limit.hit) return atTheLimit(ending, limit);
  // systemd forgets a unit that ended without an error and is not enabled.
  if (ending === null && !limit.startsUsed) return 'It was not started recently.';
  if (ending !== null && !(unit.result === 'success' && unit.lastExit?.status === 0))
    return `${capital(ending)}.`;
  return `${capital(ending ?? 'it ended without an error')}: it was stopped by an administrator or by a SIGTERM.`;
}

function atTheLimit(ending: string | null, limit: StartLimit): string {
  const left = limit.secondsLeft === null ? '' : ` for another ${formatDuration(limit.secondsLeft)}`;
  return (
    `${ending === null ? '' : `${capital(ending)}. `}It reached the start limit of ${limitText(limit)}:` +
    ` systemd refuses to start it${left}. To start it, reset the count (atomctl worker:start --reset).`
  );
}

function capital(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}
