import type {SiteTime} from '../atom/site-time.ts';
import {formatBytes} from '../bytes.ts';
import {formatDuration} from '../duration.ts';
import {SEVERITIES} from '../queue/severity.ts';
import type {JournalEntry} from '../systemd/journal.ts';
import type {SettingChange} from '../worker/enablement.ts';
import type {ExecutingJob} from '../worker/executing.ts';
import type {UnitChange} from '../worker/service.ts';
import type {UnitReport, UnmanagedWorker, WorkerStatus} from '../worker/status.ts';
import {sanitizeLine} from './sanitize.ts';
import {type Color, paint, type Screen} from './screen.ts';
import {type Column, renderTable} from './table.ts';
import {wrap} from './wrap.ts';

/** The verdict and its problems, then each unit, then what is connected without one. */
export async function renderWorkerStatus(status: WorkerStatus, screen: Screen, now: Date): Promise<string> {
  const problems = status.problems
    .flatMap((problem) => wrap(sanitizeLine(problem), screen.width - 2).map((line) => `  ${line}\n`))
    .join('');
  const parts = [`Status: ${paint(screen, SEVERITIES[status.status].color, status.status)}\n${problems}`];
  for (const unit of status.units) parts.push(renderUnit(unit, status, screen, now));
  if (status.unmanaged.length > 0) {
    const table = await renderTable(UNMANAGED_COLUMNS, status.unmanaged, screen);
    const title =
      'Connected, but without a unit on this machine (in a container, on a terminal or on another machine):';
    parts.push(`${wrap(title, screen.width).join('\n')}\n${table}`);
  }
  return parts.join('\n');
}

/** Between the lines of a value. */
const BELOW = `\n${' '.repeat(12)}`;

function renderUnit(unit: UnitReport, {executing}: WorkerStatus, screen: Screen, now: Date): string {
  const state = unit.active === unit.sub ? unit.active : `${unit.active} (${unit.sub})`;
  const jobs = executing.filter((job) => job.unit === unit.unit);
  const lines: [string, string | null][] = [
    ['State', `${paint(screen, stateColor(unit), state)}${sinceText(unit.since, now)}`],
    ['At boot', unit.enablement || 'no unit file'],
    ['Process', unit.mainPid === null ? null : `${unit.mainPid}${memoryText(unit.memoryBytes)}`],
    ['Starts', startText(unit)],
    ['Last end', unit.ending],
    ...(unit.mainPid === null ? [] : unit.servers.map(registrationLine)),
    ['Executing', jobs.length === 0 ? null : jobs.map(({id, name}) => `job ${id} (${name})`).join(', ')],
  ];
  const shown = lines.filter(([, text]) => text !== null);
  return `${paint(screen, 'bold', sanitizeLine(unit.unit))}\n${shown.map(([label, text]) => `  ${label.padEnd(10)}${wrap(text!, screen.width - 12).join(BELOW)}\n`).join('')}`;
}

function stateColor({active}: UnitReport): Color {
  if (active === 'active') return 'green';
  return active === 'activating' || active === 'deactivating' ? 'yellow' : 'red';
}

function sinceText(since: string | null, now: Date): string {
  if (since === null) return '';
  return ` for ${formatDuration(Math.max(0, Math.floor((now.getTime() - Date.parse(since)) / 1000)))}`;
}

function memoryText(bytes: number | null): string {
  return bytes === null ? '' : `, ${formatBytes(bytes)}`;
}

/** The count of starts is an upper bound, because the journal does not show resets. */
function startText({startLimit, restarts}: UnitReport): string {
  const {burst, intervalSeconds, startsUsed, hit} = startLimit;
  const again = `restarted by systemd ${restarts} ${restarts === 1 ? 'time' : 'times'}`;
  if (burst === 0) return `no limit, ${again}`;
  const used = hit ? String(burst) : startsUsed === null ? 'an unknown number' : `at most ${startsUsed}`;
  return `${used} of ${burst} in ${formatDuration(intervalSeconds)} used, ${again}`;
}

/** The names of missing abilities are among the problems. */
function registrationLine({
  server,
  error,
  abilities,
  missing,
}: UnitReport['servers'][number]): [string, string] {
  if (error !== null) return ['Gearman', `${server}: did not answer`];
  const lacks = missing.length === 0 ? '' : `, ${missing.length} missing`;
  const count = abilities.length === 1 ? '1 ability' : `${abilities.length} abilities`;
  return ['Gearman', `${server}: ${count}${lacks}`];
}

const UNMANAGED_COLUMNS: Column<UnmanagedWorker>[] = [
  {header: 'WORKER', text: ({id}) => id},
  {header: 'PID', text: ({pid}) => (pid === null ? '' : String(pid)), align: 'right'},
  {header: 'HOST', text: ({ip}) => ip},
  {header: 'SERVERS', text: ({servers}) => servers.join(' ')},
  {header: 'ABILITIES', text: ({abilities}) => String(abilities.length), align: 'right'},
];

/** What was installed, and what to do for it to have an effect. @param running units that run by the old file */
export function renderInstalled(path: string, running: readonly string[]): string {
  const next =
    running.length === 0
      ? 'It is used from the next start on. To start the worker: atomctl worker:start. To start it at boot: atomctl worker:enable'
      : `A restart is needed: ${running.join(', ')} ${running.length === 1 ? 'uses' : 'use'} the old unit file until then. To restart: atomctl worker:restart`;
  return `${sanitizeLine(path)} is installed.\n${sanitizeLine(next)}\n`;
}

/** One line for each unit: what happened to it. */
export function renderChanges(changes: readonly (UnitChange | SettingChange)[], screen: Screen): string {
  return changes
    .map(
      ({done, message}) =>
        `${paint(screen, done ? 'green' : 'red', done ? 'ok' : 'failed')}  ${sanitizeLine(message)}\n`,
    )
    .join('');
}

/** One line of the worker's journal, in the site's wall clock; with the unit's name if several are shown. */
export function renderJournalEntry(
  {at, unit, pid, message}: JournalEntry,
  time: SiteTime,
  several: boolean,
): string {
  const parts = [time.toWall(at), several ? unit : null, pid === null ? null : `[${pid}]`, message];
  return `${parts.flatMap((part) => (part === null ? [] : [sanitizeLine(part)])).join(' ')}\n`;
}

/** An entry as JSON shows it: the time as ISO 8601 with the site's offset. */
export function logEntryDocument({at, unit, pid, message}: JournalEntry, time: SiteTime): object {
  return {at: time.toIso(time.toWall(at)), unit, pid, message};
}

/** The question before workers are stopped in the middle of jobs. */
export function interruptionQuestion(options: {
  verb: 'stop' | 'restart';
  units: readonly string[];
  jobs: readonly ExecutingJob[];
  /** Executing jobs of the site that are not known by id. */
  unnamed: number;
}): string {
  const {verb, units, jobs, unnamed} = options;
  const named = jobs.map(({id, name}) => `job ${id} (${sanitizeLine(name)})`);
  if (unnamed > 0)
    named.push(`${unnamed} ${jobs.length > 0 ? 'more ' : ''}${unnamed === 1 ? 'job' : 'jobs'} of this site`);
  const many = jobs.length + unnamed > 1;
  const list = named.join(', ');
  return (
    `${list[0]!.toUpperCase()}${list.slice(1)} ${many ? 'are' : 'is'} executing. Gearman will hand ${many ? 'them' : 'it'} out` +
    ` again, from the start, to the next worker.\n${verb === 'stop' ? 'Stop' : 'Restart'} ${units.join(', ')} anyway? (y/N)`
  );
}
