import {beforeEach, describe, expect, it, vi} from 'vitest';
import type {SiteTime} from '../../../../src/atom/site-time.ts';
import {listLiveJobs, settleLiveFilter, showLiveJob} from '../../../../src/jobs/live/list-live.ts';
import type {LiveReport, LiveSources, LiveVerdict} from '../../../../src/jobs/live/live-state.ts';
import type {Job, JobDetails, JobStatus} from '../../../../src/jobs/model/job.ts';
import type {JobQuery} from '../../../../src/jobs/model/list.ts';
import type {Database} from '../../../../src/mysql/database.ts';

/** The table of jobs, as the lists read it (test/integration/jobs/model), and what the servers say (live-state.test.ts). */
const site = vi.hoisted(() => ({
  status: new Map<number, JobStatus>(),
  verdicts: new Map<number, LiveVerdict>(),
  /** What happens while the servers are asked. */
  meanwhile: () => {},
  reports: 0,
  /** The sources that the servers were asked with. */
  sources: undefined as unknown,
  /** The ids of the jobs that were read again. */
  reloaded: [] as number[],
}));
vi.mock('../../../../src/jobs/model/list.ts', () => ({
  listJobs: async ({filter: {ids}}: JobQuery) =>
    [...site.status.keys()].filter((id) => ids?.includes(id) ?? true).map(aJob),
}));
vi.mock('../../../../src/jobs/model/load-jobs.ts', () => ({
  loadJobs: async ({ids}: {ids: number[]}) => {
    site.reloaded.push(...ids);
    return ids.filter((id) => site.status.has(id)).map(aJob);
  },
}));
vi.mock('../../../../src/jobs/model/show.ts', () => ({
  showJob: async ({id}: {id: number}) => ({...aJob(id), log: 'It began.'}) as JobDetails,
}));
vi.mock('../../../../src/jobs/live/live-state.ts', () => ({
  liveStates: async (sources: unknown) => {
    site.reports += 1;
    site.sources = sources;
    site.meanwhile();
    return {verdicts: site.verdicts} as unknown as LiveReport;
  },
}));

function aJob(id: number): Job {
  return {id, status: site.status.get(id)!, live: null, likely: null, liveReason: null} as Job;
}
function verdict(state: LiveVerdict['state'], likely: LiveVerdict['likely'] = null): LiveVerdict {
  return {state, likely, reason: `It is ${state}.`, needsTime: false};
}
const CLOCK = {database: 'the database', time: 'the time'} as unknown as {database: Database; time: SiteTime};
const QUERY = {...CLOCK, filter: {}, limit: null, offset: 0} as unknown as JobQuery & {database: Database};
const SOURCES = async () => ({servers: ['a server']}) as unknown as LiveSources;
const list = (more: Partial<JobQuery> = {}, live = true) => listLiveJobs({...QUERY, ...more, live}, SOURCES);
const shown = (jobs: readonly Job[]) => jobs.map(({id, status, live}) => [id, live ?? status]);

beforeEach(() => {
  Object.assign(site, {
    status: new Map(),
    verdicts: new Map(),
    meanwhile: () => {},
    reports: 0,
    reloaded: [],
  });
});

describe('a list', () => {
  it('has the live state of each running job, from one report', async () => {
    site.status = new Map([
      [1, 'running'],
      [2, 'completed'],
      [3, 'running'],
    ]);
    site.verdicts = new Map([
      [1, verdict('executing')],
      [3, verdict('uncertain', 'lost')],
    ]);
    const {jobs, filter, report} = await list();
    expect(jobs).toEqual([
      {id: 1, status: 'running', live: 'executing', likely: null, liveReason: 'It is executing.'},
      {id: 2, status: 'completed', live: null, likely: null, liveReason: null},
      {id: 3, status: 'running', live: 'uncertain', likely: 'lost', liveReason: 'It is uncertain.'},
    ]);
    expect([filter, report?.verdicts, site.reports]).toEqual([{}, site.verdicts, 1]);
    expect(site.sources).toEqual({...CLOCK, servers: ['a server']});
  });

  it.each<[string, JobStatus, boolean]>([
    ['no job of it is running', 'completed', true],
    ['the live state is not wanted', 'running', false],
  ])('does not ask the servers if %s', async (_, status, live) => {
    site.status = new Map([[1, status]]);
    const {jobs, report} = await list({}, live);
    expect([shown(jobs), report, site.reports]).toEqual([[[1, status]], null, 0]);
  });

  it('shows how a job ended that ended while the servers were asked, which alone is read again', async () => {
    site.status = new Map([
      [1, 'running'],
      [2, 'running'],
      [3, 'completed'],
    ]);
    site.verdicts = new Map([[2, verdict('lost')]]);
    site.meanwhile = () => site.status.set(1, 'error');
    expect(shown((await list()).jobs)).toEqual([
      [1, 'error'],
      [2, 'lost'],
      [3, 'completed'],
    ]);
    expect(site.reloaded).toEqual([1]);
  });

  it('has a job that was deleted or retried while the servers were asked as uncertain', async () => {
    site.status = new Map([
      [1, 'running'],
      [2, 'running'],
    ]);
    site.meanwhile = () => site.status.delete(1);
    const {jobs} = await list();
    const likely = null;
    const liveReason = 'Its row changed while atomctl asked the servers.';
    expect(jobs).toEqual(
      [1, 2].map((id) => ({id, status: 'running', live: 'uncertain', likely, liveReason})),
    );
  });

  it('by live state asks the servers once, and has the jobs of that state alone', async () => {
    site.status = new Map([1, 2, 3].map((id) => [id, 'running']));
    site.verdicts = new Map([
      [1, verdict('executing')],
      [2, verdict('lost')],
      [3, verdict('uncertain', 'lost')],
    ]);
    const {jobs, filter, report} = await list({filter: {live: ['lost', 'executing']}});
    expect([shown(jobs), filter, site.reports]).toEqual([
      [
        [1, 'executing'],
        [2, 'lost'],
      ],
      {ids: [1, 2]},
      1,
    ]);
    expect(report?.verdicts).toBe(site.verdicts);
  });

  it('by live state without live states still has the report', async () => {
    site.status = new Map([[1, 'running']]);
    site.verdicts = new Map([[1, verdict('lost')]]);
    const {jobs, report} = await list({filter: {live: ['lost']}}, false);
    expect([shown(jobs), report?.verdicts]).toEqual([[[1, 'running']], site.verdicts]);
  });
});

describe('a filter', () => {
  const verdicts = new Map([
    [1, verdict('lost')],
    [2, verdict('queued')],
    [3, verdict('lost')],
  ]);
  const report = async () => ({verdicts}) as unknown as LiveReport;

  it('without a live state stays as it is, and nothing is asked', async () => {
    const filter = {ids: [7], name: 'arObjectMoveJob'};
    const never = () => Promise.reject(new Error('It was asked.'));
    expect(await settleLiveFilter(filter, never)).toEqual(filter);
  });

  it.each<[number[], number[] | undefined]>([
    [[1, 3], undefined],
    [[3], [2, 3, 4]],
    [[], []],
  ])('by lost becomes one by the ids %j if it names the ids %j', async (found, ids) => {
    const filter = {name: 'arObjectMoveJob', live: ['lost' as const], ...(ids && {ids})};
    expect(await settleLiveFilter(filter, report)).toEqual({name: 'arObjectMoveJob', ids: found});
  });
});

describe('a job that is shown', () => {
  const show = (live = true) => showLiveJob({...CLOCK, now: new Date(), id: 1, live}, SOURCES);

  it('has its live state if it is running', async () => {
    site.status = new Map([[1, 'running']]);
    site.verdicts = new Map([[1, verdict('uncertain', 'queued')]]);
    const {job, report} = await show();
    expect(job).toEqual({
      ...aJob(1),
      log: 'It began.',
      live: 'uncertain',
      likely: 'queued',
      liveReason: 'It is uncertain.',
    });
    expect(report?.verdicts).toBe(site.verdicts);
    expect(site.sources).toEqual({...CLOCK, servers: ['a server']});
  });

  it.each<[string, JobStatus, boolean]>([
    ['it has ended', 'error', true],
    ['the live state is not wanted', 'running', false],
  ])('does not make atomctl ask the servers if %s', async (_, status, live) => {
    site.status = new Map([[1, status]]);
    const {job, report} = await show(live);
    expect([job, report, site.reports]).toEqual([{...aJob(1), log: 'It began.'}, null, 0]);
  });

  it('shows how it ended if it ended while the servers were asked', async () => {
    site.status = new Map([[1, 'running']]);
    site.meanwhile = () => site.status.set(1, 'completed');
    const {job, report} = await show();
    expect([shown([job]), report === null]).toEqual([[[1, 'completed']], false]);
  });
});
