import {expect, it} from 'vitest';
import type {LiveReport} from '../../../../src/jobs/live/live-state.ts';
import {stillExecuting} from '../../../../src/jobs/live/still-executing.ts';
import type {LiveState} from '../../../../src/jobs/model/job.ts';

/** A report of job 7, whose key one server knows. */
function report(state: LiveState, place: {running: boolean; runsNow: boolean} | null): LiveReport {
  const queue = 'f 127.0.0.1:4730';
  const server = {statusOfUniqueKeys: async () => [{known: true, running: place?.runsNow}]};
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
  ['that Gearman executes no more', {running: true, runsNow: false}, 'executing', false],
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
