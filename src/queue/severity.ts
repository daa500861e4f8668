/**
 * The one scale of severity, from best to worst: the worst of several wins. Shared by queue:status, worker:status and
 * the doctor. The exit statuses are those of the Monitoring Plugins.
 */
export const SEVERITIES = {
  ok: {rank: 0, pluginExitStatus: 0, color: 'green'},
  unknown: {rank: 1, pluginExitStatus: 3, color: 'yellow'},
  warning: {rank: 2, pluginExitStatus: 1, color: 'yellow'},
  critical: {rank: 3, pluginExitStatus: 2, color: 'red'},
} as const;

export type Severity = keyof typeof SEVERITIES;

/** For sort(): the most severe first, equally severe ones in the order they had. */
export function bySeverity(one: {severity: Severity}, other: {severity: Severity}): number {
  return SEVERITIES[other.severity].rank - SEVERITIES[one.severity].rank;
}

/** How bad each fault is that both queue:status and the doctor report. */
export const FAULT_SEVERITY = {
  'a server does not answer': 'critical',
  'no worker of the site': 'critical',
  'a job class without a worker': 'critical',
  'a job class without a worker on one of several servers': 'warning',
  'lost jobs': 'warning',
  'finished jobs': 'warning',
  'stalled workers': 'warning',
  'jobs of ended rows': 'warning',
  'jobs without rows': 'warning',
  'jobs under a prefix without workers': 'warning',
  'old holds': 'warning',
  'clocks that differ': 'warning',
  'lines that cannot be read': 'warning',
} as const satisfies Record<string, Exclude<Severity, 'ok' | 'unknown'>>;

export type SharedFault = keyof typeof FAULT_SEVERITY;
