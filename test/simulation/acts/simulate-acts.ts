import fc from 'fast-check';
import {JOB_CLASSES} from '../classes.ts';
import type {WorldEvent} from '../events.ts';
import {histories} from '../histories.ts';
import type {ActSpec, Careless, CommandStep} from './act.ts';
import {type ActHistory, ActTally, playActs} from './play-acts.ts';
import type {Harm} from './witness.ts';

export interface ActReport {
  seed: number;
  tally: ActTally;
  /** Kinds of harm: how often, and one history, shrunk. */
  findings: {harm: Harm; count: number; story: string[]; seed: number}[];
  seconds: number;
}

const EVENTS_AT_LEAST = 30;
const EVENTS_AT_MOST = 45;
const BLOCK = 250;

/** True in so many of a hundred cases; shrinks to false. */
const seldom = (percent: number) => fc.integer({min: 0, max: 99}).map((value) => value >= 100 - percent);
/** A step at which something goes wrong; mostly none. */
const sometimes = (percent: number) =>
  fc.tuple(seldom(percent), fc.integer({min: 1, max: 60})).map(([happens, step]) => (happens ? step : null));

const act: fc.Arbitrary<ActSpec> = fc.record({
  kind: fc.constantFrom('kill', 'kill', 'kill', 'mark', 'clear', 'clear', 'fix'),
  at: fc.integer({min: 4, max: EVENTS_AT_LEAST - 1}),
  picks: fc.array(fc.nat(9999), {minLength: 1, maxLength: 3}),
  force: seldom(20),
  deleteRows: seldom(25),
  restartWorker: seldom(60),
  interrupt: fc.constantFrom('asked', 'all', 'none'),
  as: fc.constantFrom('completed', 'error'),
  filter: fc.constantFrom('everything', 'running', 'name', 'ids', 'inactive', 'ended'),
  keepQueue: seldom(10),
  allQueued: seldom(25),
  batchSize: fc.constantFrom(1000, 1, 2),
  pauseSeconds: fc.constantFrom(0, 0, 1, 4),
  oneServer: seldom(8),
  signalAt: sometimes(8),
  killedAt: sometimes(8),
  rowFailsAt: sometimes(4),
  fewConnections: seldom(10),
});

/** Jobs that wait and execute before the first act; most are of one class, so that there is an order among them. */
const opening: fc.Arbitrary<WorldEvent[]> = fc
  .record({
    focus: fc.nat(JOB_CLASSES.length - 1),
    events: fc.array(
      fc.record({
        kind: fc.constantFrom(
          'request',
          'request',
          'request',
          'request',
          'workerActs',
          'hang',
          'otherSiteSubmits',
        ),
        a: fc.nat(9999),
        b: fc.nat(8),
        pause: fc.constantFrom(0, 0, 0, 5),
        looks: fc.constant(0),
      }),
      {minLength: 4, maxLength: 14},
    ),
  })
  .map(({focus, events}) =>
    events.map((each) => (each.kind === 'request' && each.a % 3 > 0 ? {...each, a: focus} : each)),
  );

/** Index of PAUSES: in a quick history nothing takes longer than three seconds, so that jobs wait. */
const QUICK = 6;

/** Their own stream: the histories of the other simulation stay as they are. */
export const actHistories: fc.Arbitrary<ActHistory> = fc
  .record({
    opening,
    quick: seldom(50),
    replica: seldom(15),
    history: histories(EVENTS_AT_LEAST, EVENTS_AT_MOST),
    acts: fc.array(act, {minLength: 1, maxLength: 3}),
  })
  .map(({opening: first, quick, replica, history, acts}) => ({
    history: {
      ...history,
      // Nothing can be changed on one.
      setup: {...history.setup, replica: history.setup.replica && replica},
      events: [
        ...first,
        ...history.events.map((each) => (quick ? {...each, pause: each.pause % QUICK} : each)),
      ],
    },
    acts: acts.map((each) => ({...each, at: each.at + first.length})),
  }));

/** The same histories, in which an operator runs jobs again, mostly ended ones, and the same job more than once. */
export const retryHistories: fc.Arbitrary<ActHistory> = actHistories.map(({history, acts}) => ({
  history,
  acts: [
    ...acts,
    ...acts.map((each) => ({...each, at: each.at + 4})),
    ...acts.map((each) => ({...each, at: each.at + 8})),
  ].map((each, index) => ({
    ...each,
    kind: 'retry' as const,
    force: index % 2 === 0,
    picks: each.picks.map((pick) => (pick % 4 === 0 ? pick : pick - (pick % 5))),
  })),
}));

const queueAct = fc.record({
  to: fc.constantFrom(null, null, null, 0, 1, 2),
  rePrefix: seldom(50),
  maxWaitSeconds: fc.constantFrom(60, 20, 3, 0),
  units: fc.integer({min: 0, max: 99}).map((value) => value < 70),
  command: fc.array(
    fc.constantFrom<CommandStep>(
      ...([
        'nothing',
        'nothing',
        'restart',
        'stop',
        'start',
        'start',
        'deploy',
        'clearCache',
        'startWorker',
      ] as const),
    ),
    {maxLength: 4},
  ),
  commandStatus: fc.constantFrom(0, 0, 0, 7),
  cutAt: sometimes(6),
});

/** The kinds of acts in a history of the queue, in their order. */
const QUEUE_KINDS: readonly (readonly ActSpec['kind'][])[] = [
  ['hold'],
  ['save', 'restore'],
  ['save', 'restore', 'restore'],
  ['save', 'kill', 'restore'],
  ['save', 'clear', 'restore'],
  ['save', 'mark', 'restore'],
  ['save', 'hold', 'restore'],
  ['hold', 'restore'],
  ['hold', 'kill', 'hold'],
  ['save', 'save', 'hold', 'restore'],
];

/** The same histories, in which an operator saves, restores and holds the queue; gearmand is restarted between two acts. */
export const queueHistories: fc.Arbitrary<ActHistory> = fc
  .record({
    base: actHistories,
    kinds: fc.constantFrom(...QUEUE_KINDS),
    acts: fc.array(act, {minLength: 4, maxLength: 4}),
    queue: fc.array(queueAct, {minLength: 4, maxLength: 4}),
    gaps: fc.array(fc.integer({min: 2, max: 9}), {minLength: 4, maxLength: 4}),
    restarts: fc.array(
      fc.constantFrom(null, 'restartGearmand', 'restartGearmand', 'killWorker', 'cancelJob'),
      {
        minLength: 4,
        maxLength: 4,
      },
    ),
    a: fc.nat(9999),
  })
  .map(({base, kinds, acts, queue, gaps, restarts, a}) => {
    const first = base.acts[0]!.at;
    const at = kinds.map((_, index) => first + gaps.slice(0, index).reduce((sum, gap) => sum + gap, 0));
    const events = base.history.events.map((each, index) => {
      const act = at.indexOf(index + 1);
      const kind = act > 0 ? restarts[act] : null;
      return kind ? {...each, kind, a, looks: 0} : each;
    });
    return {
      history: {...base.history, events},
      acts: kinds.map((kind, index) => ({...acts[index]!, kind, at: at[index]!, queue: queue[index]!})),
    };
  });

/** Plays histories with acts from a seed until there are enough or the time is over, and shrinks what did harm. */
export function simulateActs(options: {
  seed: number;
  histories: number;
  untilMs?: number;
  /** Ends as soon as this harm was done. */
  untilHarm?: RegExp;
  stories?: number;
  careless?: Careless;
  /** What is drawn; absent: every kind of act but retry. */
  drawn?: fc.Arbitrary<ActHistory>;
}): ActReport {
  const {seed, untilMs = Number.POSITIVE_INFINITY, untilHarm, stories = 8, careless = {}} = options;
  const {drawn = actHistories} = options;
  const began = Date.now();
  const tally = new ActTally();
  const found = new Map<string, {harm: Harm; count: number; seed: number; runs: number}>();
  const isFound = () => untilHarm !== undefined && [...found.keys()].some((group) => untilHarm.test(group));
  for (let block = 0; tally.histories < options.histories && Date.now() < untilMs && !isFound(); block += 1) {
    const at = {seed: seed + block, runs: Math.min(BLOCK, options.histories - tally.histories)};
    const play = (history: ActHistory) => {
      for (const harm of playActs(history, {careless, tally})) {
        const group = found.get(harm.group);
        if (group) group.count += 1;
        else found.set(harm.group, {harm, count: 1, ...at});
      }
      return !isFound();
    };
    fc.check(fc.property(drawn, play), {seed: at.seed, numRuns: at.runs, endOnFailure: true});
  }
  const seconds = (Date.now() - began) / 1000;
  const groups = [...found.values()].sort(
    (a, b) => Number(a.harm.limit !== null) - Number(b.harm.limit !== null) || b.count - a.count,
  );
  const findings = groups.map((group, index) => ({
    ...group,
    ...(index < stories ? shrink(group, {careless, drawn}) : {story: []}),
  }));
  return {seed, tally, findings, seconds};
}

function each(
  {seed, runs, drawn}: {seed: number; runs: number; drawn: fc.Arbitrary<ActHistory>},
  holds: (history: ActHistory) => boolean,
) {
  return fc.check(fc.property(drawn, holds), {seed, numRuns: runs});
}

/** The smallest history with the harm, as a story, without the events and acts that it does not need. */
function shrink(
  {harm: {group}, seed, runs}: {harm: Harm; seed: number; runs: number},
  {careless, drawn}: {careless: Careless; drawn: fc.Arbitrary<ActHistory>},
): {harm: Harm; story: string[]} {
  const shows = (history: ActHistory) =>
    playActs(history, {careless, until: group}).some((harm) => harm.group === group);
  const {counterexample} = each({seed, runs, drawn}, (history) => !shows(history));
  let best = counterexample![0];
  for (let again = true; again; ) {
    again = false;
    for (const shorter of shorterThan(best)) {
      if (!shows(shorter)) continue;
      best = shorter;
      again = true;
      break;
    }
  }
  const story: string[] = [];
  const harm = playActs(best, {careless, story, until: group}).find((each) => each.group === group)!;
  return {harm, story};
}

function* shorterThan({history, acts}: ActHistory): Iterable<ActHistory> {
  for (const index of acts.keys()) yield {history, acts: acts.filter((_, at) => at !== index)};
  for (let index = history.events.length - 1; index >= 0; index -= 1) {
    yield {
      history: {...history, events: history.events.filter((_, at) => at !== index)},
      acts: acts.map((each) => (each.at > index ? {...each, at: each.at - 1} : each)),
    };
  }
}

/** The figures and the stories, for people. */
export function actSummaryOf({seed, tally, findings, seconds}: ActReport): string {
  const list = (map: Map<string, number>) =>
    [...map].sort((a, b) => b[1] - a[1]).map(([name, count]) => `  ${String(count).padStart(8)}  ${name}`);
  const total = (limit: boolean) =>
    findings.filter(({harm}) => (harm.limit !== null) === limit).reduce((sum, {count}) => sum + count, 0);
  return [
    `acts, seed ${seed}: ${tally.histories} histories, ${tally.events} events, ${tally.eventsDuring} of them during an act, ${tally.steps} steps of acts, ${seconds.toFixed(1)} s`,
    'acts, by kind:',
    ...list(tally.acts),
    'what they reported:',
    ...list(tally.outcomes),
    'refused, by reason:',
    ...list(tally.refusals),
    `harm: ${total(false)}`,
    `harm by a known limit (test/simulation/acts/known-limits.ts): ${total(true)}`,
    ...findings.flatMap(({harm, count, story, seed: at}) => [
      '',
      `${count} x ${harm.group} (seed ${at})`,
      ...story.map((line) => `    ${line}`),
      `    ${harm.text}`,
    ]),
  ].join('\n');
}
