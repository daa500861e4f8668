import {expect, test} from 'vitest';
import type {UnitState} from '../../../src/systemd/unit-state.ts';
import {whyNotRunning} from '../../../src/worker/ending.ts';
import {judgeUnit} from '../../../src/worker/health.ts';
import type {StartLimit} from '../../../src/worker/start-limit.ts';
import {NEVER_STARTED} from '../../support/workers/fake-systemd.ts';

const LIMIT: StartLimit = {burst: 3, intervalSeconds: 86_400, startsUsed: 1, hit: false, secondsLeft: null};
const failed = (status: number, how: 'exited' | 'killed' = 'exited'): Partial<UnitState> => ({
  active: 'failed',
  sub: 'failed',
  result: how === 'exited' ? 'exit-code' : 'signal',
  lastExit: {how, status},
});

const CASES: [string, Partial<UnitState>, Partial<StartLimit>, RegExp | null][] = [
  ['it runs', {active: 'active', sub: 'running'}, {}, null],
  ['never started', {}, {startsUsed: 0}, /^It was not started recently\.$/],
  [
    'forgotten by systemd',
    {},
    {},
    /^It ended without an error: it was stopped by an administrator or by a SIGTERM\.$/,
  ],
  [
    'by a SIGTERM',
    {lastExit: {how: 'exited', status: 0}},
    {},
    /^It ended with exit status 0: it was stopped by an administrator or by a SIGTERM\.$/,
  ],
  [
    'its own limit',
    failed(111),
    {},
    /exit status 111: the worker's own limit \(--max-job-count or --max-mem-usage\)/,
  ],
  ['no PHP', failed(203), {}, /its program could not be executed/],
  ['a fatal error', failed(255), {}, /PHP ended with a fatal error/],
  ['another status', failed(7), {}, /^It ended with exit status 7\.$/],
  ['a signal', failed(9, 'killed'), {}, /^It was ended by SIGKILL\.$/],
  ['no memory left', {...failed(9, 'killed'), result: 'oom-kill'}, {}, /killed because memory ran out/],
  [
    'the start limit',
    failed(255),
    {hit: true, secondsLeft: 79_800},
    /^It ended with exit status 255.* It reached the start limit of 3 starts in 1d: .* for another 22h 10m\. To start it, reset the count/,
  ],
  [
    'about to come back',
    {...failed(255), active: 'activating', sub: 'auto-restart', restartDelaySeconds: 30},
    {},
    /systemd starts it again 30s after that\.$/,
  ],
  ['masked', {load: 'masked'}, {}, /masked/],
  ['a broken unit file', {load: 'bad-setting'}, {}, /could not load it \(bad-setting\)/],
];

test.each(CASES)('why it does not run: %s', (_, fields, limit, words) => {
  const unit = {...NEVER_STARTED, ...fields};
  const why = whyNotRunning(unit, {...LIMIT, ...limit});
  if (words === null) expect(why).toBeNull();
  else expect(why).toMatch(words);
});

test('whether it comes back by itself', () => {
  const texts = (fields: Partial<UnitState>) =>
    judgeUnit({unit: {...NEVER_STARTED, enablement: 'enabled', ...fields}, limit: LIMIT, servers: []}).map(
      ({text}) => text,
    );
  expect(texts(failed(7))).toEqual([
    expect.stringContaining('systemd will not start it again. To start it: atomctl worker:start'),
  ]);
  expect(texts({...failed(7), active: 'activating', sub: 'auto-restart'})[0]).not.toContain(
    'will not start it again',
  );
});

test('D15: at the start limit, the advice is the start that systemd accepts, and none for a masked unit', () => {
  const [atLimit] = judgeUnit({
    unit: {...NEVER_STARTED, enablement: 'enabled', ...failed(255)},
    limit: {...LIMIT, hit: true, secondsLeft: 79_800},
    servers: [],
  });
  expect(atLimit!.text).toMatch(/reset the count \(atomctl worker:start --reset\)\.$/);
  const [masked] = judgeUnit({unit: {...NEVER_STARTED, load: 'masked'}, limit: LIMIT, servers: []});
  expect(masked!.text).toMatch(/"systemctl unmask"\.$/);
});

test('a worker that systemd may not restart again is reported while it runs', () => {
  const unit = {...NEVER_STARTED, enablement: 'enabled', active: 'active', sub: 'running'};
  expect(judgeUnit({unit, limit: {...LIMIT, startsUsed: 3}, servers: []})).toMatchObject([
    {severity: 'warning', text: expect.stringContaining('To clear the count: atomctl worker:reset')},
  ]);
  expect(judgeUnit({unit, limit: {...LIMIT, startsUsed: 2}, servers: []})).toEqual([]);
});
