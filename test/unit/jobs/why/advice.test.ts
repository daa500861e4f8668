import {expect, it} from 'vitest';
import {BY_HAND, BY_SYSTEMD} from '../../../../src/host-commands.ts';
import {adviceFor, type Situation} from '../../../../src/jobs/why/advice.ts';

const WAITING = {id: 7, name: 'arFindingAidJob', state: 'queued', likely: null, ableWorkers: []};

it.each([
  ['with systemd', BY_SYSTEMD, 'atomctl worker:start --reset'],
  ['without systemd', BY_HAND, 'atomctl worker:run'],
])('a job that no connected worker can do needs one: %s', (_host, commands, command) => {
  expect(adviceFor({...WAITING, commands} as unknown as Situation)).toEqual({
    message: 'No connected worker can do arFindingAidJob: start one.',
    command,
  });
});
