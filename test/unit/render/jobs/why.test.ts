import {describe, expect, test} from 'vitest';
import type {JobWhy, WhyProcess} from '../../../../src/jobs/why/facts.ts';
import {renderWhy} from '../../../../src/render/jobs/why.ts';

const NOW_MS = Date.parse('2026-11-23T04:00:00-08:00');
const screen = (width: number) => ({isTTY: true, width, color: false});

const NOTHING: Omit<JobWhy, 'state' | 'proof' | 'advice'> = {
  id: 155764,
  name: 'arFileImportJob',
  likely: null,
  position: null,
  ahead: null,
  blockedBy: null,
  triesUsed: null,
  worker: null,
  ableWorkers: null,
  process: null,
  lastActivityAt: null,
  lastLine: null,
  progress: null,
  usual: null,
  missing: {
    lastActivityAt: 'It has logged nothing.',
    usual: 'None of the newest completed jobs has its name.',
  },
};

const CHILD: WhyProcess = {
  pid: 4712,
  command: 'php /usr/share/nginx/atom/symfony csv:import --index --quiet /tmp/TMP1.csv',
  cpuSeconds: 3541.25,
  readBytes: 1536,
  writtenBytes: 3 * 1024 ** 3,
  memoryBytes: 180 * 1024 ** 2,
  children: [],
  query: 'UPDATE information_object SET lft = lft + 2 WHERE lft > 1200',
  querySeconds: 75,
};

const EXECUTING: JobWhy = {
  ...NOTHING,
  state: 'executing',
  proof: ['127.0.0.1:4730 assigned it to a worker.'],
  worker: {id: 'pid_4711_65f', pid: 4711, host: '127.0.0.1'},
  process: {
    ...CHILD,
    pid: 4711,
    command: 'php symfony jobs:worker',
    query: null,
    querySeconds: null,
    readBytes: null,
    children: [CHILD],
  },
  lastActivityAt: '2026-11-23T03:40:00-08:00',
  lastLine: 'Importing CSV file: smith.csv.\u001b[31m',
  progress: {done: 12, total: 900},
  usual: {count: 34, medianSeconds: 5400, p95Seconds: 9000, expectedEndAt: '2026-11-23T04:13:01-08:00'},
  advice: {message: 'Let it work, and watch its log.', command: 'atomctl jobs:show 155764 --follow'},
  missing: {
    'process.query': 'Its session executes nothing; its last statement ended 5 s ago.',
    'process.readBytes': 'Only its user and root may read this.',
  },
};

test('an executing job on 80 columns', () => {
  expect(renderWhy(EXECUTING, screen(80), NOW_MS)).toBe(`Job 155764 arFileImportJob: executing
  127.0.0.1:4730 assigned it to a worker.

  Worker:       pid_4711_65f from 127.0.0.1
  Process:      4711: php symfony jobs:worker
                CPU 3541.3s, memory 180 MiB; Only its user and root may read
                this.
                child 4712: php /usr/share/nginx/atom/symfony csv:import --index
                --quiet /tmp/TMP1.csv
                CPU 3541.3s, memory 180 MiB; read 1.5 KiB, wrote 3.0 GiB
                query for 1m 15s: UPDATE information_object SET lft = lft + 2
                WHERE lft > 1200
  Last line:    20m ago: Importing CSV file: smith.csv.\\x1b[31m
  Progress:     12 of 900 (1%)
  Usually:      1h 30m (median), 2h 30m (95%) of 34 completed jobs; by the
                median this one ends at 2026-11-23 04:13:01

  What to do:   Let it work, and watch its log.
                atomctl jobs:show 155764 --follow
`);
});

test('the shell between a worker and its child is left out, and a long command is cut', () => {
  const command = `php symfony csv:import ${'x'.repeat(200)}`;
  const shell = {...CHILD, pid: 4720, command: `sh -c ${command}`, children: [{...CHILD, command}]};
  const text = renderWhy(
    {...EXECUTING, process: {...EXECUTING.process!, children: [shell]}},
    screen(80),
    NOW_MS,
  );
  expect(text).not.toContain('4720');
  expect(text).toContain('child 4712: php symfony csv:import');
  expect(text).toContain('xx…\n');
});

describe('nothing but a long word or a command is longer than the terminal', () => {
  const queued: JobWhy = {
    ...NOTHING,
    state: 'queued',
    proof: [
      'Its payload was seen waiting.',
      'AtoM runs one move or import at a time, and job 12 (arObjectMoveJob) is older and says Running.',
    ],
    position: 15,
    ahead: Array.from({length: 13}, (_, index) => index + 1),
    blockedBy: 12,
    triesUsed: 0,
    ableWorkers: [
      {id: 'pid_1_a', pid: 1, host: '10.0.0.1', executes: 12, idle: null},
      {id: 'pid_2_b', pid: 2, host: '10.0.0.1', executes: null, idle: true},
      {id: 'pid_3_c', pid: 3, host: '10.0.0.1', executes: null, idle: null},
    ],
    advice: {message: 'Wait for job 12, which goes first.', command: 'atomctl jobs:wait 12'},
  };

  test.each([80, 60])('%i columns', (width) => {
    for (const job of [EXECUTING, queued]) {
      const lines = renderWhy(job, screen(width), NOW_MS).split('\n');
      expect(lines.filter((line) => line.length > width)).toEqual([]);
    }
  });

  test('a queued job: its place, who is before it, and what the workers do', () => {
    const text = renderWhy(queued, screen(Number.POSITIVE_INFINITY), NOW_MS);
    expect(text).toContain(
      'Queue:        It is number 15 of its class; before it: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 3 more and 1 without an id.\n',
    );
    expect(text).toContain('Workers:      pid_1_a from 10.0.0.1 executes job 12\n');
    expect(text).toContain('pid_2_b from 10.0.0.1 executes nothing\n');
    expect(text).toContain('pid_3_c from 10.0.0.1 may execute another job\n');
    expect(text).toContain('Waits for:    job 12, an older move or import\n');
  });
});

test("a time in atomctl's own sentence is the wall clock, as jobs:show has it; an error note stays as it is", () => {
  const note = 'Failed at 2026-11-23T03:40:00-08:00.';
  const proof = ['Its row says error since 2026-11-23T03:40:00-08:00.', note];
  const job: JobWhy = {...NOTHING, state: 'error', proof, advice: {message: 'a', command: 'b'}};
  expect(renderWhy(job, screen(80), NOW_MS)).toContain(
    `\n  Its row says error since 2026-11-23 03:40:00.\n  ${note}\n`,
  );
});

test('what is not known is said in its place', () => {
  const job: JobWhy = {
    ...NOTHING,
    state: 'uncertain',
    likely: 'queued',
    proof: ['It may be one of 2 jobs in its queue.'],
    advice: {message: 'See if it waits.', command: 'atomctl jobs:why 155764 --probe'},
    missing: {...NOTHING.missing, position: '2 jobs wait. Add --probe.', ableWorkers: 'No server answers.'},
  };
  expect(renderWhy(job, screen(80), NOW_MS)).toBe(`Job 155764 arFileImportJob: uncertain, likely queued
  It may be one of 2 jobs in its queue.

  Queue:        2 jobs wait. Add --probe.
  Workers:      No server answers.
  Last line:    It has logged nothing.
  Usually:      None of the newest completed jobs has its name.

  What to do:   See if it waits.
                atomctl jobs:why 155764 --probe
`);
});

test('without a query the reason of the youngest child is said; an expected end in the past has passed', () => {
  const silent = {...EXECUTING.process!, children: [{...CHILD, query: null, querySeconds: null}]};
  const missing = {
    ...EXECUTING.missing,
    'process.children[0].query': 'Its session executes nothing; its last statement ended 9 s ago.',
  };
  const text = renderWhy(
    {...EXECUTING, process: silent, missing},
    screen(Number.POSITIVE_INFINITY),
    NOW_MS + 3_600_000,
  );
  expect(text.match(/query/g)).toHaveLength(1);
  expect(text).toContain('query: Its session executes nothing; its last statement ended 9 s ago.\n');
  expect(text).toContain('by the median this one was to end at 2026-11-23 04:13:01\n');
});
