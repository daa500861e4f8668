import {setTimeout as sleep} from 'node:timers/promises';
import {Flags} from '@oclif/core';
import {AtomctlError, usageError} from '../../errors.ts';
import type {KillOptions} from '../../jobs/kill/kill.ts';
import type {JobFilter} from '../../jobs/model/filter.ts';
import type {Job} from '../../jobs/model/job.ts';
import {noSuchJob} from '../../jobs/model/show.ts';
import type {Context} from '../context.ts';
import {type FilterFlags, hasFilter, jobFilter} from '../flags/filter-flags.ts';
import {confirmationFlags} from '../flags/shared-flags.ts';
import {liveSources, noticeMissing} from '../live.ts';
import {sudoFlag, type UnitFlags, unitFlags} from '../worker/unit-flags.ts';
import {caller} from './audit-log.ts';
import {queueSources} from './clear.ts';

/** Which jobs and how to kill them, beside the job filters. */
export const killFlags = {
  ...confirmationFlags,
  ...unitFlags,
  ...sudoFlag,
  'all-matching': Flags.boolean({summary: 'All running jobs that the filters match, instead of ids.'}),
  reason: Flags.string({summary: "Why, for the job's error note.", helpValue: 'TEXT'}),
  delete: Flags.boolean({
    summary: 'Remove the row and all that hangs on it, instead of marking it as an error.',
  }),
  force: Flags.boolean({
    summary:
      'Change the row also where Gearman may still run the job, or the job has ended; says what remains.',
  }),
  'restart-worker': Flags.boolean({
    summary: "End an executing job: stop the site's workers, take it out, start them again.",
  }),
};

interface KillFlagValues extends UnitFlags {
  reason?: string;
  delete: boolean;
  force: boolean;
  'restart-worker': boolean;
}

interface Wanted {
  ids: readonly number[];
  flags: FilterFlags & {'all-matching': boolean};
  notice: (text: string) => void;
}

/**
 * The jobs that the command line names, with their live states, to ask about; none where no job matches the filters.
 * @throws AtomctlError USAGE for ids and filters together or neither, NO_SUCH_JOB where there is none of the ids
 */
export async function jobsToKill(context: Context, wanted: Wanted): Promise<Job[]> {
  const filter = await wantedFilter(context, wanted);
  const {listLiveJobs} = await import('../../jobs/live/list-live.ts');
  const [database, time] = await Promise.all([context.database(), context.time()]);
  const page = {sort: {key: 'id', descending: false}, limit: null, offset: 0, live: true} as const;
  const {jobs, report} = await listLiveJobs({database, time, now: context.now(), filter, ...page}, () =>
    liveSources(context, wanted),
  );
  if (report !== null) noticeMissing(report, wanted.notice);
  if (jobs.length > 0 || wanted.flags['all-matching']) return jobs;
  if (wanted.ids.length === 1) throw noSuchJob(wanted.ids[0]!);
  throw new AtomctlError('NO_SUCH_JOB', 'There is no such job.', {
    hint: 'See the ids with: atomctl jobs:list',
  });
}

/** Filters mean running jobs, unless they name a status: to kill what has ended takes --delete or --force and its id. */
async function wantedFilter(context: Context, {ids, flags}: Wanted): Promise<JobFilter> {
  if (!flags['all-matching']) {
    if (hasFilter(flags))
      throw usageError('Filters choose jobs to kill only with --all-matching.', 'Add it, or give ids alone.');
    if (ids.length === 0)
      throw usageError(
        'No job was named.',
        'Give the ids of the jobs to kill, or --all-matching with filters.',
      );
    return {ids: [...ids]};
  }
  if (ids.length > 0)
    throw usageError(
      'Ids and --all-matching exclude each other.',
      'Give one of them; --id narrows a filter.',
    );
  if (!hasFilter(flags))
    throw usageError('--all-matching needs a filter.', 'For all running jobs, give --running.');
  const filter = await jobFilter(flags, () => context.time(), context.now());
  return {...filter, statuses: filter.statuses ?? ['running']};
}

/** What killJobs needs beside the ids. */
export async function killSources(
  context: Context,
  flags: KillFlagValues,
): Promise<Omit<KillOptions, 'ids' | 'signal'>> {
  const [queue, database] = await Promise.all([queueSources(context), context.database()]);
  return {
    ...queue,
    database,
    deleteRows: flags.delete,
    force: flags.force,
    reason: flags.reason ?? null,
    by: caller(),
    culture: 'en',
    wait: sleep,
    worker: flags['restart-worker']
      ? await (await import('../worker/worker-control.ts')).workerControl(context, flags)
      : null,
  };
}
