import {expect, it} from 'vitest';
import {AtomctlError} from '../../../../src/errors.ts';
import {type KillOptions, type KillState, refusal, type Target} from '../../../../src/jobs/kill/kill.ts';

const silent = new AtomctlError('GEARMAN_TIMEOUT', 'No answer.');
const limited = new AtomctlError('REFUSED', 'It limits retries.');
const worker = {stop: async () => {}, start: async () => {}};

interface Given {
  now: KillState;
  status?: string;
  missing?: AtomctlError[];
  problems?: AtomctlError[];
  own?: boolean;
  probing?: boolean;
  reason?: string;
}

function refusalOf(given: Given, options: Partial<KillOptions> = {}): string | null {
  const {now, status = 'running', missing = [], problems = [], own = true, probing = false} = given;
  const reasons = new Map(given.reason === undefined ? [] : [[7, given.reason]]);
  const report = {missing, own, probing, reasons};
  const target = {job: {id: 7, status}, was: now, now, findings: {report, problems}};
  const asked = {force: false, deleteRows: false, worker: null, ...options};
  return refusal(asked as KillOptions, target as unknown as Target);
}

it.each<[Given, Partial<KillOptions>, RegExp]>([
  [{now: 'finished', status: 'completed'}, {}, /ended already \(completed\).*jobs:kill 7 --delete/],
  [{now: 'finished'}, {}, /ended while it was looked at/],
  [{now: 'executing'}, {}, /jobs:kill 7 --restart-worker/],
  [{now: 'executing'}, {worker}, /could not be stopped from here/],
  [{now: 'executing', problems: [limited]}, {worker}, /is executing\. It limits retries\.$/],
  [{now: 'uncertain', missing: [silent]}, {}, /is uncertain\. No answer\..*--force/],
  [{now: 'queued', problems: [limited]}, {}, /is queued\. It limits retries\./],
  [{now: 'uncertain', own: false}, {}, /function prefix.*atomctl config/],
  [{now: 'uncertain', probing: true}, {}, /Another atomctl is looking/],
  [{now: 'uncertain'}, {}, /queue moved/],
  [
    {now: 'uncertain', reason: 'A worker of this site is connected and may be running it.'},
    {},
    /^Job 7 is uncertain\. A worker of this site is connected and may be running it\. .*--force/,
  ],
  [{now: 'uncertain', missing: [silent]}, {deleteRows: true}, /No answer/],
])('%j with %j is refused', (given, options, message) => {
  expect(refusalOf(given, options)).toMatch(message);
});

it.each<[Given, Partial<KillOptions>]>([
  [{now: 'lost'}, {}],
  [{now: 'finished', status: 'error'}, {deleteRows: true}],
  [{now: 'finished', status: 'error'}, {force: true}],
  [{now: 'executing'}, {force: true}],
  [{now: 'uncertain', missing: [silent]}, {force: true}],
])('%j with %j is not', (given, options) => {
  expect(refusalOf(given, options)).toBeNull();
});
