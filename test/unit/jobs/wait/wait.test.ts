import {describe, expect, test} from 'vitest';
import type {Job} from '../../../../src/jobs/model/job.ts';
import {type Milestone, waitExitStatus, waitForJobs} from '../../../../src/jobs/wait/wait.ts';
import {aJob} from '../../../support/jobs/a-job.ts';
import {pollOptions} from '../../../support/jobs/poll-options.ts';

const STATES = {
  queued: {status: 'running', live: 'queued'},
  executing: {status: 'running', live: 'executing'},
  uncertain: {status: 'running', live: 'uncertain'},
  lost: {status: 'running', live: 'lost'},
  completed: {status: 'completed'},
  error: {status: 'error'},
  unknown: {status: 'unknown'},
} satisfies Record<string, Partial<Job>>;
type State = keyof typeof STATES | 'deleted';

/** Each look is the states of jobs 1, 2, ... ; the last one stays. */
async function wait(poll: State[][], given: {until?: Milestone; started?: number[]; maxSeconds?: number}) {
  const polling = pollOptions(given);
  let told = 0;
  const result = waitForJobs({
    ...polling.options,
    ids: poll[0]!.map((_, index) => index + 1),
    until: given.until ?? 'finished',
    fetch: async () => {
      const states = poll.length > 1 ? poll.shift()! : poll[0]!;
      const jobs = states.flatMap((state, index) =>
        state === 'deleted' ? [] : aJob({id: index + 1, ...STATES[state]}),
      );
      return {jobs, started: new Set(given.started)};
    },
    onPoll: () => {
      told += 1;
    },
  });
  return result.then(
    (waited) => ({
      status: waitExitStatus(waited),
      poll: told,
      deleted: waited.deleted,
      over: waited.timeOver,
    }),
    (error) => ({status: error.exitStatus, message: error.message}),
  );
}

describe('waiting', () => {
  test.each<[name: string, poll: State[][], given: Parameters<typeof wait>[1], expected: object]>([
    ['completed at once', [['completed', 'completed']], {}, {status: 0, poll: 1}],
    [
      'all complete in the end',
      [
        ['queued', 'executing'],
        ['executing', 'completed'],
        ['completed', 'completed'],
      ],
      {},
      {status: 0, poll: 3},
    ],
    [
      'one failed: the others are waited for',
      [
        ['error', 'executing'],
        ['error', 'completed'],
      ],
      {},
      {status: 1, poll: 2},
    ],
    ['no status is not completed', [['unknown']], {}, {status: 1, poll: 1}],
    [
      'one lost ends it at once',
      [
        ['executing', 'queued'],
        ['executing', 'lost'],
      ],
      {},
      {status: 1, poll: 2, over: false},
    ],
    [
      'deleted meanwhile',
      [
        ['executing', 'executing'],
        ['executing', 'deleted'],
        ['completed', 'deleted'],
      ],
      {},
      {status: 1, poll: 3, deleted: [2]},
    ],
    ['unknown id', [['executing', 'deleted']], {}, {status: 4, message: 'There is no job 2.'}],
    [
      'unknown ids',
      [['deleted', 'completed', 'deleted']],
      {},
      {status: 4, message: 'There are no jobs 1, 3.'},
    ],
    [
      'the time is over, though one failed',
      [['executing', 'error']],
      {maxSeconds: 3},
      {status: 124, poll: 4, over: true},
    ],
    [
      'started: executing',
      [
        ['queued', 'queued'],
        ['executing', 'completed'],
      ],
      {until: 'started'},
      {status: 0, poll: 2},
    ],
    ['started: the log says so', [['uncertain']], {until: 'started', started: [1]}, {status: 0, poll: 1}],
    ['started: not yet', [['queued']], {until: 'started', maxSeconds: 1}, {status: 124}],
    ['started: ended badly', [['error']], {until: 'started'}, {status: 1}],
  ])('%s', async (_name, poll, given, expected) => {
    expect(await wait(poll, given)).toMatchObject(expected);
  });

  test('interrupted: 130, and the jobs go on', async () => {
    const polling = pollOptions();
    const waiting = waitForJobs({
      ...polling.options,
      ids: [1],
      until: 'finished',
      fetch: async () => ({jobs: [aJob()], started: new Set<number>()}),
      onPoll: polling.interrupt,
    });
    await expect(waiting).rejects.toMatchObject({exitStatus: 130, hint: 'The jobs continue.'});
  });
});
