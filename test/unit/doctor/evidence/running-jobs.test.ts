import {expect, test} from 'vitest';
import {runningJobs} from '../../../../src/doctor/evidence/running-jobs.ts';
import type {SiteEvidence} from '../../../../src/doctor/evidence.ts';
import type {LiveState} from '../../../../src/jobs/model/job.ts';

const NOW = Date.parse('2026-03-04T12:00:00Z');
const STUCK_AFTER_SECONDS = 3600;

interface Given {
  state: LiveState;
  likely?: LiveState;
  name?: string;
  /** Of its log. */
  silentSeconds?: number | null;
  failed?: boolean;
}

async function jobOf({state, likely, name = 'arFindingAidJob', silentSeconds = 0, failed = false}: Given) {
  const lastActivityMs = silentSeconds === null ? null : NOW - silentSeconds * 1000;
  const report = {
    evidence: {rows: [{id: 7, name, failed, key: 'exact', lastActivityMs}]},
    rows: [{id: 7, logLength: 0}],
    verdicts: new Map([[7, {state, likely: likely ?? null, reason: 'Because.', needsTime: false}]]),
  };
  const access = {now: () => new Date(NOW), stuckAfterSeconds: STUCK_AFTER_SECONDS};
  const [job] = await runningJobs({live: async () => report, access} as unknown as SiteEvidence);
  return job!;
}

test.each<[string, Given, string | null]>([
  ['a job at work', {state: 'executing'}, null],
  ['an executing job, silent for too long', {state: 'executing', silentSeconds: 3601}, 'stuck'],
  ['an executing job, silent for just as long as it may be', {state: 'executing', silentSeconds: 3600}, null],
  ['an executing job whose last line is not known', {state: 'executing', silentSeconds: null}, null],
  [
    'a job that likely executes, silent for too long',
    {state: 'uncertain', likely: 'executing', silentSeconds: 3601},
    'stuck',
  ],
  ['a job that likely waits', {state: 'uncertain', likely: 'queued', silentSeconds: 3601}, null],
  ['a job that has waited for long', {state: 'queued', silentSeconds: 90_000}, null],
  ['a lost job', {state: 'lost'}, 'lost'],
  ['a lost and silent job', {state: 'lost', silentSeconds: 90_000}, 'lost'],
  ['a finished job', {state: 'finished', silentSeconds: 90_000}, 'finished'],
])('%s', async (_, given, fault) => expect((await jobOf(given)).fault).toBe(fault));

test('tells moves and imports, and a log with an error', async () => {
  expect(await jobOf({state: 'lost', name: 'arFileImportJob', failed: true})).toMatchObject({
    oneAtATime: true,
    failed: true,
  });
  expect(await jobOf({state: 'lost'})).toMatchObject({oneAtATime: false, failed: false});
});
