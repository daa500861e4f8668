import {expect, it} from 'vitest';
import type {LiveReport} from '../../../../src/jobs/live/live-state.ts';
import {anotherBegan, stillExecuting} from '../../../../src/jobs/live/still-executing.ts';
import type {LiveState} from '../../../../src/jobs/model/job.ts';

/** A report of job 7, whose key one server knows. */
function report(
  state: LiveState,
  place: {running: boolean; runsNow: boolean; known?: boolean} | null,
): LiveReport {
  const queue = 'f 127.0.0.1:4730';
  const server = {statusOfUniqueKeys: async () => [{known: place?.known ?? true, running: place?.runsNow}]};
  const places = place === null ? [] : [{server, queue, function: 'f', unique: 'k', running: place.running}];
  return {
    verdicts: new Map([[7, {state}]]),
    evidence: {queues: [{queue, owner: 'site'}]},
    found: new Map([[7, places]]),
  } as unknown as LiveReport;
}

it.each<[string, Parameters<typeof report>[1], LiveState, boolean]>([
  ['that Gearman still executes', {running: true, runsNow: true}, 'executing', true],
  // The state was read a moment before.
  ['that Gearman knows no more', {running: true, runsNow: false, known: false}, 'executing', false],
  [
    'that Gearman has as waiting since its worker lost it',
    {running: true, runsNow: false},
    'executing',
    true,
  ],
  ['that Gearman has as waiting since its worker died', {running: true, runsNow: false}, 'queued', false],
  ['without a key that its state shows', null, 'executing', true],
  ['without a key that its state shows no more', null, 'uncertain', false],
  // Its worker lost the connection, and a process names it.
  ['that waits in Gearman and that its process shows', {running: false, runsNow: false}, 'executing', true],
  ['that waits in Gearman and that nothing shows', {running: false, runsNow: false}, 'queued', false],
  ['that waited in Gearman and was begun', {running: false, runsNow: true}, 'queued', true],
])('of a job %s', async (_what, place, state, executes) => {
  const still = await stillExecuting(report('executing', place), new Set([7]), report(state, place));
  expect(still.has(7)).toBe(executes);
});

/** A report in which job 7, which is to end, and 8 execute; `running`: Gearman says so of 7. */
function reportOfTwo(running: boolean): LiveReport {
  const one = report('executing', {running, runsNow: running});
  const rows = [7, 8].map((id) => ({id, name: 'arFindingAidJob'}));
  const verdicts = new Map(rows.map(({id}) => [id, {state: 'executing', likely: null}]));
  return {...one, rows, verdicts} as unknown as LiveReport;
}

it.each([
  ['a worker that is not known to have one of the jobs', true, true, true],
  ['only workers that Gearman says to be busy', false, true, false],
  // Its process shows, and its worker may have died and another one runs in its place.
  ['a worker whose job only a process shows', false, false, true],
])('%s may have begun another job: %s, %s', (_what, others, running, may) => {
  const planned = {...report('executing', {running, runsNow: running}), rows: []} as LiveReport;
  const ids = new Set([7]);
  expect(anotherBegan(planned, reportOfTwo(running), {others, executing: ids, named: ids})).toBe(may);
});
