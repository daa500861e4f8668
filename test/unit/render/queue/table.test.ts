import {expect, it} from 'vitest';
import type {QueueFunction} from '../../../../src/queue/functions.ts';
import type {QueueReport} from '../../../../src/queue/status.ts';
import {renderQueueStatus} from '../../../../src/render/queue/table.ts';

const PLAIN = {isTTY: false, width: Number.POSITIVE_INFINITY, color: false};

function row(jobClass: string, figures: Partial<QueueFunction>): QueueFunction {
  const name = {function: `abc-${jobClass}`, jobClass, prefix: 'abc', thisSite: true};
  return {...name, queued: 0, running: 0, workers: 1, ...figures};
}

function report(functions: QueueFunction[]): QueueReport {
  return {
    status: {status: 'ok', problems: [], servers: [], functions},
    backlog: null,
    unchecked: [],
  };
}

async function tableOf(functions: QueueFunction[], options = {}): Promise<string> {
  const text = await renderQueueStatus(report(functions), PLAIN, options);
  return text.slice(text.indexOf('JOB CLASS'));
}

it('D16: job classes without a job share a line; one with a job or without a worker has its own', async () => {
  const functions = [
    row('arFindingAidJob', {queued: 3, running: 1, workers: 2}),
    row('arGenerateReportJob', {workers: 1}),
    row('arFileImportJob', {workers: 1}),
    row('arInheritRightsJob', {workers: 2}),
    row('arObjectMoveJob', {workers: 0}),
    row('arValidateCsvJob', {workers: 1}),
  ];
  expect(await tableOf(functions)).toBe(
    `JOB CLASS               QUEUED  RUNNING  WORKERS
arFindingAidJob              3        1        2
arObjectMoveJob              0        0        0
4 idle classes (--all)       0        0   1 to 2
`,
  );
  expect(await tableOf(functions, {all: true})).toMatch(/^arInheritRightsJob +0 +0 +2$/m);
});

it('a few idle job classes keep their names, and those of another site have their own line', async () => {
  const other = {prefix: 'def', thisSite: false};
  const names = ['one', 'two', 'three', 'four'];
  const functions = [row('arFindingAidJob', {}), ...names.map((name) => row(name, other))];
  expect(await tableOf(functions)).toBe(
    `JOB CLASS               SITE       QUEUED  RUNNING  WORKERS
arFindingAidJob         this site       0        0        1
4 idle classes (--all)  def             0        0        1
`,
  );
});

it('says how many of the queued jobs are cancelled', async () => {
  const queue = report([row('arFindingAidJob', {queued: 3})]);
  const text = (cancelled: number) => renderQueueStatus({...queue, cancelled}, PLAIN);
  expect(await text(0)).not.toContain('cancelled');
  expect(await text(1)).toMatch(
    /\n\n1 of the queued jobs is cancelled: gearmand removes it when a worker asks for work\.\n$/,
  );
  expect(await text(2)).toContain('2 of the queued jobs are cancelled: gearmand removes them when');
});
