import {expect, it} from 'vitest';
import {unseenJobs} from '../../../../src/jobs/hold/unseen-jobs.ts';
import type {RowEvidence} from '../../../../src/jobs/live/evidence.ts';
import type {LiveReport} from '../../../../src/jobs/live/live-state.ts';

type Row = Pick<RowEvidence, 'key' | 'keyAsked' | 'known' | 'queues'>;

const RUNS: Row = {
  key: 'exact',
  keyAsked: true,
  known: {queue: 'exports', running: true},
  queues: ['exports'],
};
const FORGOTTEN: Row = {...RUNS, known: null};
const KEYLESS: Row = {key: 'none', keyAsked: false, known: null, queues: ['exports', 'old exports']};

/** Rows that all execute, and how many jobs run in each queue. */
function unseen(rows: readonly Row[], running: Record<string, number>): number[] {
  const report = {
    rows: rows.map((_, id) => ({id, name: 'arExport'})),
    verdicts: new Map(rows.map((_, id) => [id, {state: 'executing', likely: null}])),
    evidence: {
      rows: rows.map((row, id) => ({id, ...row})),
      queues: Object.entries(running).map(([queue, count]) => ({
        ...{queue, running: count, total: count},
        owner: queue.startsWith('old') ? 'other' : 'site',
      })),
    },
  } as unknown as LiveReport;
  return unseenJobs(report).map(({id}) => id);
}

it('sees what Gearman runs, by its key or by a count of its class', () => {
  expect(unseen([RUNS, KEYLESS], {exports: 2})).toEqual([]);
});

it('names a job that no server knows by its key, although another runs whose row has ended', () => {
  expect(unseen([RUNS, FORGOTTEN], {exports: 2})).toEqual([1]);
});

it('names a job of whose class none runs under a prefix of the site, although one of another class does', () => {
  expect(unseen([KEYLESS], {exports: 0, imports: 1, 'old exports': 1})).toEqual([0]);
  expect(
    unseen([{...RUNS, known: {queue: 'old exports', running: true}}], {imports: 1, 'old exports': 1}),
  ).toEqual([0]);
});

it('names all if more execute than run', () => {
  expect(unseen([KEYLESS, KEYLESS], {exports: 1})).toEqual([0, 1]);
});
