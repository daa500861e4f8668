import {describe, expect, it} from 'vitest';
import {type Evidence, liveVerdicts, type RowEvidence} from '../../../../src/jobs/live/verdict.ts';

const F = 'p-arFindingAidJob a:4730';
const F_ELSEWHERE = 'p-arFindingAidJob b:4730';
const G = 'p-arFileImportJob a:4730';

/** A row whose job may be in F, has never started, and is old enough to be lost. */
function row(id: number, evidence: Partial<RowEvidence> = {}): RowEvidence {
  return {id, queues: new Set([F]), known: null, keyAsked: false, young: false, work: null, ...evidence};
}

/** A row that has started, so that the servers could be asked for its key. */
function started(id: number, known: 'running' | 'waiting' | 'unknown', inQueue = F): RowEvidence {
  const job = known === 'unknown' ? null : {queue: inQueue, running: known === 'running'};
  return row(id, {queues: new Set([inQueue]), keyAsked: true, known: job});
}

/** What was found where everything answered and nothing moved; `counts` as [total, running] of each queue. */
function evidence(
  rows: RowEvidence[],
  counts: Record<string, [total: number, running: number]>,
  rest: Partial<Evidence> = {},
): Evidence {
  return {
    rows,
    counts: new Map(Object.entries(counts).map(([name, [total, running]]) => [name, {total, running}])),
    complete: true,
    own: true,
    unchanged: true,
    probing: false,
    payloads: [],
    ...rest,
  };
}

const seen = (jobId: number | null, inQueue = F) => ({queue: inQueue, jobId});
const verdicts = (given: Evidence) => Object.fromEntries(liveVerdicts(given).states);

describe('a key that a server was asked for', () => {
  it.each<[string, Evidence, string]>([
    ['is known and running', evidence([started(1, 'running')], {[F]: [1, 1]}), 'executing'],
    ['is known and waits: its worker died', evidence([started(1, 'waiting')], {[F]: [1, 0]}), 'queued'],
    ['is known nowhere, whatever else waits', evidence([started(1, 'unknown')], {[F]: [9, 3]}), 'lost'],
    [
      'runs, though its payload was seen waiting before',
      evidence([started(1, 'running')], {[F]: [1, 1]}, {payloads: [seen(1)]}),
      'executing',
    ],
    [
      'runs under a prefix that may be a copy of the site',
      evidence([started(1, 'running')], {[F]: [1, 1]}, {own: false}),
      'uncertain',
    ],
    [
      'is known nowhere, under no prefix at all',
      evidence([started(1, 'unknown')], {[F]: [1, 1]}, {own: false}),
      'lost',
    ],
    [
      'is known nowhere, but one server is silent',
      evidence([started(1, 'unknown')], {[F]: [1, 1]}, {complete: false}),
      'uncertain',
    ],
    [
      'is known on one server, though another is silent',
      evidence([started(1, 'running')], {[F]: [1, 1]}, {complete: false}),
      'executing',
    ],
    [
      'is known nowhere and was submitted a moment ago',
      evidence([{...started(1, 'unknown'), young: true}], {[F]: [1, 1]}),
      'uncertain',
    ],
    [
      'runs, or another atomctl holds it to look at it',
      evidence([started(1, 'running')], {[F]: [1, 1]}, {probing: true}),
      'uncertain',
    ],
    [
      'is known nowhere, or another atomctl has just taken it out to kill it',
      evidence([started(1, 'unknown')], {[F]: [1, 1]}, {probing: true}),
      'uncertain',
    ],
    [
      'waits, while another atomctl looks at others',
      evidence([started(1, 'waiting')], {[F]: [2, 1]}, {probing: true}),
      'queued',
    ],
  ])('%s', (_name, given, state) => {
    expect(verdicts(given)).toEqual({1: state});
  });
});

describe('a row that never started', () => {
  it.each<[string, Evidence, string]>([
    ['and none of its queues has a job', evidence([row(1, {queues: new Set()})], {}), 'lost'],
    [
      'and none of its queues has a job, not even with another prefix',
      evidence([row(1, {queues: new Set()})], {}, {own: false}),
      'lost',
    ],
    [
      'and none has a job, but one server is silent',
      evidence([row(1, {queues: new Set()})], {}, {complete: false}),
      'uncertain',
    ],
    [
      'and none has a job, but it may not be submitted yet',
      evidence([row(1, {queues: new Set(), young: true})], {}),
      'uncertain',
    ],
    [
      'and none has a job, or another atomctl has just taken it out to kill it',
      evidence([row(1, {queues: new Set()})], {}, {probing: true}),
      'uncertain',
    ],
    ['and the one job waits that no key explains', evidence([row(1)], {[F]: [1, 0]}), 'queued'],
    [
      'and the one job waits, perhaps of another site',
      evidence([row(1)], {[F]: [1, 0]}, {own: false}),
      'uncertain',
    ],
    [
      'and the one job waits, perhaps not its own: it is young',
      evidence([row(1, {young: true})], {[F]: [1, 0]}),
      'uncertain',
    ],
    ['and more jobs wait than rows', evidence([row(1)], {[F]: [2, 0]}), 'uncertain'],
    [
      'and one runs that no key explains: it may be just starting',
      evidence([row(1)], {[F]: [1, 1]}),
      'uncertain',
    ],
    ['and something moved meanwhile', evidence([row(1)], {[F]: [1, 0]}, {unchanged: false}), 'uncertain'],
    ['and its payload waits', evidence([row(1)], {[F]: [3, 0]}, {payloads: [seen(1)]}), 'queued'],
    [
      'and its payload waits, whatever moved or did not answer',
      evidence(
        [row(1, {young: true})],
        {[F]: [3, 2]},
        {payloads: [seen(1)], complete: false, unchanged: false},
      ),
      'queued',
    ],
    [
      'and what waits is a job without a row',
      evidence([row(1)], {[F]: [1, 0]}, {payloads: [seen(99)]}),
      'lost',
    ],
    ['and what waits is no job of AtoM', evidence([row(1)], {[F]: [1, 0]}, {payloads: [seen(null)]}), 'lost'],
    [
      'and what was seen waiting was in another queue',
      evidence([row(1)], {[F]: [1, 0], [G]: [1, 0]}, {payloads: [seen(99, G)]}),
      'queued',
    ],
  ])('%s', (_name, given, state) => {
    expect(verdicts(given)).toEqual({1: state});
  });
});

describe('a job that a worker may be running although no server knows it', () => {
  const work = 'A worker of this site is connected and may be running it.';

  it.each<[string, RowEvidence, Evidence['counts']]>([
    ['whose key no server knows', {...started(1, 'unknown'), work}, new Map()],
    ['for which no queue has a job', row(1, {queues: new Set(), work}), new Map()],
    ['for which the counts leave no room', row(1, {work}), new Map([[F, {total: 0, running: 0}]])],
  ])('%s is uncertain, and the reason is given', (_name, given, counts) => {
    const {states, reasons} = liveVerdicts({...evidence([given], {}), counts});
    expect([...states]).toEqual([[1, 'uncertain']]);
    expect([...reasons]).toEqual([[1, work]]);
  });

  it.each([
    ['a server knows its key', {...started(1, 'running'), work}, 'executing'],
    ['it is uncertain for another reason', {...started(1, 'unknown'), young: true, work}, 'uncertain'],
  ])('%s: that decides, and this reason is not given', (_name, given, state) => {
    const {states, reasons} = liveVerdicts(evidence([given], {[F]: [1, 1]}));
    expect([[...states], [...reasons]]).toEqual([[[1, state]], []]);
  });
});

describe('several rows', () => {
  it('executing, queued again, waiting by count and lost beside each other', () => {
    const rows = [started(1, 'running'), started(2, 'waiting'), row(3), row(4), started(5, 'unknown')];
    expect(verdicts(evidence(rows, {[F]: [4, 1]}))).toEqual({
      1: 'executing',
      2: 'queued',
      3: 'queued',
      4: 'queued',
      5: 'lost',
    });
  });

  it('fewer jobs than rows: one of them is lost, but not which without the payloads', () => {
    const rows = [started(1, 'running'), row(2), row(3)];
    const counts: Record<string, [number, number]> = {[F]: [2, 1]};
    expect(verdicts(evidence(rows, counts))).toEqual({1: 'executing', 2: 'uncertain', 3: 'uncertain'});
    expect(verdicts(evidence(rows, counts, {payloads: [seen(3)]}))).toEqual({
      1: 'executing',
      2: 'lost',
      3: 'queued',
    });
  });

  it('no job left over: every row that never started is lost', () => {
    expect(verdicts(evidence([started(1, 'running'), row(2), row(3)], {[F]: [1, 1]}))).toEqual({
      1: 'executing',
      2: 'lost',
      3: 'lost',
    });
  });

  it('a payload and a key of the same job count once', () => {
    const rows = [started(1, 'waiting'), row(2)];
    expect(verdicts(evidence(rows, {[F]: [2, 0]}, {payloads: [seen(1)]}))).toEqual({
      1: 'queued',
      2: 'queued',
    });
  });

  it('two jobs that change places between count and key do not pass for one that is lost', () => {
    // Row 2 was executing when counted, row 1 waited; by the time of the keys row 1 had begun.
    const rows = [started(1, 'running'), row(2)];
    const given = evidence(rows, {[F]: [2, 1]}, {unchanged: false});
    expect(verdicts(given)).toEqual({1: 'executing', 2: 'uncertain'});
  });

  it('counts of one class do not speak for another', () => {
    const rows = [row(1), row(2, {queues: new Set([G])})];
    expect(verdicts(evidence(rows, {[F]: [1, 0], [G]: [2, 1]}))).toEqual({1: 'queued', 2: 'uncertain'});
  });

  it('a name that several classes share is settled only where its rivals share all of them', () => {
    const csvExport = row(1, {queues: new Set([F, G])});
    const counts: Record<string, [number, number]> = {[F]: [1, 0], [G]: [1, 0]};
    expect(verdicts(evidence([csvExport, row(2)], counts))).toEqual({1: 'queued', 2: 'uncertain'});
    const wider = row(2, {queues: new Set([F, G, 'p-arOther'])});
    expect(verdicts(evidence([csvExport, wider], {...counts, 'p-arOther': [1, 0]}))[1]).toBe('uncertain');
  });

  it('a payload whose job has ended since does not stand for the job that waits on another server', () => {
    const rows = [row(1, {queues: new Set([F, F_ELSEWHERE])})];
    const counts: Record<string, [number, number]> = {[F]: [1, 0], [F_ELSEWHERE]: [1, 0]};
    const onePayloadEnded = [seen(98), seen(99)];
    expect(verdicts(evidence(rows, counts, {payloads: onePayloadEnded}))).toEqual({1: 'queued'});
    const both = [seen(98), seen(99, F_ELSEWHERE)];
    expect(verdicts(evidence(rows, counts, {payloads: both}))).toEqual({1: 'lost'});
  });

  it('a key known on one server does not stand for the job that waits on another', () => {
    const rows = [row(1, {queues: new Set([F, F_ELSEWHERE])}), started(2, 'running', F_ELSEWHERE)];
    expect(verdicts(evidence(rows, {[F]: [1, 0], [F_ELSEWHERE]: [1, 1]}))).toEqual({
      1: 'queued',
      2: 'executing',
    });
  });

  it('a key that waits does not stand for the job that executes', () => {
    const rows = [row(1), started(2, 'waiting')];
    expect(verdicts(evidence(rows, {[F]: [2, 1]}))).toEqual({1: 'uncertain', 2: 'queued'});
  });

  it('what a server would not show leaves the counts to decide', () => {
    const rows = [row(1), row(2), row(3)];
    expect(verdicts(evidence(rows, {[F]: [3, 0]}, {payloads: [seen(1)]}))).toEqual({
      1: 'queued',
      2: 'queued',
      3: 'queued',
    });
    expect(verdicts(evidence(rows, {[F]: [2, 0]}, {payloads: [seen(1)]}))).toEqual({
      1: 'queued',
      2: 'uncertain',
      3: 'uncertain',
    });
  });
});
