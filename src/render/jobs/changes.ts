import type {SiteCleared} from '../../jobs/clear/clear.ts';
import type {ClearPlan} from '../../jobs/clear/clear-rows.ts';
import type {Killed} from '../../jobs/kill/kill.ts';
import {sanitizeLine} from '../sanitize.ts';
import {type Color, paint, type Screen} from '../screen.ts';
import {countsText} from './table.ts';

/** What clear prints under --json: what it deleted, or under --dry-run what it would delete. */
export function clearDocument(
  options:
    | {plan: ClearPlan; dryRun: true}
    | {plan: ClearPlan; dryRun: false; cleared: SiteCleared; exported: string | null},
) {
  const done = options.dryRun ? null : options.cleared;
  return {
    cleared: done?.cleared ?? options.plan.total,
    byStatus: done?.byStatus ?? options.plan.counts,
    queueRemoved: done?.queueRemoved ?? 0,
    queueExecuting: done?.queueExecuting ?? 0,
    downloadsDeleted: done?.downloadsDeleted ?? 0,
    exported: options.dryRun ? null : options.exported,
    dryRun: options.dryRun,
    warnings: done?.problems ?? [],
  };
}

/** What would be deleted, with a warning if jobs are running. */
export function renderClearPlan({total, counts}: ClearPlan, screen: Screen): string {
  const lines = [`${jobs(total)} to clear: ${countsText(counts)}.`];
  if (counts.running > 0) {
    lines.push(
      paint(
        screen,
        'yellow',
        `Warning: ${counts.running} running among them; a worker that executes one may fail.`,
      ),
    );
  }
  return `${lines.join('\n')}\n`;
}

/** What was deleted. */
export function renderCleared(cleared: SiteCleared, exported: string | null, screen: Screen): string {
  const end = cleared.interrupted || cleared.failure !== null ? 'cleared before it stopped' : 'cleared';
  const lines = [`${jobs(cleared.cleared)} ${end}: ${countsText(cleared.byStatus)}.`];
  if (exported !== null) lines.push(`Their history is in ${sanitizeLine(exported)}.`);
  if (cleared.queueRemoved > 0) lines.push(`Taken out of Gearman: ${jobs(cleared.queueRemoved)}.`);
  if (cleared.queueExecuting > 0) {
    lines.push(
      paint(
        screen,
        'yellow',
        `Executing among them: ${jobs(cleared.queueExecuting)}; a worker goes on until it notices.`,
      ),
    );
  }
  if (cleared.downloadsDeleted > 0) lines.push(`Download files deleted: ${cleared.downloadsDeleted}.`);
  return `${lines.join('\n')}\n`;
}

function jobs(count: number): string {
  return count === 1 ? '1 job' : `${count} jobs`;
}

const COLORS: Record<Killed['action'], Color> = {marked: 'green', deleted: 'green', refused: 'red'};

/** One line for each job: what was done to it. */
export function renderKilled(killed: readonly Killed[], screen: Screen): string {
  if (killed.length === 0) return 'No job matches.\n';
  return killed
    .map(({id, was, action, message}) => {
      const from = was === null ? '' : ` (was ${was})`;
      return `${id}: ${paint(screen, COLORS[action], action)}${from}. ${sanitizeLine(message)}\n`;
    })
    .join('');
}
