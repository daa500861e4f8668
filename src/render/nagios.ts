import {sanitizeLine} from './sanitize.ts';

/** A figure that a monitoring system draws over time. */
export interface PerformanceFigure {
  label: string;
  /** null if it is not known: a zero would be drawn as a measurement. */
  value: number | null;
  /** Unit of measurement; absent for a plain number. */
  unit?: 's' | '%' | 'B';
  /** Alert above these. */
  warning?: number;
  critical?: number;
}

/**
 * One line in the format of the Monitoring Plugins guidelines: `SERVICE STATUS: text | 'label'=value;warn;crit;min`.
 * A `|` in the text is replaced, because the first one starts the figures.
 */
export function renderPluginLine(line: {
  service: string;
  status: string;
  text: string;
  figures?: readonly PerformanceFigure[];
}): string {
  const text = sanitizeLine(line.text).replaceAll('|', '/');
  const figures = (line.figures ?? []).map(renderFigure).join(' ');
  return `${line.service} ${line.status.toUpperCase()}: ${text}${figures && ` | ${figures}`}\n`;
}

/** The minimum is zero, because every figure is a count or an age. */
function renderFigure({label, value, unit, warning, critical}: PerformanceFigure): string {
  const name = sanitizeLine(label).replace(/[='|]/g, '_');
  const shown = value === null ? 'U' : `${value}${unit ?? ''}`;
  return `'${name}'=${shown};${warning ?? ''};${critical ?? ''};0`;
}
