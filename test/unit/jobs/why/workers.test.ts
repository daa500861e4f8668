import {expect, test} from 'vitest';
import type {LiveEvidence, RowEvidence, WorkerConnection} from '../../../../src/jobs/live/evidence.ts';
import {ableWorkers, executions, isIdle, siteWorkers} from '../../../../src/jobs/why/workers.ts';

const PREFIX = 'a'.repeat(32);
const queue = (jobClass: string) => `${PREFIX}-${jobClass} 127.0.0.1:4730`;
const [X, Y] = [queue('arFindingAidJob'), queue('arGenerateReportJob')];

const worker = (pid: number, ...queues: string[]): WorkerConnection => ({
  id: `pid_${pid}_a`,
  pid,
  ip: '127.0.0.1',
  server: '127.0.0.1:4730',
  fromHere: false,
  queues,
});

/** What is executing, by id and queue, and who is connected. */
function executing(
  jobs: readonly [number, string][],
  workers: readonly WorkerConnection[],
  known = new Map<number, number>(),
) {
  const rows = jobs.map(
    ([id, name]) => ({id, known: {queue: name, running: true}, queues: [name]}) as unknown as RowEvidence,
  );
  const queues = [X, Y].map((name) => ({
    queue: name,
    running: jobs.filter(([, each]) => each === name).length,
  }));
  const evidence = {rows, workers, queues} as unknown as LiveEvidence;
  const verdict = {state: 'executing', likely: null, reason: '', needsTime: false} as const;
  const found = executions({evidence, verdicts: new Map(jobs.map(([id]) => [id, verdict]))}, known);
  return {
    pids: Object.fromEntries([...found.workerOf].map(([id, {pid}]) => [id, pid])),
    open: Object.fromEntries([...found.candidates].map(([id, of]) => [id, of.map(({pid}) => pid)])),
  };
}

test('the only worker that can do a job has it, and no other one', () => {
  expect(executing([[1, X]], [worker(10, X), worker(11, Y)])).toEqual({pids: {1: 10}, open: {}});
  expect(
    executing(
      [
        [1, X],
        [2, Y],
      ],
      [worker(10, X, Y), worker(11, X)],
    ),
  ).toEqual({pids: {1: 11, 2: 10}, open: {}});
});

test('two that can do two jobs are not told apart, unless a child or a journal shows one', () => {
  const [jobs, workers] = [
    [
      [1, X],
      [2, X],
    ] as [number, string][],
    [worker(10, X), worker(11, X)],
  ];
  expect(executing(jobs, workers)).toEqual({pids: {}, open: {1: [10, 11], 2: [10, 11]}});
  expect(executing(jobs, workers, new Map([[2, 10]]))).toEqual({pids: {1: 11, 2: 10}, open: {}});
});

test('of a job that only seems to execute, it is known who could have it', () => {
  const rows = [{id: 1, known: null, queues: [X]}] as unknown as RowEvidence[];
  const queues = [{queue: X, running: 1}];
  const evidence = {rows, workers: [worker(10, X), worker(11, Y)], queues} as unknown as LiveEvidence;
  const verdict = {state: 'uncertain', likely: 'executing', reason: '', needsTime: false} as const;
  const {workerOf, candidates} = executions({evidence, verdicts: new Map([[1, verdict]])}, new Map());
  expect([workerOf.size, candidates.get(1)]).toMatchObject([0, [{pid: 10}]]);
});

test('a worker that lost its connection is not taken for one that is connected', () => {
  expect(executing([[1, X]], [worker(11, X)], new Map([[1, 10]]))).toEqual({pids: {}, open: {}});
});

test('a probe of atomctl is no worker; one worker on two servers is one', () => {
  const other = {...worker(10, X), server: '127.0.0.1:4731', queues: [Y], doesOthers: true};
  const workers = siteWorkers({workers: [worker(10, X), other, {...worker(12, X), id: 'atomctl-probe-1-1'}]});
  expect(workers).toMatchObject([{pid: 10, doesOthers: true}]);
});

test('a worker is idle only if nothing runs that it could have', () => {
  const [seen] = siteWorkers({workers: [worker(10, X)]});
  const counted = (name: string, running: number) =>
    ({queues: [{queue: name, running}]}) as unknown as LiveEvidence;
  expect([isIdle(seen!, counted(X, 1)), isIdle(seen!, counted(X, 0)), isIdle(seen!, counted(Y, 1))]).toEqual([
    null,
    true,
    true,
  ]);
  expect(isIdle({...seen!, doesOthers: true}, counted(X, 0))).toBeNull();
});

test('able is who can do the class under the prefix of the site, or on the queue that has the job', () => {
  const foreign = `${'b'.repeat(32)}-arFindingAidJob 127.0.0.1:4730`;
  const workers = siteWorkers({workers: [worker(10, X), worker(11, Y), worker(12, foreign)]});
  const able = (known: string | null, own: string | null, waitingIn?: string) =>
    ableWorkers(
      {name: 'arFindingAidJob', known: known === null ? null : {queue: known, running: false}},
      {waitingIn, prefixes: {own, also: []}},
      workers,
    ).map(({pid}) => pid);
  expect([able(null, PREFIX), able(null, null), able(foreign, PREFIX), able(null, PREFIX, foreign)]).toEqual([
    [10],
    [10, 12],
    [12],
    [12],
  ]);
});
