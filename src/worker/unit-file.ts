import {type AtomctlError, usageError} from '../errors.ts';
import type {Scope} from '../systemd/systemctl.ts';

export interface UnitFileOptions {
  scope: Scope;
  /** The AtoM root. */
  root: string;
  /** One unit for several workers, each an instance: `NAME@1`, `NAME@2`, … */
  template: boolean;
  /** The account that PHP runs as; not for a user's manager, which has no other. */
  user: string;
  /** The PHP interpreter's absolute path. */
  php: string;
  /** What jobs:worker is given, as `workerArguments` makes it. */
  workerArguments: readonly string[];
}

/** The options of `jobs:worker`. */
export interface WorkerChoices {
  abilities?: string;
  types?: string;
  maxJobCount?: number;
  maxMemUsage?: number;
}

/** The worker's own options in its own spelling. */
export function workerArguments(choices: WorkerChoices): string[] {
  const {abilities, types, maxJobCount, maxMemUsage} = choices;
  const options = {abilities, types, 'max-job-count': maxJobCount, 'max-mem-usage': maxMemUsage};
  return Object.entries(options).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}=${value}`],
  );
}

/** What PHP is given before the script: a worker lives long and imports may be large. */
export const PHP_OPTIONS = ['-d', 'memory_limit=-1', '-d', 'error_reporting=E_ALL'];

/**
 * The text of a unit file for the site's worker.
 * @throws AtomctlError USAGE for a value that would become more than one directive, or another one
 */
export function unitFile(options: UnitFileOptions): string {
  requireOneLine('--atom-root', options.root);
  requireOneLine('--php', options.php);
  if (!ACCOUNT.test(options.user))
    throw invalid('--user', options.user, 'Give the name or the id of an account.');
  const sections = [unitSection(options), serviceSection(options), installSection(options)];
  return `# Written by: atomctl worker:unit\n${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** As useradd takes it, with the domain of a directory service. */
const ACCOUNT = /^[A-Za-z0-9_][\w.@-]*\$?$/;

/** What systemd allows in the name of a unit; without it, a name could be a path. */
const UNIT_NAME = /^[\w:.@-]+$/;

/** @throws AtomctlError USAGE if a unit cannot have this name */
export function requireUnitName(name: string): void {
  if (!UNIT_NAME.test(name) || name.startsWith('.'))
    throw invalid('--name', name, 'Use only letters, digits and : . _ -');
}

/** A line that ends with a backslash goes on in the next one. */
function requireOneLine(flag: string, text: string): void {
  if (!/\p{Cc}|\\$|^\s|\s$/u.test(text)) return;
  throw invalid(
    flag,
    text,
    'It must not contain line breaks or other control characters, and must not end with a space or a backslash.',
  );
}

function invalid(flag: string, text: string, hint: string): AtomctlError {
  return usageError(`"${text}" (${flag}) cannot be used in a unit file.`, hint);
}

function unitSection(options: UnitFileOptions): string[] {
  const instance = options.template ? ' %i' : '';
  return [
    '[Unit]',
    `Description=AtoM worker${instance} of ${escapePercent(options.root)}`,
    ...(options.scope === 'system' ? ORDERING : []),
    ...(isLimited(options) ? LIMITED_STARTS : RARE_STARTS),
  ];
}

/** systemd ignores a name that is not a unit of the machine. */
const ORDERING = [
  '# The worker ends if it cannot connect to its database or Gearman, so start those of this machine first.',
  'Wants=network-online.target',
  'After=network-online.target',
  'After=mysql.service mysqld.service mariadb.service',
  'After=gearman-job-server.service gearmand.service',
];

const RARE_STARTS = [
  '# Gearman gives a job that crashes its worker to the next worker: after three starts in a day, an administrator should check it.',
  'StartLimitIntervalSec=24h',
  'StartLimitBurst=3',
];

const LIMITED_STARTS = [
  '# Each time the worker reaches its limit, it starts again, so these values must allow for more than crashes.',
  'StartLimitIntervalSec=1h',
  'StartLimitBurst=10',
];

function serviceSection(options: UnitFileOptions): string[] {
  const args = [options.php, ...PHP_OPTIONS, 'symfony', 'jobs:worker', ...options.workerArguments];
  return [
    '[Service]',
    'Type=simple',
    ...(options.scope === 'system' ? [`User=${options.user}`] : []),
    `WorkingDirectory=${escapePercent(options.root)}`,
    `ExecStart=${args.map(quote).join(' ')}`,
    'Restart=on-failure',
    'RestartSec=30',
    ...(isLimited(options) ? LIMIT_EXIT : []),
  ];
}

const LIMIT_EXIT = [
  '# The exit status of the worker at --max-job-count or --max-mem-usage: not a failure; a new worker starts.',
  'SuccessExitStatus=111',
  'RestartForceExitStatus=111',
];

function installSection({scope}: UnitFileOptions): string[] {
  return ['[Install]', `WantedBy=${scope === 'system' ? 'multi-user.target' : 'default.target'}`];
}

function isLimited({workerArguments}: UnitFileOptions): boolean {
  return workerArguments.some((argument) => argument.startsWith('--max-'));
}

/** systemd replaces what follows a percent sign. */
function escapePercent(text: string): string {
  return text.replaceAll('%', '%%');
}

/** An argument of a command line; systemd expands `$` in it, and splits at spaces outside quotes. */
function quote(argument: string): string {
  const escaped = escapePercent(argument).replaceAll('$', '$$$$');
  return /^[\w@%+=:,./$-]+$/.test(escaped) ? escaped : `"${escaped.replace(/[\\"]/g, '\\$&')}"`;
}
