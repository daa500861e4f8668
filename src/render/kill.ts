import type {Killed} from '../jobs/kill.ts';
import {sanitizeLine} from './sanitize.ts';
import {type Color, paint, type Screen} from './screen.ts';

const COLORS: Record<Killed['action'], Color> = {marked: 'green', deleted: 'green', refused: 'red'};

/** What became of each job, one line each. */
export function renderKilled(killed: readonly Killed[], screen: Screen): string {
  if (killed.length === 0) return 'No job matches.\n';
  return killed
    .map(({id, was, action, message}) => {
      const from = was === null ? '' : ` (was ${was})`;
      return `${id}: ${paint(screen, COLORS[action], action)}${from}. ${sanitizeLine(message)}\n`;
    })
    .join('');
}
