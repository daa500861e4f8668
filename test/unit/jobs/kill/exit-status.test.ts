import {expect, it} from 'vitest';
import {AtomctlError} from '../../../../src/errors.ts';
import {type Killed, type KillResult, killExitStatus} from '../../../../src/jobs/kill/kill.ts';

function killed(action: Killed['action'], was: Killed['was'] = 'queued'): Killed {
  return {id: 1, was, action, gearman: 'none', message: ''};
}

const done = killed('marked');
const deleted = killed('deleted');
const refused = killed('refused', 'executing');
const missing = killed('refused', null);
const problem = {workerProblem: new AtomctlError('FAILED', 'It did not start.')};

it.each<[string, Killed[], Partial<KillResult>, number]>([
  ['all killed', [done, deleted], {}, 0],
  ['none to kill', [], {}, 0],
  ['all killed, but the worker did not come back', [done], problem, 1],
  ['some refused', [done, refused], {}, 1],
  ['some missing', [done, missing], {}, 1],
  ['none but missing ones', [missing, missing], {}, 4],
  ['all refused', [refused], {}, 5],
  ['refused and missing', [refused, missing], {}, 5],
  ['refused since the worker did not stop', [refused], problem, 5],
  ['interrupted, whatever was done', [done, refused], {interrupted: true}, 130],
])('%s', (_name, jobs, rest, status) => {
  const result = {killed: jobs, workerRestarted: false, workerProblem: null, interrupted: false, ...rest};
  expect(killExitStatus(result)).toBe(status);
});
