import type {AtomctlError} from '../../errors.ts';
import type {KillOptions, KillPlan, Target} from './plan.ts';

/** Why a job may not be killed as things are, with the command that would do it; null if it may. */
export function refusal(
  options: KillOptions,
  {problems}: Pick<KillPlan, 'problems'>,
  target: Target,
): string | null {
  if (options.force) return null;
  const {job, now} = target;
  switch (now) {
    case 'ended':
      if (options.deleteRows) return null;
      if (job.status === 'running') return `Job ${job.id} ended meanwhile. Its row was left as it is.`;
      return `Job ${job.id} has ended already (${job.status}). To remove its row: atomctl jobs:kill ${job.id} --delete`;
    case 'finished':
      if (options.deleteRows) return null;
      return `Job ${job.id} has finished its work; only its row was not saved. To mark it as completed: atomctl doctor --fix --check finished-jobs`;
    case 'lost':
      return null;
    case 'executing':
      return executingRefusal(options, problems, target);
    case 'queued':
    case 'uncertain':
      return `Job ${job.id} is ${now}. ${unsettledReason(target, problems)} Its row was left as it is; --force changes it anyway.`;
  }
}

function executingRefusal({worker}: KillOptions, problems: readonly AtomctlError[], {job}: Target): string {
  if (problems.length > 0) return `Job ${job.id} is executing. ${sentences(problems)}`;
  if (worker !== null) {
    return `Job ${job.id} is still executing, by a worker that could not be stopped from here. Stop that worker, then kill the job again.`;
  }
  return (
    `Job ${job.id} is executing, and only stopping its worker ends it: atomctl jobs:kill ${job.id} --restart-worker ` +
    '(--force changes the row alone, and the worker may overwrite it).'
  );
}

function unsettledReason({verdict}: Target, problems: readonly AtomctlError[]): string {
  if (problems.length > 0) return sentences(problems);
  return verdict?.reason ?? '';
}

function sentences(problems: readonly AtomctlError[]): string {
  return problems.map(({message}) => message).join(' ');
}
