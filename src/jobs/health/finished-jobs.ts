/** A job whose work is done and whose row says Running. */
export interface FinishedJob {
  id: number;
  /** Its log has an error line since its last start, or it has an error note. */
  failed: boolean;
  /** AtoM 2.7 and later marks error lines; of an older site only an error note shows that a job failed. */
  marksErrors: boolean;
}

/** What brings the rows up to date: doctor --fix marks only those that surely did not fail. */
export function finishedFix(jobs: readonly FinishedJob[]): string {
  const failed = jobs.filter((job) => job.failed);
  const unknown = jobs.filter((job) => !job.failed && !job.marksErrors);
  const parts = [
    failed.length + unknown.length < jobs.length ? 'atomctl doctor --fix' : '',
    failed.length === 0 ? '' : `atomctl jobs:mark ${someIds(failed)} --as error`,
    unknown.length === 0 ? '' : lookFirst(unknown),
  ];
  return parts.filter(Boolean).join('; ');
}

function lookFirst(jobs: readonly FinishedJob[]): string {
  const id = jobs.length === 1 ? String(jobs[0]!.id) : 'ID';
  return `atomctl jobs:show ${id}, then atomctl jobs:mark ${id} --as completed or --as error`;
}

const SHOWN = 5;

function someIds(jobs: readonly FinishedJob[]): string {
  return jobs
    .slice(0, SHOWN)
    .map(({id}) => id)
    .join(' ');
}
