import {type JobsLook, lookAtJobs} from '../../jobs/look-at-jobs.ts';
import {liveSources, noticeMissing} from '../live.ts';
import type {Stay} from './stay.ts';

/** One look at some jobs on the connections of now. A Gearman server that is away is tried anew the next time. */
export async function lookAtWatchedJobs(
  stay: Stay,
  options: {ids: readonly number[]; live: boolean; notice: (text: string) => void},
): Promise<JobsLook> {
  const {ids, live, notice} = options;
  const context = stay.context();
  const [database, time] = await Promise.all([context.database(), context.time()]);
  const look = await lookAtJobs({database, time, now: context.now(), ids, live, pause: stay.pause}, () =>
    liveSources(context, {notice}),
  );
  if (look.report !== null && look.report.missing.length > 0) {
    noticeMissing(look.report, notice);
    await stay.reopen();
  }
  return look;
}
