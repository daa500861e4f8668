import {describe, expect, test} from 'vitest';
import {AtomctlError} from '../../../../src/errors.ts';
import {poll} from '../../../../src/jobs/wait/poll.ts';
import {pollOptions} from '../../../support/jobs/poll-options.ts';

const lost = () => new AtomctlError('DATABASE_LOST', 'The connection was lost.');
const away = () => new AtomctlError('DATABASE_UNREACHABLE', 'Connection refused.');

/** Looks at the answers one after the other; an error among them is thrown. */
async function run(
  answers: (string | Error)[],
  bounds: {maxSeconds?: number; intervalSeconds?: number} = {},
) {
  const polling = pollOptions(bounds);
  const seen: string[] = [];
  const look = async () => {
    const answer = answers.shift() ?? 'more';
    if (answer instanceof Error) throw answer;
    return answer;
  };
  let error: unknown = null;
  try {
    for await (const answer of poll(look, polling.options)) {
      seen.push(answer);
      if (answer === 'stop') break;
      if (answer === 'ctrl-c') polling.interrupt();
    }
  } catch (thrown) {
    error = (thrown as AtomctlError).code;
  }
  return {seen, error, seconds: polling.seconds(), reopened: polling.reopened()};
}

describe('polling', () => {
  test('goes on at its interval until nobody wants to see more', async () => {
    expect(await run(['one', 'two', 'stop'], {intervalSeconds: 5})).toEqual({
      seen: ['one', 'two', 'stop'],
      error: null,
      seconds: 10,
      reopened: 0,
    });
  });

  test('polls a last time when the time is over, and once if no time is given', async () => {
    expect(await run([], {maxSeconds: 2.5})).toMatchObject({
      seen: ['more', 'more', 'more', 'more'],
      seconds: 2.5,
    });
    expect(await run([], {maxSeconds: 0})).toMatchObject({seen: ['more'], seconds: 0});
  });

  test('ends if it is interrupted', async () => {
    expect(await run(['one', 'ctrl-c', 'never'])).toMatchObject({seen: ['one', 'ctrl-c'], error: null});
  });

  test('outlives a database that restarts, on new connections, trying every second', async () => {
    const answers = ['one', lost(), away(), away(), 'two', lost(), 'stop'];
    expect(await run(answers, {intervalSeconds: 30})).toEqual({
      seen: ['one', 'two', 'stop'],
      error: null,
      seconds: 30 + 3 + 30 + 1,
      reopened: 4,
    });
  });

  test('gives up on one that stays away for a minute, on one that was never there, and on other errors', async () => {
    expect(await run(['one', ...Array.from({length: 100}, away)])).toMatchObject({
      seen: ['one'],
      error: 'DATABASE_UNREACHABLE',
      seconds: 61,
    });
    expect(await run([away()])).toMatchObject({seen: [], error: 'DATABASE_UNREACHABLE', seconds: 0});
    const refused = new AtomctlError('DATABASE_PRIVILEGE', 'No.');
    expect(await run(['one', refused])).toMatchObject({error: 'DATABASE_PRIVILEGE', reopened: 0});
  });

  test('the time may be over while the database is away', async () => {
    expect(await run(['one', lost(), away()], {maxSeconds: 2})).toMatchObject({
      seen: ['one'],
      error: null,
      seconds: 2,
    });
  });
});
