import {expect, test} from 'vitest';
import {JOB_CLASSES} from '../../../src/atom/job-classes.ts';
import type {QueueReport} from '../../../src/queue/status.ts';
import {renderPluginLine} from '../../../src/render/nagios.ts';
import {renderQueuePlugin} from '../../../src/render/queue/monitoring.ts';

test('is one line with one bar before the figures, for any text and labels', () => {
  const line = renderPluginLine({
    service: 'ATOM QUEUE',
    status: 'critical',
    text: 'a | b\nc\u001b[31m',
    figures: [
      {label: "it's=a|label", value: 12, warning: 10, critical: 20},
      {label: 'oldest running', value: 90, unit: 's', critical: 60},
      {label: 'plain', value: 0},
    ],
  });
  expect(line).toBe(
    "ATOM QUEUE CRITICAL: a / b c\\x1b[31m | 'it_s_a_label'=12;10;20;0 'oldest running'=90s;;60;0 'plain'=0;;;0\n",
  );
});

test('without figures there is no bar', () => {
  expect(renderPluginLine({service: 'ATOM QUEUE', status: 'unknown', text: 'why'})).toBe(
    'ATOM QUEUE UNKNOWN: why\n',
  );
});

/** A queue with every class of AtoM and these problems. */
function reportOf(messages: readonly string[]): QueueReport {
  const functions = Object.keys(JOB_CLASSES).map((jobClass, queued) => ({
    ...{jobClass, queued, running: 0, workers: 1, thisSite: true},
    function: jobClass,
  }));
  const problems = messages.map((message) => ({state: 'warning', message, remedy: 'atomctl doctor'}));
  const servers = [{reachable: true}];
  const status = {status: problems.length > 0 ? 'warning' : 'ok', functions, problems, servers};
  return {status, backlog: {oldestSeconds: 172_988, longestWait: null}} as unknown as QueueReport;
}

test('the line of a queue is below the limit of NRPE, with the worst problems and the number of the others', () => {
  const problems = Array.from({length: 40}, (_, at) => `Problem ${at} of a queue ${'x'.repeat(40)}.`);
  const limits = {warningQueued: 20, criticalQueued: 50, warningAge: 3600, criticalWait: 7200};
  const line = renderQueuePlugin(reportOf(problems), limits);
  expect(Buffer.byteLength(line)).toBeLessThan(1000);
  expect(line).toMatch(/^ATOM QUEUE WARNING: Problem 0 .* And 3\d more \[atomctl queue:status\] \| /);
  const long = renderQueuePlugin(reportOf(['x'.repeat(5000)]), limits);
  expect(Buffer.byteLength(long)).toBeLessThan(1000);
});

test('the figures are totals, the longest queue of a class with its limits, and ages in seconds', () => {
  expect(renderQueuePlugin(reportOf([]), {warningQueued: 20, criticalQueued: 50})).toBe(
    "ATOM QUEUE OK: 153 queued, 0 running, 18 job classes have a worker | 'queued'=153;;;0 'longest queue'=17;20;50;0 " +
      "'running'=0;;;0 'classes with workers'=18;;;0 'oldest running'=172988s;;;0 'longest wait'=0s;;;0\n",
  );
  const report = reportOf([]);
  const servers = [{reachable: true}, {reachable: false}] as QueueReport['status']['servers'];
  expect(renderQueuePlugin({...report, status: {...report.status, servers}}, {})).toContain(
    "| 'queued'=U;;;0 'longest queue'=U;;;0 'running'=U;;;0 'classes with workers'=U;;;0 'oldest running'=172988s;",
  );
});
