import {sanitizeBlock} from './sanitize.ts';

/** A metric with its samples, one for each set of labels. */
export interface Metric {
  name: string;
  help: string;
  type: 'gauge' | 'counter';
  samples: readonly Sample[];
}

export interface Sample {
  labels?: Readonly<Record<string, string>>;
  value: number;
}

/**
 * The metrics in Prometheus's text exposition format; a metric without samples is left out.
 * @param common labels that every sample has before its own
 */
export function renderMetrics(
  metrics: readonly Metric[],
  common: Readonly<Record<string, string>> = {},
): string {
  return metrics
    .filter(({samples}) => samples.length > 0)
    .map((metric) => renderMetric(metric, common))
    .join('');
}

function renderMetric({name, help, type, samples}: Metric, common: Readonly<Record<string, string>>): string {
  const lines = samples.map(
    ({labels, value}) => `${name}${renderLabels({...common, ...labels})} ${renderValue(value)}`,
  );
  return [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n');
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function renderValue(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

function escapeHelp(text: string): string {
  return sanitizeBlock(text).replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

/** Control characters are made visible but not dropped: two values that differ must stay two samples. */
function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
