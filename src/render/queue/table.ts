import {formatDuration} from '../../duration.ts';
import type {QueueFunction} from '../../queue/functions.ts';
import {SEVERITIES} from '../../queue/severity.ts';
import type {QueueReport, QueueStatus, ServerState} from '../../queue/status.ts';
import type {Backlog} from '../../queue/verdict.ts';
import {sanitizeLine} from '../sanitize.ts';
import {paint, type Screen} from '../screen.ts';
import {type Column, renderTable} from '../table.ts';
import {wrap} from '../wrap.ts';
import {siteOf} from './site-of.ts';

/**
 * The verdict and its problems, then the servers, the functions, and the running rows of the database. Functions that
 * have a worker and no job share a line, unless `all` is set.
 */
export async function renderQueueStatus(
  {status, backlog, cancelled = 0, unchecked}: QueueReport,
  screen: Screen,
  {all = false} = {},
): Promise<string> {
  const parts = [renderVerdict(status, screen), await renderTable(SERVER_COLUMNS, status.servers, screen)];
  if (status.functions.length > 0) {
    const foreign = status.functions.some(({thisSite}) => !thisSite);
    const columns = foreign
      ? [FUNCTION_COLUMN, SITE_COLUMN, ...COUNT_COLUMNS]
      : [FUNCTION_COLUMN, ...COUNT_COLUMNS];
    const rows = all ? status.functions.map(functionRow) : foldIdle(status.functions);
    parts.push(await renderTable(columns, rows, screen));
  }
  if (cancelled > 0) parts.push(`${wrap(cancelledText(cancelled), screen.width).join('\n')}\n`);
  if (backlog !== null) parts.push(renderBacklog(backlog, screen));
  if (unchecked.length > 0) {
    const names = sanitizeLine(unchecked.join(', '));
    const text = `Not checked for a worker: ${names}, because atomctl cannot find out if its plugin is enabled.`;
    parts.push(`${wrap(text, screen.width).join('\n')}\n`);
  }
  return parts.join('\n');
}

/** gearmand counts them as queued. */
function cancelledText(count: number): string {
  const jobs = count === 1 ? '1 of the queued jobs is' : `${count} of the queued jobs are`;
  return `${jobs} cancelled: gearmand removes ${count === 1 ? 'it' : 'them'} when a worker asks for work.`;
}

function renderVerdict({status, problems}: QueueStatus, screen: Screen): string {
  const lines = problems.map(({state, message, remedy}) => {
    const [first, ...more] = indented(`${state}: ${sanitizeLine(message)}`, 2, screen);
    const painted = first!.replace(state, paint(screen, SEVERITIES[state].color, state));
    const fix = indented(`Fix: ${sanitizeLine(remedy)}`, 4, screen);
    return [painted, ...more, ...fix].map((line) => `${line}\n`).join('');
  });
  return `Status: ${paint(screen, SEVERITIES[status].color, status)}\n${lines.join('')}`;
}

function indented(text: string, by: number, {width}: Screen): string[] {
  return wrap(text, width - by).map((line) => ' '.repeat(by) + line);
}

function renderBacklog(
  {running, oldestSeconds, oldestInFuture, longestWait}: Backlog,
  screen: Screen,
): string {
  const age = oldestSeconds === null ? '' : `, the oldest for ${formatDuration(oldestSeconds)}`;
  const oldest = oldestInFuture ? ', the start of the oldest is in the future' : age;
  const wait = longestWait ? `; one has waited for a worker for ${formatDuration(longestWait.seconds)}` : '';
  return `${wrap(`Running in the database: ${running}${oldest}${wait}`, screen.width).join('\n')}\n`;
}

const SERVER_COLUMNS: Column<ServerState>[] = [
  {header: 'SERVER', text: ({address}) => address},
  {
    header: 'STATE',
    text: ({reachable}) => (reachable ? 'reachable' : 'unreachable'),
    color: ({reachable}) => (reachable ? 'green' : 'red'),
  },
  {header: 'VERSION', text: ({version}) => version ?? ''},
];

/** One line of the table: a function, or several that are idle. */
interface FunctionRow {
  name: string;
  site: string;
  queued: number;
  running: number;
  /** `2`; of several functions `1 to 3`, if they differ. */
  workers: string;
}

function functionRow(row: QueueFunction): FunctionRow {
  const {queued, running, workers} = row;
  return {name: row.jobClass ?? row.function, site: siteOf(row), queued, running, workers: String(workers)};
}

/** So many idle functions share a line. */
const FOLDED = 4;

/** What has jobs or no worker first, then a line for the idle functions of each site. */
function foldIdle(functions: readonly QueueFunction[]): FunctionRow[] {
  const isIdle = ({queued, running, workers}: QueueFunction) => queued + running === 0 && workers > 0;
  const sites = [...new Set(functions.map(siteOf))];
  return sites.flatMap((site) => {
    const rows = functions.filter((row) => siteOf(row) === site);
    const idle = rows.filter(isIdle);
    if (idle.length < FOLDED) return rows.map(functionRow);
    const [least, most] = [Math.min, Math.max].map((of) => of(...idle.map(({workers}) => workers)));
    const workers = least === most ? String(least) : `${least} to ${most}`;
    const line = {name: `${idle.length} idle classes (--all)`, site, queued: 0, running: 0, workers};
    return [...rows.filter((row) => !isIdle(row)).map(functionRow), line];
  });
}

const FUNCTION_COLUMN: Column<FunctionRow> = {header: 'JOB CLASS', text: ({name}) => name};

const SITE_COLUMN: Column<FunctionRow> = {header: 'SITE', text: ({site}) => site};

const COUNT_COLUMNS: Column<FunctionRow>[] = [
  {header: 'QUEUED', text: ({queued}) => String(queued), align: 'right'},
  {header: 'RUNNING', text: ({running}) => String(running), align: 'right'},
  {
    header: 'WORKERS',
    text: ({workers}) => workers,
    color: ({workers}) => (workers === '0' ? 'red' : undefined),
    align: 'right',
  },
];
