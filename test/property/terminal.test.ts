import fc from 'fast-check';
import {expect, test} from 'vitest';
import {AtomctlError} from '../../src/errors.ts';
import {JOB_STATUSES, type JobDetails, LIVE_STATES, type LiveState} from '../../src/jobs/model/job.ts';
import {renderError} from '../../src/render/error.ts';
import {renderKilled} from '../../src/render/jobs/changes.ts';
import {JOB_COLUMN_NAMES} from '../../src/render/jobs/columns.ts';
import {renderJobDetails, renderOutcome} from '../../src/render/jobs/details.ts';
import {renderJobTable} from '../../src/render/jobs/table.ts';
import {renderPluginLine} from '../../src/render/nagios.ts';
import {renderQueueStatus} from '../../src/render/queue/table.ts';
import {renderQueueWorkers} from '../../src/render/queue/workers.ts';
import {anyText, holds, holdsLater} from './many.ts';

/** What moves the cursor, changes the terminal or the order of characters. Line feeds and tabs are the renderers' own. */
const HARMFUL =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u;
const COLOUR = /\u001b\[\d{1,2}m/g;
const SCREENS = [
  {isTTY: true, width: 80, color: true},
  {isTTY: true, width: 20, color: false},
  {isTTY: false, width: Number.POSITIVE_INFINITY, color: false},
];

const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, {nil: null});
const liveStates = Object.keys(LIVE_STATES) as LiveState[];

const anyJob: fc.Arbitrary<JobDetails> = fc.record({
  id: fc.nat(),
  name: anyText,
  status: fc.constantFrom(...JOB_STATUSES),
  live: some(fc.constantFrom(...liveStates)),
  likely: some(fc.constantFrom(...liveStates)),
  liveReason: some(anyText),
  startedAt: some(fc.constant('2026-03-04T13:05:00-08:00')),
  begunAt: some(fc.constant('2026-03-04T13:05:09-08:00')),
  finishedAt: some(fc.constant('2026-03-04T13:06:00-08:00')),
  durationSeconds: some(fc.nat()),
  waitedSeconds: some(fc.nat()),
  user: some(anyText),
  userId: some(fc.nat()),
  objectId: some(fc.nat()),
  objectType: some(anyText),
  objectSlug: some(anyText),
  downloadPath: some(anyText),
  notes: fc.array(fc.record({text: anyText, error: fc.boolean()}), {maxLength: 2}),
  log: anyText,
  lastActivityAt: fc.constant(null),
  parameters: fc.constant(null),
});

function expectHarmless(text: string, lines?: number): void {
  const [harmful] = HARMFUL.exec(text.replace(COLOUR, '')) ?? [];
  expect([harmful, lines && text.split('\n').length - 1]).toEqual([undefined, lines]);
}

test('a table of jobs: no control character, one line for each job', async () => {
  const rows = 20;
  const jobs = fc.array(anyJob, {minLength: rows, maxLength: rows});
  await holdsLater(
    fc.asyncProperty(jobs, fc.constantFrom(...SCREENS), async (list, screen) => {
      const {table: text} = await renderJobTable(list, {
        columns: JOB_COLUMN_NAMES,
        screen,
        liveUnknown: false,
        allStay: false,
        now: '2026-11-26 03:00:00',
      });
      expectHarmless(text, rows + 1);
    }),
    rows,
  );
});

test("a job's page, its outcome and what became of it: no control character, and one line where one is meant", () => {
  holds(
    fc.property(anyJob, fc.constantFrom(...SCREENS), (job, screen) => {
      expectHarmless(renderJobDetails(job, screen, {tail: 20}));
      expectHarmless(renderOutcome(job, screen), 1);
      const killed = {id: job.id, was: null, action: 'refused', gearman: 'none', message: job.name} as const;
      expectHarmless(renderKilled([killed], screen), 1);
    }),
  );
});

test("a Gearman server's functions and workers: no control character, one line for each", async () => {
  const rows = 20;
  const worker = fc.record({
    id: anyText,
    pid: some(fc.nat()),
    ip: anyText,
    prefix: some(anyText),
    thisSite: fc.boolean(),
    abilities: fc.array(anyText, {maxLength: 2}),
    servers: fc.array(anyText, {maxLength: 2}),
    executes: some(fc.record({id: fc.nat(), name: anyText, begunAt: fc.constant(null)})),
    mayExecute: fc.array(fc.nat(), {maxLength: 2}),
  });
  const counts = {queued: fc.nat(), running: fc.nat(), workers: fc.nat()};
  const row = fc.record({
    function: anyText,
    jobClass: some(anyText),
    prefix: some(anyText),
    thisSite: fc.boolean(),
    ...counts,
  });
  const state = fc.record({
    address: anyText,
    reachable: fc.boolean(),
    version: some(anyText),
    error: some(anyText),
  });
  await holdsLater(
    fc.asyncProperty(
      fc.array(worker, {minLength: rows, maxLength: rows}),
      fc.array(row, {minLength: rows, maxLength: rows}),
      state,
      anyText,
      fc.constantFrom(...SCREENS),
      async (workers, functions, server, problem, screen) => {
        expectHarmless(await renderQueueWorkers(workers, screen, new Date(0)), rows + 1);
        const problems = [{state: 'critical', message: problem, remedy: problem} as const];
        const status = {status: 'critical', problems, servers: [server], functions} as const;
        const look = {
          status: {...status, problems, servers: [server]},
          backlog: null,
          unchecked: [problem],
        };
        const lines = [
          'verdict',
          'problem',
          'fix',
          'blank',
          'heading',
          'server',
          'blank',
          'heading',
          'blank',
          'unchecked',
        ];
        // On a terminal, sentences are wrapped.
        const expected = screen.isTTY ? undefined : lines.length + rows;
        expectHarmless(await renderQueueStatus(look, screen), expected);
      },
    ),
    rows,
  );
});

test('an error, and a line for a monitoring system: no control character', () => {
  holds(
    fc.property(anyText, anyText, (message, label) => {
      expectHarmless(renderError(new AtomctlError('FAILED', message, {hint: label}), SCREENS[0]!));
      const line = renderPluginLine({
        service: 'X',
        status: 'ok',
        text: message,
        figures: [{label, value: 1}],
      });
      expectHarmless(line, 1);
      // The figures begin at the only bar.
      expect(line.split('|')).toHaveLength(2);
    }),
  );
});
