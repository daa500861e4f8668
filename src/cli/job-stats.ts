import {type JobStats, jobStats} from '../jobs/stats.ts';
import type {Context} from './context.ts';
import {type FilterFlags, jobFilter} from './flags/filter-flags.ts';
import {liveReport} from './live.ts';

/** The figures of the jobs that the flags choose. @throws AtomctlError USAGE for a wrong filter; for the database */
export async function lookAtStats(
  context: Context,
  flags: FilterFlags,
  notice: (text: string) => void,
): Promise<JobStats> {
  const now = context.now();
  const wanted = await jobFilter(flags, () => context.time(), now);
  const [database, time, {settleLiveFilter}] = await Promise.all([
    context.database(),
    context.time(),
    import('../jobs/live-filter.ts'),
  ]);
  const filter = await settleLiveFilter(wanted, () => liveReport(context, notice));
  return jobStats({database, time, now, filter});
}
