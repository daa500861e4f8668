import type {AtomctlError} from '../../errors.ts';
import type {QueueFunction} from '../../queue/functions.ts';
import type {QueueReport} from '../../queue/status.ts';
import type {QueueLimits} from '../../queue/verdict.ts';
import {errorSentences} from '../error.ts';
import {type PerformanceFigure, renderPluginLine} from '../nagios.ts';
import {type Metric, renderMetrics} from '../prometheus.ts';

const PLUGIN_SERVICE = 'ATOM QUEUE';

/** The plugin line if the check itself failed: a usage error, an unreadable configuration. */
export function renderQueueError(error: AtomctlError): string {
  return renderPluginLine({service: PLUGIN_SERVICE, status: 'unknown', text: errorSentences(error)});
}

/** NRPE cuts a line at 1,024 bytes. The figures take 250, so this is left for the problems. */
const MOST_TEXT = 600;

/**
 * The queue's health as one line of a monitoring plugin. The figures are this site's and few: those of each job class are
 * metrics of --prometheus. While a server does not answer, what the servers count is unknown.
 */
export function renderQueuePlugin({status, backlog}: QueueReport, limits: QueueLimits): string {
  const rows = status.functions.filter(({thisSite}) => thisSite);
  const served = rows.filter(({workers}) => workers > 0).length;
  const queued = sum(rows, 'queued');
  const running = sum(rows, 'running');
  const known = (value: number) => (status.servers.every(({reachable}) => reachable) ? value : null);
  const figures: PerformanceFigure[] = [
    {label: 'queued', value: known(queued)},
    {
      label: 'longest queue',
      value: known(Math.max(0, ...rows.map((row) => row.queued))),
      warning: limits.warningQueued,
      critical: limits.criticalQueued,
    },
    {label: 'running', value: known(running)},
    {label: 'classes with workers', value: known(served)},
  ];
  if (backlog !== null) {
    figures.push({
      label: 'oldest running',
      value: backlog.oldestSeconds ?? 0,
      unit: 's',
      warning: limits.warningAge,
      critical: limits.criticalAge,
    });
    figures.push({
      label: 'longest wait',
      value: backlog.longestWait?.seconds ?? 0,
      unit: 's',
      warning: limits.warningWait,
      critical: limits.criticalWait,
    });
  }
  const healthy = `${queued} queued, ${running} running, ${served} job classes have a worker`;
  return renderPluginLine({
    service: PLUGIN_SERVICE,
    status: status.status,
    text: problemsText(status.problems) || healthy,
    figures,
  });
}

/** The problems, the worst first, as many as there is room for; the first one in any case, cut. */
function problemsText(problems: QueueReport['status']['problems']): string {
  const texts = problems.map(({message, remedy}) => `${message} [${remedy}]`);
  const whole = texts.join(' ');
  if (whole.length <= MOST_TEXT) return whole;
  let shown = texts[0]!.slice(0, MOST_TEXT);
  let left = texts.length - 1;
  for (const text of texts.slice(1)) {
    if (shown.length + text.length >= MOST_TEXT) break;
    shown += ` ${text}`;
    left -= 1;
  }
  return left === 0 ? `${shown}…` : `${shown} And ${left} more [atomctl queue:status]`;
}

/** Shared with the job statistics, because metrics in one directory of text files must have the same help. */
export const OLDEST_RUNNING = {
  name: 'atom_job_oldest_running_seconds',
  help: 'Age of the oldest job that the database calls running; 0 if there is none.',
  type: 'gauge',
} as const;

/** The queue as Prometheus metrics for node_exporter's textfile collector; `labels` are added to each. */
export function renderQueueMetrics(
  {status, backlog}: QueueReport,
  labels: Readonly<Record<string, string>>,
): string {
  const {servers, functions} = status;
  const metrics: Metric[] = [
    {
      name: 'gearman_up',
      help: '1 if the Gearman server answers, otherwise 0.',
      type: 'gauge',
      samples: servers.map(({address, reachable}) => ({
        labels: {server: address},
        value: Number(reachable),
      })),
    },
    {
      name: 'gearman_server_info',
      help: 'The version of the Gearman server.',
      type: 'gauge',
      samples: servers.flatMap(({address, version}) =>
        version === null ? [] : [{labels: {server: address, version}, value: 1}],
      ),
    },
    functionMetric('queued', 'Jobs that wait for a worker.', functions),
    functionMetric('running', 'Jobs that a worker executes.', functions),
    functionMetric('workers', 'Connected workers that can run the function.', functions),
    {
      name: 'atom_queue_healthy',
      help: '1 if the queue of this AtoM site has no problem, otherwise 0.',
      type: 'gauge',
      samples: [{value: Number(status.status === 'ok')}],
    },
    {
      name: 'atom_queue_problems',
      help: 'The problems of the queue of this AtoM site, by severity.',
      type: 'gauge',
      samples: PROBLEM_STATES.map((state) => ({
        labels: {state},
        value: status.problems.filter((problem) => problem.state === state).length,
      })),
    },
  ];
  if (backlog !== null) {
    metrics.push({...OLDEST_RUNNING, samples: [{value: backlog.oldestSeconds ?? 0}]});
    metrics.push({
      name: 'atom_job_longest_wait_seconds',
      help: 'The longest wait of a waiting job for a worker; 0 if no job waits.',
      type: 'gauge',
      samples: [{value: backlog.longestWait?.seconds ?? 0}],
    });
  }
  return renderMetrics(metrics, labels);
}

const PROBLEM_STATES = ['critical', 'warning', 'unknown'] as const;

function functionMetric(
  figure: 'queued' | 'running' | 'workers',
  help: string,
  functions: readonly QueueFunction[],
): Metric {
  return {
    name: `gearman_function_${figure}`,
    help,
    type: 'gauge',
    samples: functions.map((row) => ({
      labels: {function: row.function, job_class: row.jobClass ?? ''},
      value: row[figure],
    })),
  };
}

function sum(rows: readonly QueueFunction[], figure: 'queued' | 'running'): number {
  return rows.reduce((total, row) => total + row[figure], 0);
}
