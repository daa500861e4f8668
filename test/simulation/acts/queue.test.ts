import {expect, it} from 'vitest';
import type {ActSpec, Careless, QueueSpec} from './act.ts';
import type {ActHistory} from './play-acts.ts';
import {actSummaryOf, queueHistories, simulateActs} from './simulate-acts.ts';

const OWN_SEED = 20_261_126;
const SEED = Number(process.env.SIMULATION_SEED ?? OWN_SEED);
/** Harms of known limits in the histories of that seed. */
const LIMITS = 20;
const HISTORIES = 250;
const TWICE = /^harm: a job is submitted again that a worker still runs, or will run$/;

it(`loses no job of a queue that is saved, restored or held, and runs none twice (seed ${SEED})`, () => {
  const options = {seed: SEED, histories: HISTORIES, drawn: queueHistories};
  const {tally, findings} = simulateActs({...options, stories: 0});
  if (findings.some(({harm}) => harm.limit === null))
    expect.fail(actSummaryOf(simulateActs({...options, stories: 2})));
  const limits = findings.reduce((sum, {count}) => sum + count, 0);
  expect(limits).toBeLessThanOrEqual(SEED === OWN_SEED ? LIMITS : HISTORIES / 5);
  for (const kind of ['save', 'restore', 'hold']) expect(tally.acts.get(kind)).toBeGreaterThan(HISTORIES / 4);
  for (const outcome of ['save: jobs saved', 'restore: submitted', 'hold: held', 'hold: restored'])
    expect(tally.outcomes.get(outcome)).toBeGreaterThan(HISTORIES / 50);
});

type Change = (each: ActHistory) => ActHistory;

/** Only some histories can show a harm. */
const onReplica: Change = (each) => ({
  ...each,
  history: {...each.history, setup: {...each.history.setup, replica: true}},
});
const withHolds =
  (change: (spec: ActSpec, queue: QueueSpec) => Partial<ActSpec>): Change =>
  ({history, acts}) => ({
    history,
    acts: acts.map((spec) => ({...spec, kind: 'hold', signalAt: null, ...change(spec, spec.queue!)})),
  });
const killedAsItMoves = withHolds((spec, queue) => ({
  killedAt: 25 + (spec.picks[0]! % 35),
  queue: {...queue, rePrefix: true, command: ['deploy'], maxWaitSeconds: 60},
}));
const movesOnReplica: Change = (each) =>
  onReplica(
    withHolds((_spec, queue) => ({
      killedAt: null,
      queue: {...queue, rePrefix: true, command: ['deploy'], maxWaitSeconds: 60},
    }))(each),
  );
const longCommands = withHolds((_spec, queue) => ({
  killedAt: null,
  queue: {...queue, units: true, command: ['nothing', 'nothing', 'nothing', 'nothing'], maxWaitSeconds: 60},
}));

/** The seeds are those of histories that show the harm early. */
it.each<[string, number, Careless, RegExp, Change?]>([
  [
    'saves what it could read',
    15,
    {savesAPart: true},
    /^harm: a job that waited all the time is not in the copy$/,
  ],
  ['restores without a look at the keys', 7, {restoresDespite: 'key'}, TWICE],
  ['restores a job that has begun', 21, {restoresDespite: 'log'}, TWICE],
  [
    'restores a job whose row has ended',
    14,
    {restoresDespite: 'row'},
    /^harm: an ended job is submitted again$/,
  ],
  [
    'restores by the rows of a replica',
    14,
    {restoresDespite: 'old rows'},
    /^harm: an ended job is submitted again$/,
    onReplica,
  ],
  [
    'submits past a cancelled entry',
    84,
    {restoresDespite: 'cancelled entry'},
    /^harm: a cancelled entry swallows/,
  ],
  [
    'restores the last job first',
    17,
    {restoresBackwards: true},
    /^harm: the jobs of a copy come back in another order$/,
  ],
  ['gives back before the command has ended', 9, {givesBackEarly: true}, /^harm: a job that is held starts/],
  [
    'stops workers that execute a job',
    41,
    {waitsForNobody: true},
    /^harm: a job is interrupted that was not named$/,
  ],
  [
    'holds after a restart of gearmand',
    3,
    {asksNobody: true},
    /^harm: a job is interrupted that was not named$/,
    longCommands,
  ],
  ['misses a restart of gearmand', 105, {missesRestarts: true}, /^harm: a job that was held is lost$/],
  [
    'keeps no copy of what it cannot give back',
    42,
    {keepsNoCopy: true},
    /^harm: a job that was held is lost$/,
  ],
  [
    'registers no abilities',
    1,
    {hasNoAbilities: true},
    /^harm: AtoM accepts no job while the queue is held$/,
    longCommands,
  ],
  [
    'ends a job before it moves it',
    5,
    {endsBeforeItMoves: true},
    /^harm: a job that was held is lost$/,
    killedAsItMoves,
  ],
  [
    'moves jobs by the rows of a replica',
    442,
    {restoresDespite: 'old rows'},
    /^harm: a job that was held is lost$/,
    movesOnReplica,
  ],
  ['always ends with 0', 1, {exit: 0}, /^harm: exit status (0 although|of a hold is 0 although)/],
])('finds the harm of an atomctl that %s', (_name, seed, careless, harm, change = (each) => each) => {
  const {findings} = simulateActs({
    ...{seed, histories: 5000, untilHarm: harm, stories: 0, careless},
    drawn: queueHistories.map(change),
  });
  expect(findings.map((finding) => finding.harm.group)).toContainEqual(expect.stringMatching(harm));
});
