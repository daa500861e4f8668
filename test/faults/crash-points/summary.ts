import type {Exception} from './judge.ts';
import type {ActTable, Report} from './play.ts';
import {FAULTS, type Played} from './strike.ts';

/** Why an invariant does not hold at some points, though nothing is wrong there that atomctl could prevent. */
const REASONS: Record<Exception, string> = {
  order:
    'another order of the jobs that were held: gearmand gives them back as it notices the end of each connection; none is lost or doubled',
  'worker stopped': 'the worker stays stopped: atomctl was killed before it could start it again',
  'quiet time':
    'the second run refuses until the log has been silent for 15 minutes, says so, and then completes the kill: a worker that nobody sees might have the job',
};

/** The table, the known exceptions and all that broke, for people. */
export function summaryOf({tables, options, seconds}: Report): string {
  const played = tables.flatMap((table) => table.played);
  const points = tables.reduce((sum, table) => sum + table.points, 0);
  const part = options.every === 1 ? '' : `, every ${options.every}th from seed ${options.seed}`;
  const missed = played.filter(({reached}) => !reached);
  return [
    `Crash points: ${played.length} of ${points} played in ${Math.round(seconds)} s${part}. Held of played, by the fault:`,
    line('', 'steps', FAULTS),
    ...tables.map(tableLine),
    ...exceptionLines(played),
    ...(missed.length === 0
      ? []
      : [
          `The command did not come to ${missed.length} of these steps again: its requests came in another order.`,
        ]),
    ...played.filter(({broken}) => broken.length > 0).map(brokenText),
  ].join('\n');
}

function tableLine({act, steps, played}: ActTable): string {
  const cells = FAULTS.map((fault) => {
    const these = played.filter(({point}) => point.fault === fault);
    return `${these.filter(({broken}) => broken.length === 0).length}/${these.length}`;
  });
  return line(act.title, String(steps), cells);
}

function line(title: string, steps: string, cells: readonly string[]): string {
  return `${title.padEnd(22)}${steps.padStart(6)}${cells.map((cell) => cell.padStart(14)).join('')}`;
}

function exceptionLines(played: readonly Played[]): string[] {
  return (Object.keys(REASONS) as Exception[]).flatMap((exception) => {
    const these = played.filter(({exceptions}) => exceptions.includes(exception));
    if (these.length === 0) return [];
    const titles = [...new Set(these.map(({act}) => act.title))];
    return [
      `Known exception at ${these.length} points, ${REASONS[exception]}:`,
      ...titles.map((title) => {
        const at = these.filter(({act}) => act.title === title);
        return `  ${title}: ${[...new Set(at.map(placeOf))].join('; ')}`;
      }),
    ];
  });
}

function placeOf({point: {step, fault}}: Played): string {
  return `${fault} at ${step.server} ${step.name}`;
}

/** What broke at a crash point. */
export function brokenText({act, point: {step, fault, at}, broken}: Played): string {
  const place = `${fault} ${at === 'request' ? 'before' : 'after'} ${step.server} ${step.name} (${step.nth})`;
  return [`BROKEN ${act.title}: ${place}`, ...broken.map((text) => `    ${text}`)].join('\n');
}
