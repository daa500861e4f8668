import type {AtomctlError} from '../errors.ts';
import type {KillOptions, Target} from './kill.ts';
import {NO_LIFE} from './queued-jobs.ts';

/** Why a job may not be killed as things are, with the command that would do it; null where it may. */
export function refusal(options: KillOptions, target: Target): string | null {
  if (options.force) return null;
  const {job, now} = target;
  switch (now) {
    case 'finished':
      if (options.deleteRows) return null;
      if (job.status === 'running')
        return `Job ${job.id} ended while it was looked at. Its row was left as it is.`;
      return `Job ${job.id} has ended already (${job.status}). To remove its row: atomctl jobs:kill ${job.id} --delete`;
    case 'lost':
      return null;
    case 'executing':
      return executingRefusal(options, target);
    case 'queued':
    case 'uncertain':
      return `Job ${job.id} is ${now}. ${unsettledReason(target)} Its row was left as it is; --force changes it all the same.`;
  }
}

function executingRefusal({worker}: KillOptions, {job, findings}: Target): string {
  if (findings.problems.length > 0) return `Job ${job.id} is executing. ${sentences(findings.problems)}`;
  if (worker !== null) {
    return `Job ${job.id} is still executing, by a worker that could not be stopped from here. Stop that worker, then kill the job again.`;
  }
  return (
    `Job ${job.id} is executing, and only stopping its worker ends it: atomctl jobs:kill ${job.id} --restart-worker ` +
    '(--force changes the row alone, and the worker may overwrite it).'
  );
}

function unsettledReason({job, findings: {report, problems}}: Target): string {
  if (report.missing.length > 0) return sentences(report.missing);
  if (problems.length > 0) return sentences(problems);
  const reason = report.reasons.get(job.id);
  if (reason !== undefined) return reason;
  if (!report.own) return NO_LIFE;
  if (report.peeked) return 'Another atomctl is looking at the queue; try again in a moment.';
  return 'The queue moved while it was looked at, or the job is only just being submitted; try again in some seconds.';
}

function sentences(problems: readonly AtomctlError[]): string {
  return problems.map(({message}) => message).join(' ');
}
