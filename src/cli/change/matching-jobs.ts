import {counted} from '../../counted.ts';
import {usageError} from '../../errors.ts';
import type {JobFilter} from '../../jobs/model/filter.ts';
import type {Matched} from '../../jobs/model/matched.ts';
import type {Context} from '../context.ts';
import {type FilterFlags, hasFilter, jobFilter} from '../flags/filter-flags.ts';
import {liveSources, noticeMissing} from '../site/live.ts';

export interface JobChoice {
  /** The ids on the command line. */
  ids: readonly number[];
  /** Filters choose instead of ids. */
  allMatching: boolean;
  flags: FilterFlags;
  /** What is done to the jobs: "retry". */
  verb: string;
  /** A filter for the hint: "For example --since today." */
  example: string;
  /** What filters mean, for example if they name no status. */
  meant: (filter: JobFilter) => JobFilter;
}

export interface ChosenJobs {
  ids: readonly number[];
  /** What the filters saw of each; absent if ids were given. */
  matched?: ReadonlyMap<number, Matched>;
}

/**
 * The jobs that a command line names: its ids, or with --all-matching those that match the filters, oldest first.
 * @throws AtomctlError USAGE if it names none, or in both ways
 */
export async function chosenJobs(
  context: Context,
  choice: JobChoice,
  notice: (text: string) => void,
): Promise<ChosenJobs> {
  requireOneWay(choice);
  if (!choice.allMatching) return {ids: choice.ids};
  const filter = choice.meant(await jobFilter(choice.flags, context, {notice, explain: true}));
  const [{listLiveJobs}, database, time] = await Promise.all([
    import('../../jobs/live/list-live.ts'),
    context.database(),
    context.time(),
  ]);
  const page = {sort: {key: 'id', descending: false}, limit: null, offset: 0, live: false} as const;
  const query = {database, time, now: context.now(), filter, ...page};
  const {jobs, report} = await listLiveJobs(query, () => liveSources(context, {notice}));
  if (report !== null) {
    noticeMissing(report, notice);
    const uncertain = [...report.verdicts.values()].filter(({state}) => state === 'uncertain').length;
    if (uncertain > 0 && !filter.live?.includes('uncertain')) {
      notice(
        `${counted(uncertain, 'running job')} ${uncertain === 1 ? 'is' : 'are'} uncertain and left out. To see them: atomctl jobs:list --running --probe. To include them, add uncertain to --live.`,
      );
      // "No job matches" and exit status 0 would tell a script that all is well.
      if (jobs.length === 0 && report.missing[0] !== undefined) throw report.missing[0];
    }
  }
  const stateOf = (id: number) => (filter.live ? (report?.verdicts.get(id)?.state ?? null) : null);
  const matched = new Map(jobs.map(({id, status}) => [id, {status, state: stateOf(id)}]));
  return {ids: [...matched.keys()], matched};
}

function requireOneWay({ids, allMatching, flags, verb, example}: JobChoice): void {
  if (allMatching && ids.length > 0)
    throw usageError(
      'Job ids and --all-matching cannot be used together.',
      'Give only one of them. To select a job with a filter, use --id.',
    );
  if (allMatching && !hasFilter(flags)) throw usageError('--all-matching needs a filter.', example);
  if (!allMatching && hasFilter(flags))
    throw usageError(
      `To ${verb} jobs with filters, --all-matching is required.`,
      'Add --all-matching, or give only ids.',
    );
  if (!allMatching && ids.length === 0)
    throw usageError(
      'No job id was given.',
      `Give the ids of the jobs to ${verb}, or --all-matching with filters.`,
    );
}
