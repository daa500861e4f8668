import {expect, it} from 'vitest';
import {AtomctlError} from '../../../src/errors.ts';
import type {GearmanServer, JobPresence} from '../../../src/gearman/server.ts';
import {cancelByKey} from '../../../src/queue/cancel-job.ts';

const WAITS: JobPresence = {known: true, running: false};

/** A server with one job, which waits if it is not said that it runs, and which answers so after it was asked to cancel it. */
function cancelAt(after: {cancelled: boolean; presence?: () => Promise<JobPresence>; ranBefore?: boolean}) {
  const ran = after.ranBefore ?? false;
  const server = {
    statusOfUniqueKeys: async () => [{...WAITS, running: ran}],
    handleOf: async () => 'H:1',
    cancel: async () => after.cancelled,
    statusOfHandles: async () => [await (after.presence?.() ?? WAITS)],
  };
  return cancelByKey(server as unknown as GearmanServer, {function: 'f', unique: 'k'}, {executingToo: ran});
}

it('does not call a job removed whose handle the server knows no more: it may have been restarted', async () => {
  expect(await cancelAt({cancelled: false})).toBe('absent');
});

it('calls a job cancelled, not removed, if a worker was handed it meanwhile or the server does not say', async () => {
  expect(await cancelAt({cancelled: true, presence: async () => ({known: true, running: true})})).toBe(
    'cancelled',
  );
  const silent = () => Promise.reject(new AtomctlError('GEARMAN_TIMEOUT', 'No answer.'));
  expect(await cancelAt({cancelled: true, presence: silent})).toBe('cancelled');
  expect(await cancelAt({cancelled: true})).toBe('removed');
});

it('does not call a job removed that ran, and of which a restarted server knows nothing', async () => {
  expect(await cancelAt({cancelled: true, ranBefore: true})).toBe('absent');
});
