import {paint, type Screen} from './screen.ts';
import type {Period, Periods} from './stats-periods.ts';

/** A bar shorter than this says nothing. */
const SHORTEST_BAR = 10;
const GAP = '  ';
const COMPLETED = '█';
const FAILED = '▒';

/** The completed and failed jobs of each period as a bar beside its figures, for a terminal. */
export function renderChart({unit, periods}: Periods, screen: Screen): string {
  const widths = {
    label: Math.max(...periods.map(({label}) => label.length), unit.length),
    completed: widthOf(periods, 'completed'),
    failed: widthOf(periods, 'failed'),
  };
  const line = (label: string, completed: string, failed: string) =>
    [label.padEnd(widths.label), completed.padStart(widths.completed), failed.padStart(widths.failed)].join(
      GAP,
    );
  const header = line(unit.toUpperCase(), 'COMPLETED', 'FAILED');
  const longest = Math.max(SHORTEST_BAR, screen.width - header.length - GAP.length);
  const most = Math.max(...periods.map(({completed, failed}) => completed + failed), 1);
  const rows = periods.map((period) => {
    const {label, completed, failed} = period;
    const [done, broken] = barOf(period, longest / most);
    const bar = paint(screen, 'green', COMPLETED.repeat(done)) + paint(screen, 'red', FAILED.repeat(broken));
    return `${line(label, String(completed), String(failed))}${GAP}${bar}`.trimEnd();
  });
  return `${[paint(screen, 'bold', header), ...rows].join('\n')}\n`;
}

/**
 * How many characters the completed and the failed jobs get: at least one if there are any, since one failed job among
 * a thousand must not vanish. What is added there is taken from the longer part.
 */
function barOf({completed, failed}: Period, charactersPerJob: number): [number, number] {
  const total = Math.max(
    Math.round((completed + failed) * charactersPerJob),
    Number(completed > 0) + Number(failed > 0),
  );
  const broken = failed === 0 ? 0 : Math.max(1, Math.round(failed * charactersPerJob));
  const atMost = completed === 0 ? total : total - 1;
  return [total - Math.min(broken, atMost), Math.min(broken, atMost)];
}

function widthOf(periods: readonly Period[], figure: 'completed' | 'failed'): number {
  return Math.max(...periods.map((period) => String(period[figure]).length), figure.length);
}
