import {describe, expect, test} from 'vitest';
import {busyWorkers, workersFor} from '../../../../src/jobs/live/busy-workers.ts';
import type {RowEvidence, WorkerConnection} from '../../../../src/jobs/live/evidence.ts';
import {liveVerdicts} from '../../../../src/jobs/live/verdict.ts';
import {waitsFor} from '../../../../src/render/jobs/waits-for.ts';
import {A, begun, evidence, queue, row, running, server, waiting} from './given.ts';

const FIRST = `p-first ${A}`;
const SECOND = `p-second ${A}`;
const TIME = {toWall: (at: Date) => at.toISOString().slice(0, 19).replace('T', ' ')};

function worker(pid: number, ...queues: string[]): WorkerConnection {
  return {id: `pid_${pid}_ab`, pid, ip: '127.0.0.1', server: A, fromHere: true, queues};
}

function report(rows: RowEvidence[], workers: WorkerConnection[], servers = [server()]) {
  const queues = [FIRST, SECOND].map((name) => queue(2, 1, {queue: name}));
  const seen = evidence(rows, {queues, workers, servers});
  return {evidence: seen, verdicts: liveVerdicts(seen)};
}

/** What each worker executes, and what it may. */
function seen(...given: Parameters<typeof report>) {
  return busyWorkers(report(...given)).map(({pid, executes, mayExecute}) => [
    pid,
    executes?.id ?? null,
    mayExecute.map(({id}) => id),
  ]);
}

const executing = (id: number, name: string) => begun(id, {queues: [name], ...running(name)});

describe('which worker is busy with what', () => {
  test('D8: the only worker that can have a job executes it', () => {
    expect(seen([executing(1, FIRST)], [worker(7, FIRST, SECOND), worker(8, SECOND)])).toEqual([
      [7, 1, []],
      [8, null, []],
    ]);
  });

  test('a worker that has a job has no other: the other one does', () => {
    const rows = [executing(1, FIRST), executing(2, SECOND)];
    expect(seen(rows, [worker(7, FIRST, SECOND), worker(8, SECOND)])).toEqual([
      [7, 1, []],
      [8, 2, []],
    ]);
  });

  test('of two that can have it, neither is named', () => {
    expect(seen([executing(1, FIRST)], [worker(7, FIRST), worker(8, FIRST)])).toEqual([
      [7, null, [1]],
      [8, null, [1]],
    ]);
  });

  test('nothing is concluded while a server does not answer', () => {
    const silent = server({address: 'b:4730', error: 'It does not answer.'});
    expect(seen([executing(1, FIRST)], [worker(7, FIRST)], [server(), silent])).toEqual([[7, null, [1]]]);
  });
});

describe('D8: what a queued job waits for, in one sentence', () => {
  const queued = begun(5, {queues: [FIRST], ...waiting(FIRST)});
  const sentence = (workers: WorkerConnection[], rows = [executing(1, FIRST), queued]) =>
    waitsFor(workersFor(report(rows, workers), 5), TIME);

  test('the worker that can run it, what that executes and since when', () => {
    expect(sentence([worker(7, FIRST), worker(8, SECOND)])).toBe(
      'process 7 on 127.0.0.1, which executes job 1 (arFindingAidJob) since 2026-03-04 11:10:00',
    );
  });

  test('several workers', () => {
    expect(sentence([7, 8, 9, 10].map((pid) => worker(pid, FIRST)))).toBe(
      `${[7, 8, 9].map((pid) => `process ${pid} on 127.0.0.1, which may execute job 1`).join('; ')}; and 1 more`,
    );
  });

  test('none', () => {
    expect(sentence([], [row(5, {queues: [FIRST]})])).toBe(
      'a worker; no worker that can run it is connected: atomctl queue:status',
    );
  });
});
