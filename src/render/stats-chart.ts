import {paint, type Screen} from './screen.ts';
import type {Period, Periods} from './stats-periods.ts';

/** A bar shorter than this says nothing. */
const SHORTEST_BAR = 10;
const GAP = '  ';

/** The completed and failed jobs of each period as a bar beside its figures, for a terminal. */
export async function renderChart({unit, periods}: Periods, screen: Screen): Promise<string> {
  const {default: Chartscii} = await import('chartscii');
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
  const width = Math.max(SHORTEST_BAR, screen.width - header.length - GAP.length);
  const largest = Math.max(...periods.map(({completed, failed}) => completed + failed), 1);
  const chart = new Chartscii(
    periods.map(({label, completed, failed}) => ({
      label: line(label, String(completed), String(failed)),
      value: [completed, failed].map((jobs) => visible(jobs, largest / width)),
    })),
    {
      orientation: 'horizontal',
      naked: true,
      width,
      height: periods.length,
      barSize: 1,
      padding: 0,
      richLabels: false,
      stackColors: screen.color ? ['green', 'red'] : undefined,
    },
  );
  const bars = chart.create().replace(/^\n+|\n+$/g, '');
  return `${paint(screen, 'bold', header)}\n${bars}\n`;
}

/** One failed job among a thousand must not vanish for want of half a character. */
function visible(jobs: number, oneCharacter: number): number {
  return jobs === 0 ? 0 : Math.max(jobs, oneCharacter);
}

function widthOf(periods: readonly Period[], figure: 'completed' | 'failed'): number {
  return Math.max(...periods.map((period) => String(period[figure]).length), figure.length);
}
