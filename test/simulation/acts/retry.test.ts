import {expect, it} from 'vitest';
import type {Careless} from './act.ts';
import {actSummaryOf, retryHistories, simulateActs} from './simulate-acts.ts';

const SEED = Number(process.env.SIMULATION_SEED ?? 20_261_126);
const HISTORIES = 1000;

it(`runs no job again that a worker still runs or will run, and leaves no row without its job (seed ${SEED})`, () => {
  const options = {seed: SEED, histories: HISTORIES, drawn: retryHistories};
  const {tally, findings} = simulateActs({...options, stories: 0});
  if (findings.some(({harm}) => harm.limit === null))
    expect.fail(actSummaryOf(simulateActs({...options, stories: 2})));
  expect(tally.acts.get('retry')).toBeGreaterThan(HISTORIES);
  expect(tally.outcomes.get('retry: submitted')).toBeGreaterThan(HISTORIES / 20);
});

it.each<[string, Careless, RegExp]>([
  [
    'takes every job for lost',
    {judge: ({rows}) => new Map(rows.map(({id}) => [id, LOST]))},
    /^harm: .*(run again that a worker still runs|a worker executes|a job that waits)/,
  ],
])('finds the harm of an atomctl that %s', (_name, careless, harm) => {
  const {findings} = simulateActs({
    ...{seed: SEED, histories: 3000, untilHarm: harm, stories: 0, careless},
    drawn: retryHistories,
  });
  expect(findings.map((finding) => finding.harm.group)).toContainEqual(expect.stringMatching(harm));
});

const LOST = {state: 'lost', likely: null, reason: 'It is so.', needsTime: false} as const;
