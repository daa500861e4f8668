import {expect, it} from 'vitest';
import type {RowEvidence} from '../../../src/jobs/live/evidence.ts';
import type {LiveState} from '../../../src/jobs/model/job.ts';
import type {Careless} from './act.ts';
import {actSummaryOf, simulateActs} from './simulate-acts.ts';

/** The same at each run, so that only a change can break it; `npm run simulate -- --acts` takes a new one. */
const OWN_SEED = 20_261_126;
const SEED = Number(process.env.SIMULATION_SEED ?? OWN_SEED);
/** Harms of known limits in the histories of that seed. */
const LIMITS = 33;
const HISTORIES = 1000;

it(`harms no job that was not named, and no killed job runs (seed ${SEED})`, () => {
  const {tally, findings} = simulateActs({seed: SEED, histories: HISTORIES, stories: 0});
  // A story takes a minute to shrink.
  if (findings.some(({harm}) => harm.limit === null))
    expect.fail(actSummaryOf(simulateActs({seed: SEED, histories: HISTORIES, stories: 2})));
  const limits = findings.reduce((sum, {count}) => sum + count, 0);
  expect(limits).toBeLessThanOrEqual(SEED === OWN_SEED ? LIMITS : HISTORIES / 10);
  expect(tally.histories).toBe(HISTORIES);
  expect(tally.eventsDuring).toBeGreaterThan(HISTORIES * 4);
  for (const kind of ['kill', 'mark', 'clear', 'fix'])
    expect(tally.acts.get(kind)).toBeGreaterThan(HISTORIES / 5);
  for (const outcome of ['kill: marked', 'kill: deleted', 'mark: marked', 'clear: cleared'])
    expect(tally.outcomes.get(outcome)).toBeGreaterThan(HISTORIES / 20);
});

/** The seeds are those of histories that show the harm early. */
it.each<[string, number, Careless, RegExp]>([
  ['changes rows and leaves Gearman alone', 29, {rowsOnly: true}, /^harm: a killed job runs$/],
  [
    'takes absence as proof',
    1,
    {judge: absenceIsProof},
    /^harm: .* changes the row of a job that a worker executes$/,
  ],
  ['takes jobs by their id alone', 29, {everyPrefix: true}, /^harm: a job that was not named is ended$/],
  [
    'takes jobs of its own prefix by their id alone',
    93,
    {idAlone: true},
    /^harm: a job that was not named is ended$/,
  ],
  ['gives all jobs back at once', 1, {atOnce: true}, /^harm: the order of waiting jobs changed$/],
  [
    'stops workers and asks nobody',
    44,
    {asksNobody: true},
    /^harm: a job is interrupted that was not named$/,
  ],
  [
    'sees one job execute, and no other',
    20_261_145,
    {judge: firstAlone},
    /^harm: a job is interrupted that was not named$/,
  ],
  [
    'does not try the limit of retries',
    23,
    {ignoresRetryLimit: true},
    /^harm: .* dropped at the limit of retries$/,
  ],
  ['calls lost what waits', 63, {judge: waitingIsLost}, /^harm: .* changes the row of a job that waits$/],
  [
    'forgets what its question said',
    1,
    {forgetsQuestion: true},
    /^harm: the row of a job changes that is not as the question said$/,
  ],
  [
    'clears what began after its question',
    1,
    {clearsBegun: true},
    /^harm: the row of a job that began after the question is deleted$/,
  ],
  ['always ends with 0', 1, {exit: 0}, /^harm: exit status 0 although something is left$/],
  ['always ends with 1', 1, {exit: 1}, /^harm: exit status 1 although nothing is left$/],
  ['always ends with 5', 1, {exit: 5}, /^harm: exit status 5 although something was destroyed$/],
])('finds the harm of an atomctl that %s', (_name, seed, careless, harm) => {
  const {findings} = simulateActs({seed, histories: 5000, untilHarm: harm, stories: 0, careless});
  expect(findings.map((finding) => finding.harm.group)).toContainEqual(expect.stringMatching(harm));
});

type Evidence = Parameters<NonNullable<Careless['judge']>>[0];

/** What no server knows is lost. */
function absenceIsProof(evidence: Evidence) {
  return judge(evidence, (known) => (known === null ? 'lost' : known.running ? 'executing' : 'queued'));
}

function waitingIsLost(evidence: Evidence) {
  return judge(evidence, (known) => (known?.running === false ? 'lost' : 'uncertain'));
}

function firstAlone(evidence: Evidence) {
  const first = evidence.rows.find(({known}) => known?.running)?.known;
  return judge(evidence, (known) => (known !== null && known === first ? 'executing' : 'uncertain'));
}

function judge({rows}: Evidence, stateOf: (known: RowEvidence['known']) => LiveState) {
  const rest = {likely: null, reason: 'It is so.', needsTime: false};
  return new Map(rows.map(({id, known}) => [id, {state: stateOf(known), ...rest}]));
}
