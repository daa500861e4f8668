import {expect, it} from 'vitest';
import {AtomctlError} from '../../../../src/errors.ts';
import {refusal} from '../../../../src/jobs/kill/refusal.ts';
import type {KillOptions, KillState, Target} from '../../../../src/jobs/kill/target.ts';
import type {LiveReport} from '../../../../src/jobs/live/live-state.ts';

const limited = new AtomctlError('REFUSED', 'It limits retries.');
const worker = {workersOf: async () => ({stop: async () => {}, start: async () => {}, interrupts: []})};
const report = {
  evidence: {workers: [], rows: [], servers: []},
  verdicts: new Map(),
  found: new Map(),
} as unknown as LiveReport;

interface Given {
  now: KillState;
  status?: string;
  problems?: AtomctlError[];
  failed?: boolean;
  reason?: string;
}

function refusalOf(
  {now, status = 'running', problems = [], failed = false, reason}: Given,
  options: Partial<KillOptions> = {},
) {
  const verdict = reason === undefined ? null : {state: now, likely: null, reason, needsTime: false};
  const target = {job: {id: 7, status, name: 'arFindingAidJob'}, was: now, now, verdict, failed, row: null};
  const asked = {force: false, deleteRows: false, worker: null, ...options};
  return refusal(asked as KillOptions, {problems, report}, target as unknown as Target);
}

it.each<[Given, Partial<KillOptions>, RegExp]>([
  [{now: 'ended', status: 'completed'}, {}, /already ended \(completed\).*jobs:kill 7 --delete/],
  [{now: 'ended'}, {}, /ended meanwhile/],
  [{now: 'finished'}, {}, /finished its work; .*jobs:mark 7 --as completed/],
  [{now: 'finished', failed: true}, {}, /finished its work, after an error; .*jobs:mark 7 --as error/],
  [{now: 'executing'}, {}, /jobs:kill 7 --restart-worker/],
  [{now: 'executing'}, {noSystemd: true}, /^(?!.*--restart-worker).*End its worker: kill .*jobs:kill 7\.$/],
  [{now: 'executing'}, {worker}, /could not stop its worker from this machine/],
  [{now: 'executing', problems: [limited]}, {worker}, /is executing\. It limits retries\.$/],
  [{now: 'queued', problems: [limited]}, {}, /is queued\. It limits retries\./],
  [{now: 'uncertain', reason: 'No answer.'}, {}, /^Job 7 is uncertain\. No answer\. .*--force/],
  [{now: 'uncertain', reason: 'No answer.'}, {deleteRows: true}, /No answer/],
])('%j with %j is refused', (given, options, message) => {
  expect(refusalOf(given, options)).toMatch(message);
});

const asked = (status: 'running' | 'error', state: KillState) => ({
  asked: new Map([[7, {status, state, name: 'arFindingAidJob'}]]),
});

it.each<[Given, Partial<KillOptions>, RegExp]>([
  [{now: 'ended', status: 'completed'}, asked('running', 'executing'), /was running and is completed now/],
  [{now: 'ended', status: 'completed'}, asked('error', 'ended'), /was error and is completed now/],
  [{now: 'executing'}, {worker, ...asked('error', 'ended')}, /was error and is running now/],
  [{now: 'finished'}, asked('running', 'executing'), /was executing and is finished now/],
  [{now: 'finished'}, asked('running', 'lost'), /was lost and is finished now/],
  [{now: 'executing'}, {worker, ...asked('running', 'lost')}, /was lost and is executing now/],
  [{now: 'queued'}, asked('running', 'lost'), /was lost and is queued now/],
])('%j, asked about as something else, is refused: %j', (given, options, message) => {
  expect(refusalOf(given, {deleteRows: true, ...options})).toMatch(message);
  expect(refusalOf(given, {deleteRows: true, force: true, ...options})).toBeNull();
});

it.each<[Given, Partial<KillOptions>]>([
  [
    {now: 'ended', status: 'error'},
    {deleteRows: true, ...asked('error', 'ended')},
  ],
  [{now: 'finished'}, {deleteRows: true, ...asked('running', 'uncertain')}],
  [{now: 'lost'}, asked('running', 'queued')],
  [{now: 'lost'}, {}],
  [{now: 'ended', status: 'error'}, {deleteRows: true}],
  [{now: 'ended', status: 'error'}, {force: true}],
  [{now: 'finished'}, {deleteRows: true}],
  [{now: 'finished'}, {force: true}],
  [{now: 'executing'}, {force: true}],
  [{now: 'uncertain', reason: 'No answer.'}, {force: true}],
])('%j with %j is not', (given, options) => {
  expect(refusalOf(given, options)).toBeNull();
});
