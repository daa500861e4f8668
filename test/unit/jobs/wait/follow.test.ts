import {expect, test} from 'vitest';
import type {Job} from '../../../../src/jobs/model/job.ts';
import {type FollowStep, followJob} from '../../../../src/jobs/wait/follow.ts';
import {aJob} from '../../../support/jobs/a-job.ts';
import {pollOptions} from '../../../support/jobs/poll-options.ts';

async function follow(jobs: (Job | undefined)[], interruptAfter = Number.POSITIVE_INFINITY) {
  const polling = pollOptions();
  const steps: FollowStep[] = [];
  const fetch = async () => ({job: jobs.shift(), log: {text: 'x', restarted: false, cut: false}});
  for await (const step of followJob({...polling.options, id: 7, fetch})) {
    steps.push(step);
    if (steps.length === interruptAfter) polling.interrupt();
  }
  return steps.map(({job, end}) => [job.status, end]);
}

test('follows to the end, whichever it is, and keeps what was last seen of a deleted job', async () => {
  const running = aJob({live: 'executing'});
  expect(await follow([running, running, aJob({status: 'completed'})])).toEqual([
    ['running', null],
    ['running', null],
    ['completed', 'finished'],
  ]);
  expect(await follow([aJob({live: 'queued'}), aJob({live: 'lost'})])).toEqual([
    ['running', null],
    ['running', 'lost'],
  ]);
  expect(await follow([running, undefined])).toEqual([
    ['running', null],
    ['running', 'deleted'],
  ]);
  expect(await follow([running, running, running], 2)).toEqual([
    ['running', null],
    ['running', null],
  ]);
});

test('an unknown job is an error', async () => {
  await expect(follow([undefined])).rejects.toMatchObject({
    code: 'NO_SUCH_JOB',
    message: 'There is no job 7.',
  });
});
