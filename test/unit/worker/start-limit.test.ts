import {expect, test} from 'vitest';
import type {JournalEntry} from '../../../src/systemd/journal.ts';
import type {UnitState} from '../../../src/systemd/unit-state.ts';
import {startLimit} from '../../../src/worker/start-limit.ts';
import {NEVER_STARTED} from '../../support/workers/fake-systemd.ts';

const NOW = new Date('2026-11-23T12:00:00Z');
const HOUR = 3600;
const FAILED: UnitState = {
  ...NEVER_STARTED,
  active: 'failed',
  sub: 'failed',
  result: 'exit-code',
  restarts: 3,
};
const RUNNING: UnitState = {...NEVER_STARTED, active: 'active', sub: 'running', mainPid: 7};

function event(hoursAgo: number, message: string): JournalEntry {
  const started = message.startsWith('Started');
  return {
    at: new Date(NOW.getTime() - hoursAgo * HOUR * 1000),
    unit: message.startsWith('Reloading') ? null : 'atom-worker.service',
    pid: 1,
    message,
    messageId: started ? '39f53479d3a045ac8e11786248231fbf' : null,
  };
}

const start = (hoursAgo: number) => event(hoursAgo, 'Started atom-worker.service - AtoM worker.');
const refusal = (hoursAgo: number) =>
  event(hoursAgo, 'atom-worker.service: Start request repeated too quickly.');
const reload = (hoursAgo: number) => event(hoursAgo, 'Reloading.');

test.each([
  ['no start at all', NEVER_STARTED, [], {startsUsed: 0, hit: false, secondsLeft: null}],
  [
    'starts within the interval count, older ones do not',
    RUNNING,
    [start(30), start(3), start(1)],
    {startsUsed: 2, hit: false},
  ],
  [
    'a start that the journal does not tell of yet',
    {...RUNNING, since: new Date(NOW.getTime() - 1000)},
    [],
    {startsUsed: 1, hit: false},
  ],
  [
    'running for longer than the interval',
    {...RUNNING, since: new Date(NOW.getTime() - 30 * HOUR * 1000)},
    [],
    {startsUsed: 0, hit: false},
  ],
  [
    'more starts than the burst: some were reset',
    RUNNING,
    [start(4), start(3), start(2), start(1)],
    {startsUsed: 3, hit: false},
  ],
  [
    'failed, but not refused',
    FAILED,
    [start(3), start(2), start(1)],
    {startsUsed: 3, hit: false, secondsLeft: null},
  ],
  [
    'refused: the interval began with the first of the last three starts',
    FAILED,
    [start(20), start(3), start(2), start(1), refusal(0.5)],
    {startsUsed: 3, hit: true, secondsLeft: 21 * HOUR},
  ],
  [
    'refused several times',
    FAILED,
    [start(3), start(2), start(1), refusal(0.5), refusal(0.4)],
    {hit: true, secondsLeft: 21 * HOUR},
  ],
  [
    'refused, and started since',
    RUNNING,
    [start(3), refusal(0.5), start(0.1)],
    {hit: false, secondsLeft: null},
  ],
  [
    'refused, and systemd reloaded since',
    FAILED,
    [start(3), start(2), start(1), refusal(0.5), reload(0.4)],
    {hit: false},
  ],
  [
    'reloaded, and refused since',
    FAILED,
    [start(3), start(2), start(1), reload(0.6), refusal(0.5)],
    {hit: true},
  ],
  [
    'refused so long ago that the interval is over',
    FAILED,
    [start(30), start(29), start(25), refusal(24.9)],
    {hit: false},
  ],
  [
    'refused, with older starts gone from the journal',
    FAILED,
    [start(1), refusal(0.5)],
    {hit: true, secondsLeft: null},
  ],
])('%s', (_, unit, events, expected) => {
  expect(startLimit(unit, events, NOW)).toMatchObject({burst: 3, intervalSeconds: 86_400, ...expected});
});

test.each([
  ['a crash loop ends with as many restarts as the burst', FAILED, true],
  ['a refused restart by hand', {...FAILED, result: 'start-limit-hit', restarts: 0}, true],
  ['a single crash', {...FAILED, restarts: 1}, false],
  ['a unit that runs', {...RUNNING, restarts: 3}, false],
])('without a readable journal: %s', (_, unit, hit) => {
  expect(startLimit(unit, null, NOW)).toMatchObject({startsUsed: null, hit, secondsLeft: null});
});

test('no limit', () => {
  const unit = {...FAILED, startLimit: {burst: 3, intervalSeconds: 0}};
  expect(startLimit(unit, null, NOW)).toMatchObject({burst: 0, hit: false});
});
