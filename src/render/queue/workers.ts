import {formatDuration} from '../../duration.ts';
import type {ShownWorker} from '../../jobs/live/busy-workers.ts';
import type {Screen} from '../screen.ts';
import {type Column, renderTable} from '../table.ts';
import {siteOf} from './site-of.ts';

/**
 * One line for each worker, what it executes before what it can do. The site and the servers are shown if they differ.
 * With `countAbilities`, their number is shown on any screen.
 */
export async function renderQueueWorkers(
  workers: readonly ShownWorker[],
  screen: Screen,
  now: Date,
  {countAbilities = false} = {},
): Promise<string> {
  if (workers.length === 0) return 'No worker is connected.\n';
  const differ = (text: (worker: ShownWorker) => string) => new Set(workers.map(text)).size > 1;
  const columns: Column<ShownWorker>[] = [
    {header: 'PROCESS', text: ({pid, id}) => (pid === null ? id : String(pid)), align: 'right'},
    {header: 'HOST', text: ({ip}) => ip},
    {header: 'EXECUTES', text: (worker) => executesText(worker, now), shrinks: true, keeps: 40},
    ...(differ(siteOf) || !workers[0]!.thisSite ? [SITE] : []),
    {
      header: 'ABILITIES',
      text: countAbilities ? countedAbilities : ({abilities}) => abilities.join(' '),
      short: countedAbilities,
      leaves: 2,
    },
    ...(differ(serversText) ? [SERVERS] : []),
    {header: 'WORKER', text: ({id}) => id, leaves: 0},
  ];
  return renderTable(columns, workers, screen);
}

const SITE: Column<ShownWorker> = {header: 'SITE', text: siteOf, short: shortSite, leaves: 3};
const SERVERS: Column<ShownWorker> = {header: 'SERVERS', text: serversText, leaves: 1};

function serversText({servers}: ShownWorker): string {
  return servers.join(' ');
}

function shortSite(worker: ShownWorker): string {
  return siteOf(worker).slice(0, 9);
}

function executesText({executes, mayExecute}: ShownWorker, now: Date): string {
  if (executes !== null) {
    const {id, name, begunAt} = executes;
    const seconds = begunAt === null ? null : Math.floor((now.getTime() - Date.parse(begunAt)) / 1000);
    return `job ${id} (${name})${seconds === null ? '' : ` for ${formatDuration(Math.max(0, seconds))}`}`;
  }
  return mayExecute.length === 0 ? '' : `perhaps job ${mayExecute.join(' or ')}`;
}

function countedAbilities({abilities, prefix}: ShownWorker): string {
  if (abilities.length === 1) return abilities[0]!;
  return `${abilities.length} ${prefix === null ? 'functions' : 'classes'}`;
}
