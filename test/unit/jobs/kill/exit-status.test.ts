import {expect, it} from 'vitest';
import {AtomctlError} from '../../../../src/errors.ts';
import {type Killed, type KillResult, killExitStatus} from '../../../../src/jobs/kill/kill.ts';

function killed(action: Killed['action'], was: Killed['was'] = 'queued'): Killed {
  return {id: 1, was, action, gearman: 'none', message: ''};
}

const done = killed('marked');
const deleted = killed('deleted');
const failed = killed('failed');
const refused = killed('refused', 'executing');
const missing = killed('refused', null);
const problem = {workerProblem: new AtomctlError('FAILED', 'It did not start.')};

it.each<[string, Killed[], Partial<KillResult>, number]>([
  ['all killed', [done, deleted], {}, 0],
  ['none to kill', [], {}, 0],
  ['one that failed', [failed], {}, 1],
  ['one that failed among refused ones', [refused, failed], {}, 1],
  ['all killed, but the worker did not come back', [done], problem, 1],
  ['some refused', [done, refused], {}, 1],
  ['some missing', [done, missing], {}, 1],
  ['none but missing ones', [missing, missing], {}, 4],
  ['all refused', [refused], {}, 5],
  ['refused and missing', [refused, missing], {}, 5],
  ['refused since the worker did not stop', [refused], problem, 5],
  ['interrupted, whatever was done', [done, refused], {stoppedEarly: true}, 130],
])('%s', (_name, jobs, rest, status) => {
  const nothing = {
    workersAsked: false,
    workerRestarted: false,
    interrupted: [],
    workerProblem: null,
    stoppedEarly: false,
  };
  const result = {killed: jobs, ...nothing, ...rest};
  expect(killExitStatus(result)).toBe(status);
});
