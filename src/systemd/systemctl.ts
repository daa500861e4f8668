import {AtomctlError, usageError} from '../errors.ts';
import {type CommandResult, runTool, WITHOUT_SYSTEMD} from './command.ts';
import {parseUnitStates, UNIT_PROPERTIES, type UnitState} from './unit-state.ts';

const PROPERTIES = UNIT_PROPERTIES.join(',');

export interface SystemctlOptions {
  scope: Scope;
  /** Puts sudo before commands that change something. Never without the user's request. */
  sudo: boolean;
  /** Deadline for reading states. */
  readSeconds: number;
  /** Deadline for a change; a stop takes as long as the worker needs to end. */
  changeSeconds: number;
}

/** systemd through systemctl: properties from `show`, never the text of `status`. */
export function systemctl(options: SystemctlOptions): ServiceManager {
  const manager = options.scope === 'user' ? ['--user'] : [];

  async function read(...args: string[]): Promise<string> {
    const result = await runTool('systemctl', [...manager, ...args], {deadlineSeconds: options.readSeconds});
    if (result.status !== 0) throw failure(result, `systemctl ${args[0]}`, options, args[0]!);
    return result.stdout;
  }

  async function change(verb: string, ...names: string[]): Promise<void> {
    // Instead of asking for a password, polkit refuses: a script must not hang at a hidden question.
    const command = ['systemctl', ...manager, '--no-ask-password', verb, '--', ...names];
    if (options.sudo) command.unshift('sudo');
    const result = await runTool(command[0]!, command.slice(1), {deadlineSeconds: options.changeSeconds});
    if (result.status === 0 || nothingToReset(verb, result)) return;
    throw failure(result, ['systemctl', ...manager, verb, ...names].join(' '), options, names[0] ?? verb);
  }

  return {
    scope: options.scope,
    show: async (names) => {
      if (names.length === 0) return [];
      return parseUnitStates(await read('show', '-p', PROPERTIES, '--', ...names));
    },
    services: async () => parseUnitStates(await read('show', '--all', '-p', PROPERTIES, '*.service')),
    directories: async () => {
      const answer = await read('show', '-p', 'UnitPath');
      return answer.replace('UnitPath=', '').trim().split(' ').filter(Boolean);
    },
    change,
    reload: () => change('daemon-reload'),
  };
}

/** systemd unloads a unit that does not run and has not failed; then there is no failure to reset. */
function nothingToReset(verb: string, {stderr}: CommandResult): boolean {
  return verb === 'reset-failed' && /not loaded/.test(stderr);
}

const NO_SYSTEMD = /not been booted with systemd|Failed to connect to (?:system )?bus|Failed to get D-Bus/;
const NOT_ALLOWED =
  /Access denied|authentication (?:is )?required|Permission denied|Operation not permitted|a password is required|not in the sudoers|not allowed to execute/i;
const NO_UNIT = /not found\.?$|not loaded|does not exist|No such file or directory/m;

/** Why systemctl failed, from the first line of its error output. */
function failure(
  {stderr, status}: CommandResult,
  command: string,
  {scope, sudo}: SystemctlOptions,
  unit: string,
): AtomctlError {
  const reason = stderr.split('\n', 1)[0]!.trim() || `exit status ${status}`;
  if (NO_SYSTEMD.test(stderr)) return unavailable(scope);
  if (NOT_ALLOWED.test(stderr)) {
    return new AtomctlError('SYSTEMD_REFUSED', `systemd refused "${command}": ${sentence(reason)}`, {
      hint: sudo
        ? `sudo was refused: run it as root, or allow this user to run "${command}" in sudoers.`
        : `Run "sudo ${command}", or give --sudo.`,
    });
  }
  if (NO_UNIT.test(stderr)) {
    return new AtomctlError('NO_SUCH_UNIT', `systemd has no unit ${unit}: ${sentence(reason)}`, {
      hint: 'Give the unit with --unit, or install one: atomctl worker:unit --install',
    });
  }
  return new AtomctlError('FAILED', `"${command}" failed: ${sentence(reason)}`);
}

function unavailable(scope: Scope): AtomctlError {
  return scope === 'user'
    ? new AtomctlError('SYSTEMD_UNAVAILABLE', 'No systemd manager runs for this user.', {
        hint: 'Log in as this user, ask an administrator to run "loginctl enable-linger USER", or omit --user-manager.',
      })
    : new AtomctlError('SYSTEMD_UNAVAILABLE', 'systemd does not run on this machine.', {
        hint: WITHOUT_SYSTEMD,
      });
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** The service manager of the host, or of the user who runs atomctl. */
export type Scope = 'system' | 'user';

/** What can be done to a unit: systemctl's verbs. */
export type Verb = 'start' | 'stop' | 'restart' | 'enable' | 'disable' | 'reset-failed';

/**
 * systemd, as far as atomctl needs it. Every method throws AtomctlError:
 * SYSTEMD_UNAVAILABLE (no systemd runs here, as in most containers), SYSTEMD_REFUSED (no permission; the hint
 * is the command to run), NO_SUCH_UNIT, or FAILED with what systemd reported.
 */
export interface ServiceManager {
  readonly scope: Scope;
  /** The named units in the given order; one that does not exist has `load: 'not-found'`. */
  show(names: readonly string[]): Promise<UnitState[]>;
  /** All services that systemd has in memory: those that run, failed, or are enabled at boot. */
  services(): Promise<UnitState[]>;
  /** The directories of unit files, the one with the highest precedence first. */
  directories(): Promise<string[]>;
  /** Executes the verb and waits until systemd has done it; the service itself may be ready later. */
  change(verb: Verb, name: string): Promise<void>;
  /** Reads changed unit files. */
  reload(): Promise<void>;
}

/** What systemd allows in a name. With a `*` it would be a pattern: all services of the machine, to be restarted. */
const UNIT_NAME = /^[\w:.@\\-]+$/;

/**
 * `atom-worker` and `atom-worker@1` are short for the service of that name.
 * @throws AtomctlError USAGE if no unit can have this name
 */
export function serviceName(name: string): string {
  if (!UNIT_NAME.test(name))
    throw usageError(`${JSON.stringify(name)} is not a valid unit name.`, 'Give the name of one unit.');
  return /\.[a-z]+$/.test(name) ? name : `${name}.service`;
}
