import {markJobKilled} from '../jobs/mark.ts';
import type {Examination} from './examination.ts';
import type {Remedy} from './remedy.ts';
import {type RunningJob, runningJobs} from './running-jobs.ts';
import {counted, jobWords, someOf} from './words.ts';

/**
 * Marks lost jobs as errors, as jobs:kill does. What is lost stays lost: no server has it, and AtoM never submits a
 * job twice. So it is enough that the examination is fresh, and that each row still says running under its lock.
 */
export const LOST_JOBS: Remedy = {
  id: 'lost-jobs',
  checks: ['lost-jobs', 'serial-jobs'],
  plan: async (examination) => {
    const lost = await lostJobs(examination);
    if (lost.length === 0) return null;
    return `${counted(lost.length, 'lost job')} would be marked as ${lost.length === 1 ? 'an error' : 'errors'}: ${someOf(lost.map(jobWords))}.`;
  },
  steps: markEach,
  report: (count) => `${counted(count, 'lost job')} marked as ${count === 1 ? 'an error' : 'errors'}.`,
};

async function lostJobs(examination: Examination): Promise<RunningJob[]> {
  return (await runningJobs(examination)).filter(({fault}) => fault === 'lost');
}

async function* markEach(examination: Examination, by: string): AsyncGenerator<number> {
  const {time, now} = examination.patient;
  const database = await examination.database();
  for (const {id} of await lostJobs(examination)) {
    const nowWall = time.toWall(now());
    const note = `Marked as an error by atomctl doctor for ${by} on ${nowWall}: no Gearman server knew the job.`;
    const {outcome} = await markJobKilled({database, id, expected: 'running', note, culture: 'en', nowWall});
    yield outcome === 'marked' ? 1 : 0;
  }
}
