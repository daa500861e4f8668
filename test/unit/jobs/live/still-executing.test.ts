import {expect, it} from 'vitest';
import type {LiveReport} from '../../../../src/jobs/live/live-state.ts';
import {anotherBegan, mayHaveBegun, stillExecuting} from '../../../../src/jobs/live/still-executing.ts';
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
  expect(mayHaveBegun(reportOfTwo(running), {others}, new Set([7]))).toBe(may);
});

const NINE = {id: 9, name: 'arFindingAidJob'};

it.each([
  ['that nobody knew', [7], [], true],
  ['that was known', [7, 8], [], false],
  ['whose row has ended, that nobody knew', [7, 8], [NINE], true],
  ['whose row has ended, that was known', [7, 8, 9], [NINE], false],
])('another job has begun if one executes %s', (_which, known, endedNow, began) => {
  const workers = {known: new Set(known)};
  expect(anotherBegan(reportOfTwo(true), workers, {named: new Set([7]), endedNow})).toBe(began);
});
