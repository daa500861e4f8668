import {expect, test} from 'vitest';
import type {MarkTarget} from '../../../../src/jobs/mark/mark.ts';
import {clearDocument, renderClearPlan, renderMarkPlan} from '../../../../src/render/jobs/changes.ts';
import {jobSummary} from '../../../../src/render/jobs/table.ts';

const SCREEN = {isTTY: false, width: 80, color: false};

function clearPlan(running: number, surplus = 0, allQueued = false): string {
  const counts = {running, completed: 60, error: 4, unknown: 0};
  const queue = {waiting: 5, executing: 1, surplus, underUnknownPrefix: 0, missing: []};
  const preview = {
    plan: {total: 64 + running, counts},
    queue,
    allQueued,
    running: null,
    stop: null,
    downloads: null,
    exportTo: null,
  };
  return renderClearPlan(preview as never, SCREEN);
}

test('a plan to clear says which Gearman jobs stay', () => {
  expect(clearPlan(0)).toContain('5 waiting, 1 executing. They stay.\n');
  for (const text of [clearPlan(2), clearPlan(0, 1)])
    expect(text).toContain('1 executing. Those of rows that are not cleared stay.\n');
});

test('a plan to clear with --all-queued says that the jobs without a row go, and one without it that they stay', () => {
  expect(clearPlan(0, 2, true)).toMatch(/2 jobs .* what waits of them without a row is removed, too\./);
  expect(clearPlan(0, 2)).toContain('--all-queued also removes what waits of them without a row.');
});

test.each([
  ['three rows that wait beside 400 jobs without a row', {surplus: 400}, false, 3, 400],
  ['the same with --all-queued', {surplus: 400}, true, 403, 0],
  ['rows of which nothing is known', {waitingRows: 0, others: 3}, false, 3, 400],
])('the plan counts what leaves Gearman: %s', (_what, seen, allQueued, removed, left) => {
  const {waitingRows = 3, others = 0, surplus = 0} = seen as Record<string, number>;
  const preview = {
    plan: {total: 3, counts: {running: 3, completed: 0, error: 0, unknown: 0}},
    queue: {waiting: 403, executing: 0, surplus, underUnknownPrefix: 0, missing: []},
    running: {waiting: waitingRows, executing: [], others},
    ...{allQueued, stop: null, downloads: null, exportTo: null},
  };
  expect(clearDocument({preview, dryRun: true} as never)).toMatchObject({
    ...{cleared: 3, queueRemoved: removed, queueLeft: left},
  });
});

test('a plan to clear says how many running rows wait, execute and are neither', () => {
  const counts = {running: 9, completed: 0, error: 0, unknown: 0};
  const running = {waiting: 6, executing: [{id: 5, name: 'arFindingAidJob'}], others: 2};
  const preview = {
    plan: {total: 9, counts},
    queue: null,
    running,
    stop: null,
    downloads: null,
    exportTo: null,
  };
  const text = renderClearPlan(preview as never, SCREEN);
  expect(text).toContain(
    'Running among them: 6 wait and are removed from Gearman, 1 executes, 2 are lost or not known, and removed from Gearman if found there.',
  );
  expect(text).toContain('Warning: 5 (arFindingAidJob) executes: its worker may fail and end');
});

test('a plan to mark a job as completed that no worker began warns', () => {
  const target = {job: {id: 5, name: 'arFindingAidJob'}, was: 'lost', refused: null};
  const plan = (warning: string | null) =>
    renderMarkPlan([{...target, warning} as MarkTarget], 'completed', SCREEN);
  expect(plan('No worker began it.')).toBe(
    '5 (arFindingAidJob, lost): to mark as completed. Warning: No worker began it.\n',
  );
  expect(plan(null)).toMatch(/to mark as completed\.\n$/);
});

test('one job is a job', () => {
  const counts = {running: 0, completed: 1, error: 0, unknown: 0};
  expect(jobSummary(1, {total: 1, counts} as never)).toBe('1 of 1 job shown: 1 completed.');
});
