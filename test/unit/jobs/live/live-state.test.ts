import {beforeEach, describe, expect, it, vi} from 'vitest';
import type {CollectOptions} from '../../../../src/jobs/live/collect-evidence.ts';
import type {LiveEvidence} from '../../../../src/jobs/live/evidence.ts';
import {
  executingJobs,
  type LiveReport,
  liveStates,
  liveStatesToAct,
  stateIn,
} from '../../../../src/jobs/live/live-state.ts';
import {begun, evidence, keyless, NOW, queue, row, running, waiting} from './given.ts';

/** What a reading of the site sees (collect-evidence.test.ts), beside the jobs that were in no queue before. */
const site = vi.hoisted(() => ({
  sees: undefined as unknown as Omit<LiveEvidence, 'seenBefore'>,
  seenBefore: [] as number[][],
}));
vi.mock('../../../../src/jobs/live/collect-evidence.ts', () => ({
  collectEvidence: async ({seenBefore = new Set<number>()}: CollectOptions) => {
    site.seenBefore.push([...seenBefore]);
    const {rows} = site.sees;
    return {evidence: {...site.sees, seenBefore}, rows, found: new Map(), missing: ['a server']};
  },
}));

const OPTIONS = {} as CollectOptions;
const NEW = (id: number) => row(id, {createdMs: NOW, queues: []});

beforeEach(() => {
  vi.useFakeTimers({toFake: ['performance']});
  site.seenBefore = [];
});

it('is judged from the evidence, which comes with it', async () => {
  site.sees = evidence([begun(1, running()), row(2, {queues: []})], {queues: [queue(1, 1)]});
  const report = await liveStates(OPTIONS);
  expect([stateIn(report, 1), stateIn(report, 2), stateIn(report, 3)]).toEqual([
    'executing',
    'lost',
    undefined,
  ]);
  expect([report.evidence.queues, report.rows.length, report.missing]).toEqual([
    [queue(1, 1)],
    2,
    ['a server'],
  ]);
});

describe('before jobs are changed', () => {
  /** The states, how long atomctl waited, and which jobs it had seen before at each reading. */
  async function act(ids?: number[], firstSeen = new Map<number, number>()) {
    const waits: number[] = [];
    const wait = async (ms: number) => {
      waits.push(ms);
      vi.advanceTimersByTime(ms);
    };
    const report = await liveStatesToAct(OPTIONS, {wait, firstSeen}, ids && new Set(ids));
    const states = Object.fromEntries([...report.verdicts].map(([id, {state}]) => [id, state]));
    return {states, waits, seenBefore: site.seenBefore.splice(0)};
  }

  it('nothing is waited for if the states are proved, or more than time is missing', async () => {
    site.sees = evidence([row(1, {queues: []}), keyless(2)], {queues: [queue(2, 1)]});
    expect(await act()).toEqual({states: {1: 'lost', 2: 'uncertain'}, waits: [], seenBefore: [[]]});
  });

  it('ten seconds are waited if only time is missing, and then the job is lost', async () => {
    site.sees = evidence([NEW(1), row(2, {queues: []}), NEW(3)]);
    const lost = {1: 'lost', 2: 'lost', 3: 'lost'};
    expect(await act()).toEqual({states: lost, waits: [10_000], seenBefore: [[], [1, 3]]});
  });

  it('nothing is waited for if time is missing for other jobs only', async () => {
    site.sees = evidence([NEW(1), row(2, {queues: []})]);
    expect(await act([2])).toMatchObject({states: {1: 'uncertain', 2: 'lost'}, waits: []});
    expect(await act([1])).toMatchObject({states: {1: 'lost', 2: 'lost'}, waits: [10_000]});
  });

  it('the ten seconds count from the first time that a command saw the job in no queue', async () => {
    site.sees = evidence([NEW(1)]);
    const firstSeen = new Map<number, number>();
    const uncertainAfter = async (ms: number) => {
      vi.advanceTimersByTime(ms);
      const {waits, seenBefore} = await act([1], firstSeen);
      return [waits.length, seenBefore[0]];
    };
    expect(await uncertainAfter(0)).toEqual([1, []]);
    // The wait was of ten seconds.
    expect(await uncertainAfter(0)).toEqual([0, [1]]);
    firstSeen.set(1, performance.now());
    expect(await uncertainAfter(9_999)).toEqual([1, []]);
    firstSeen.set(1, performance.now());
    expect(await uncertainAfter(10_000)).toEqual([0, [1]]);
  });

  it('a job that is seen again keeps the time at which it was seen first', async () => {
    site.sees = evidence([NEW(1)]);
    const firstSeen = new Map([[1, performance.now() - 5_000]]);
    await act([1], firstSeen);
    expect(firstSeen).toEqual(new Map([[1, performance.now() - 15_000]]));
  });
});

it('names the jobs that execute, and those that are likely to', async () => {
  const name = 'arObjectMoveJob';
  site.sees = evidence(
    [
      begun(1, running()),
      keyless(2, {name}),
      begun(3, waiting()),
      begun(4),
      keyless(5, {queues: ['q']}),
      row(6, {queues: ['q']}),
    ],
    {queues: [queue(3, 2), queue(3, 0, {queue: 'q'})]},
  );
  const report = await liveStates(OPTIONS);
  expect(executingJobs(report)).toEqual([
    {id: 1, name: 'arFindingAidJob'},
    {id: 2, name},
  ]);
  const ended: LiveReport = {...report, verdicts: new Map()};
  expect(executingJobs(ended)).toEqual([]);
});
