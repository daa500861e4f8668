import {expect, it} from 'vitest';
import {createSiteTime} from '../../../../src/atom/site-time.ts';
import type {JobLog} from '../../../../src/doctor/evidence/job-logs.ts';
import {type JobFault, runningJobs} from '../../../../src/doctor/evidence/running-jobs.ts';
import type {SiteEvidence} from '../../../../src/doctor/evidence.ts';
import {AtomctlError} from '../../../../src/errors.ts';
import type {LiveState} from '../../../../src/jobs/model/job.ts';

const NOW = new Date('2026-03-04T12:00:00Z');
const time = createSiteTime('UTC');

interface Evidence {
  state: LiveState;
  /** Minutes since the last line of log; absent where there is no log. */
  silentMinutes?: number;
  log?: Partial<JobLog>;
  /** A server did not answer. */
  incomplete?: boolean;
  /** Another atomctl holds a server. */
  probing?: boolean;
}

function examinationOf({state, silentMinutes, log, incomplete, probing = false}: Evidence): SiteEvidence {
  const at =
    silentMinutes === undefined ? null : time.toWall(new Date(NOW.getTime() - silentMinutes * 60_000));
  const jobLog = {id: 7, name: 'arX', starts: 1, finished: false, cut: false, lastActivity: at, ...log};
  const logs = new Map(at === null && log === undefined ? [] : [[7, jobLog]]);
  return {
    access: {time, now: () => NOW, stuckAfterSeconds: 3600},
    live: async () => ({
      states: new Map([[7, state]]),
      reasons: new Map(),
      rows: [
        {id: 7, name: 'arX'},
        {id: 8, name: 'ended meanwhile'},
      ],
      probing,
      missing: incomplete ? [new AtomctlError('GEARMAN_TIMEOUT', 'No answer.')] : [],
    }),
    logs: async () => logs,
  } as unknown as SiteEvidence;
}

it.each<[string, Evidence, JobFault | null]>([
  ['a job at work', {state: 'executing', silentMinutes: 59}, null],
  ['a silent job', {state: 'executing', silentMinutes: 61}, 'stuck'],
  ['a silent job whose log is at the cap', {state: 'executing', log: {cut: true, lastActivity: null}}, null],
  ['a job that has waited for long', {state: 'queued', silentMinutes: 600}, null],
  ['a job never begun', {state: 'queued'}, null],
  [
    'a silent job that no server can be asked for by its key',
    {state: 'uncertain', silentMinutes: 61},
    'stuck',
  ],
  ['the same where a server is missing', {state: 'uncertain', silentMinutes: 61, incomplete: true}, null],
  ['the same where a server is held', {state: 'uncertain', silentMinutes: 61, probing: true}, null],
  ['a lost job', {state: 'lost'}, 'lost'],
  ['a lost and silent job', {state: 'lost', silentMinutes: 600}, 'lost'],
  ['a lost job that had ended', {state: 'lost', silentMinutes: 0, log: {finished: true}}, 'finished'],
  ['a job that ends at this moment', {state: 'executing', silentMinutes: 0, log: {finished: true}}, null],
  ['a job that ended a while ago', {state: 'executing', silentMinutes: 2, log: {finished: true}}, 'finished'],
  [
    'the same where a server is missing',
    {state: 'uncertain', silentMinutes: 2, incomplete: true, log: {finished: true}},
    'finished',
  ],
])('%s', async (_, evidence, fault) => {
  expect(await runningJobs(examinationOf(evidence))).toEqual([expect.objectContaining({id: 7, fault})]);
});
