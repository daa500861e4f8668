import {sanitizeLine} from './sanitize.ts';

/** A figure that a monitoring system draws over time. */
export interface PerformanceFigure {
  label: string;
  value: number;
  /** Unit of measurement; none for a plain number. */
  unit?: 's' | '%' | 'B';
  /** Alert above these. */
  warning?: number;
  critical?: number;
}

/**
 * One line as the Monitoring Plugins guidelines want it: `SERVICE STATUS: text | 'label'=value;warn;crit;min`.
 * The first `|` starts the figures, so none may stand in the text.
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

/** Every figure is a count or an age, so its minimum is zero. */
function renderFigure({label, value, unit, warning, critical}: PerformanceFigure): string {
  const name = sanitizeLine(label).replace(/[='|]/g, '_');
  return `'${name}'=${value}${unit ?? ''};${warning ?? ''};${critical ?? ''};0`;
}
