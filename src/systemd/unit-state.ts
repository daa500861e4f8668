import {parseTimeSpan} from './time-span.ts';

/** How the last main process of a service ended: an exit status, or the number of the signal that ended it. */
export interface MainExit {
  how: 'exited' | 'killed' | 'dumped';
  status: number;
}

/** One service as systemd describes it in properties; most names are systemd's own. */
export interface UnitState {
  /** With its suffix: `atom-worker.service`. */
  name: string;
  /** `loaded`, `not-found`, `masked`, `bad-setting`, `error`. */
  load: string;
  /** `active`, `inactive`, `failed`, `activating`, `deactivating`, `reloading`. */
  active: string;
  /** `running`, `dead`, `failed`, `auto-restart`, … */
  sub: string;
  /** `enabled`, `disabled`, `static`, … ; empty if systemd gives none. */
  enablement: string;
  /** The unit's file; null if there is none. */
  path: string | null;
  /** When it came into this active state. */
  since: Date | null;
  mainPid: number | null;
  /** Its path below the cgroup file system; null if it has no processes. */
  controlGroup: string | null;
  memoryBytes: number | null;
  /** Automatic restarts since the last manual start or reset. */
  restarts: number;
  /** `no`, `on-failure`, `always`, … */
  restartPolicy: string;
  restartDelaySeconds: number;
  /** How the service ended last, as systemd names it: `success`, `exit-code`, `signal`, `start-limit-hit`, … */
  result: string;
  /** null before the main process first ended. */
  lastExit: MainExit | null;
  /** Exit statuses that bring a restart whatever the policy, and those that prevent one. */
  restartForced: number[];
  restartPrevented: number[];
  /** The command line of ExecStart, arguments joined by spaces; empty if there is none. */
  command: string;
  /** As written in the unit, without systemd's `-` or `!` for "may be missing". */
  workingDirectory: string | null;
  user: string | null;
  after: string[];
  /** systemd refuses a start when `burst` starts happened within the interval; either at 0 means no limit. */
  startLimit: {burst: number; intervalSeconds: number};
}

/** The properties requested from `systemctl show`; an older systemd leaves out those that it does not have. */
export const UNIT_PROPERTIES = [
  'Id',
  'LoadState',
  'ActiveState',
  'SubState',
  'UnitFileState',
  'FragmentPath',
  'StateChangeTimestamp',
  'MainPID',
  'ControlGroup',
  'MemoryCurrent',
  'NRestarts',
  'Restart',
  'RestartUSec',
  'Result',
  'ExecMainCode',
  'ExecMainStatus',
  'RestartForceExitStatus',
  'RestartPreventExitStatus',
  'ExecStart',
  'WorkingDirectory',
  'User',
  'After',
  'StartLimitBurst',
  'StartLimitIntervalUSec',
  // Before systemd 230 the interval had another name and unit.
  'StartLimitInterval',
] as const;

/** `CLD_EXITED`, `CLD_KILLED` and `CLD_DUMPED` of waitid(2), which is what ExecMainCode holds. */
const EXIT_KINDS: Record<string, MainExit['how']> = {'1': 'exited', '2': 'killed', '3': 'dumped'};

/** The states in the output of `systemctl show` for one or more units: blocks of KEY=VALUE, a blank line between. */
export function parseUnitStates(output: string): UnitState[] {
  return output
    .split(/\n{2,}/)
    .filter((block) => block.trim() !== '')
    .map((block) => unitState(properties(block)));
}

/** A repeated key (several ExecStart lines) keeps all its values, one a line. */
function properties(block: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of block.split('\n')) {
    const at = line.indexOf('=');
    if (at === -1) continue;
    const key = line.slice(0, at);
    const earlier = found.get(key);
    found.set(key, earlier === undefined ? line.slice(at + 1) : `${earlier}\n${line.slice(at + 1)}`);
  }
  return found;
}

function unitState(given: Map<string, string>): UnitState {
  const text = (key: string) => given.get(key) ?? '';
  const orNull = (key: string) => given.get(key) || null;
  const how = EXIT_KINDS[text('ExecMainCode')];
  return {
    name: text('Id'),
    load: text('LoadState'),
    active: text('ActiveState'),
    sub: text('SubState'),
    enablement: text('UnitFileState'),
    path: orNull('FragmentPath'),
    since: timestamp(text('StateChangeTimestamp')),
    mainPid: Number(text('MainPID')) || null,
    controlGroup: orNull('ControlGroup'),
    memoryBytes: byteCount(text('MemoryCurrent')),
    restarts: Number(text('NRestarts')) || 0,
    restartPolicy: text('Restart') || 'no',
    restartDelaySeconds: parseTimeSpan(text('RestartUSec')),
    result: text('Result'),
    lastExit: how === undefined ? null : {how, status: Number(text('ExecMainStatus'))},
    restartForced: exitStatuses(text('RestartForceExitStatus')),
    restartPrevented: exitStatuses(text('RestartPreventExitStatus')),
    command: commandLine(text('ExecStart')),
    workingDirectory: text('WorkingDirectory').replace(/^[-!+~]+(?=\/)/, '') || null,
    user: orNull('User'),
    after: text('After').split(' ').filter(Boolean),
    startLimit: {
      burst: Number(text('StartLimitBurst')) || 0,
      intervalSeconds: parseTimeSpan(text('StartLimitIntervalUSec') || text('StartLimitInterval')),
    },
  };
}

/** `{ path=… ; argv[]=WORD WORD… ; ignore_errors=no ; … }`: systemd does not quote the arguments. */
function commandLine(execStart: string): string {
  return [...execStart.matchAll(/argv\[\]=(.*?) ; ignore_errors=/g)].map(([, words]) => words).join('\n');
}

/** systemd prints `[not set]`, or the largest 64-bit number, if it does not count. */
function byteCount(text: string): number | null {
  const bytes = /^\d+$/.test(text) ? BigInt(text) : null;
  return bytes === null || bytes >= 2n ** 63n ? null : Number(bytes);
}

function exitStatuses(text: string): number[] {
  return text.split(' ').flatMap((word) => (/^\d+$/.test(word) ? [Number(word)] : []));
}

/** `Mon 2026-11-23 12:29:17 UTC`; systemctl is run with TZ=UTC so that the zone is known. */
function timestamp(text: string): Date | null {
  const match = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? UTC$/.exec(text);
  return match === null ? null : new Date(`${match[1]}T${match[2]}Z`);
}
