import {AtomctlError} from '../../errors.ts';
import {splitFunctionName} from '../../queue/function-name.ts';
import {serverOfQueue} from '../../queue/snapshot.ts';
import {executingEndedJobs, newestExecutingEnded, waitingEndedJobs} from '../live/ended-jobs.ts';
import {executingJobs, type LiveReport, liveStatesToAct, placesOf} from '../live/live-state.ts';
import type {FoundJob} from '../live/unique-keys.ts';
import type {Job} from '../model/job.ts';
import {loadJobs} from '../model/load-jobs.ts';
import {type PlannedStop, planStop} from '../model/worker-control.ts';
import {howToEnd} from './how-to-end.ts';
import {isCancelled} from './is-cancelled.ts';
import {plannedRefusal} from './refusal.ts';
import {type KillOptions, type KillPlan, stateNow, type Target} from './target.ts';

/**
 * What each job is and what will be done to it, before anything is touched.
 * @throws AtomctlError for the database; SYSTEMD_UNAVAILABLE or NO_SUCH_UNIT if a worker has to be restarted; INTERRUPTED
 */
export async function planKill(options: KillOptions): Promise<KillPlan> {
  const ids = new Set(options.ids);
  const jobs = await loadJobs({...options, now: options.now(), ids: [...ids]});
  const running = new Set(jobs.filter(({status}) => status === 'running').map(({id}) => id));
  const recheck = {
    wait: (milliseconds: number) => options.wait(milliseconds, options.signal),
    firstSeen: options.firstSeen,
  };
  const report = await withEndedJobs(await liveStatesToAct(options, recheck, running), jobs, options);
  if (options.signal.aborted) {
    throw new AtomctlError('INTERRUPTED', 'Interrupted before the first job was killed.', {
      hint: 'Nothing was changed.',
    });
  }
  const plan: KillPlan = {targets: new Map(), report, probed: [], workers: null, problems: []};
  const rows = new Map(report.rows.map((row) => [row.id, row]));
  const byHand = options.noSystemd
    ? await howToEnd(
        options,
        report,
        jobs.filter((job) => stateNow(job, report) === 'executing'),
      )
    : null;
  const waiting = await waitingEndedJobs(
    jobs.filter((job) => stateNow(job, report) === 'ended').map(({id}) => id),
    options,
  );
  for (const job of jobs) {
    const now = stateNow(job, report);
    const verdict = report.verdicts.get(job.id) ?? null;
    const row = rows.get(job.id);
    const target: Target = {
      ...{job, was: now, now, verdict, logLength: row?.logLength ?? null, failed: row?.failed === true},
      ...{refused: null, inQueues: new Map(), unchecked: new Map(), row: null},
      isKeyless: now === 'executing' && placesOf(report, job.id).length === 0,
      waitsEnded: waiting.has(job.id),
      howToEnd: byHand?.get(job.id) ?? null,
      isCancelled: now === 'executing' && job.status !== 'running' && (await isCancelled(report, job.id)),
    };
    target.refused =
      plannedRefusal(options, report, target) ?? (options.force ? null : strangePrefix(report, job.id));
    if (target.refused !== null && now === 'executing') target.refused += waitsToo(report, job.id);
    plan.targets.set(job.id, target);
  }
  plan.workers = await workersToStop(options, plan);
  return plan;
}

/** The report with those of the jobs that Gearman executes although their rows have ended. */
export async function withEndedJobs(
  report: LiveReport,
  jobs: readonly Job[],
  access: KillOptions,
): Promise<LiveReport> {
  const ended = jobs.filter(({status}) => status !== 'running').map(({id}) => id);
  const executing = await executingEndedJobs(ended, access);
  return {...report, found: new Map([...report.found, ...executing])};
}

function strangePrefix(report: LiveReport, id: number): string | null {
  const own = placesOf(report, id);
  const strange = report.found.get(id)?.filter((place) => !own.includes(place)) ?? [];
  // The site's own may wait while the other, a copy's, executes: then the state is not that of the site's own.
  const isStrange = own.length === 0 || (strange.some(isRunning) && !own.some(isRunning));
  if (strange.length === 0 || !isStrange) return null;
  const {prefix} = splitFunctionName((strange.find(isRunning) ?? strange[0]!).function);
  return (
    `Gearman has job ${id} under the function prefix ${prefix}, which may belong to another site. ` +
    `If it belongs to this site, add --function-prefix ${prefix}. Nothing was changed.`
  );
}

/** A job that executes on one server and waits on another begins again there, unless it is killed. */
function waitsToo(report: LiveReport, id: number): string {
  const waiting = placesOf(report, id).filter((place) => !isRunning(place));
  if (waiting.length === 0) return '';
  return ` It waits on ${waiting.map(({queue}) => serverOfQueue(queue)).join(' and ')}, too, and stays there.`;
}

function isRunning({running}: FoundJob): boolean {
  return running;
}

/** The workers of the jobs that execute; null if none has to stop, or none may. */
export async function workersToStop(
  options: KillOptions,
  {targets, report}: KillPlan,
): Promise<PlannedStop | null> {
  const stopping = [...targets.values()].filter(mustStop);
  if (options.worker === null || stopping.length === 0) return null;
  const ids = new Set(stopping.map(({job}) => job.id));
  const ended = stopping.flatMap(({job: {id, name, status}}) => (status === 'running' ? [] : [{id, name}]));
  const executing = [...executingJobs(report), ...ended, ...(await newestExecutingEnded(options))];
  // Without a key it cannot be cancelled before its worker stops.
  const goBack = [...ids].some((id) => placesOf(report, id).length === 0);
  return planStop(options.worker, ids, {executing, goBack});
}

function mustStop({now, refused}: Target): boolean {
  return now === 'executing' && refused === null;
}
