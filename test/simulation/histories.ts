import fc from 'fast-check';
import {EVENTS, PAUSES, type WorldEvent} from './events.ts';
import {Observation} from './observe.ts';
import {OPENINGS} from './openings.ts';
import type {Setup} from './world.ts';

/** A world and what happens in it. */
export interface History {
  setup: Setup;
  /** Whether an observation probes, and whether its command acts (and so looks again after ten seconds). */
  manners: readonly {probe: boolean; acts: boolean; oneServer: boolean}[];
  events: readonly WorldEvent[];
}

/**
 * A history does without the kinds of some of these groups; workers act instead. If every kind may happen in every history,
 * the frequent ones leave no quiet in which the rare ones show.
 */
const GROUPS = [
  ['deploy', 'changeKey', 'changeServers', 'clearCache'],
  ['probe', 'probeEnds'],
  ['stopGearmand', 'startGearmand'],
  ['restartGearmand'],
  ['clear', 'deleteRow'],
  ['markRow', 'setRunning', 'submitAgain', 'importAgain'],
  ['cancelJob'],
  ['otherSiteSubmits', 'otherSiteStarts'],
  ['killWorker', 'terminateWorker'],
  ['hang', 'goOn'],
];

/** True in so many of a hundred cases; shrinks to true, the ordinary case. */
const mostly = (percent: number) => fc.integer({min: 0, max: 99}).map((value) => value < percent);
/** True in so many of a hundred cases; shrinks to false. */
const seldom = (percent: number) => fc.integer({min: 0, max: 99}).map((value) => value >= 100 - percent);

const server = fc
  .record({
    here: mostly(75),
    loopback: mostly(75),
    durable: seldom(25),
    retryLimit: fc.constantFrom(0, 0, 0, 0, 1, 2, 3),
  })
  .map(({here, loopback, durable, retryLimit}) => ({
    here,
    onlyLoopback: here && loopback,
    durable,
    retryLimit,
  }));

const setup: fc.Arbitrary<Setup> = fc
  .record({
    version: fc.constantFrom('2.8' as const, '2.8' as const, '2.6' as const),
    servers: fc.oneof(
      {weight: 5, arbitrary: fc.array(server, {minLength: 1, maxLength: 1})},
      {weight: 3, arbitrary: fc.array(server, {minLength: 2, maxLength: 3})},
    ),
    workers: fc.integer({min: 1, max: 3}),
    elsewhere: seldom(35),
    stated: seldom(30),
    zoneQuarters: fc.oneof(
      {weight: 3, arbitrary: fc.constant(0)},
      {weight: 3, arbitrary: fc.constantFrom(-4, 4, -1, 1, 2)},
      {weight: 1, arbitrary: fc.integer({min: -100, max: 100})},
    ),
    zoneObserved: mostly(60),
    foldedHour: seldom(8),
    replica: seldom(12),
    processesReadable: mostly(88),
    guessed: seldom(5),
    otherSite: fc.constantFrom(
      'none' as const,
      'none' as const,
      'none' as const,
      'listed' as const,
      'unlisted' as const,
      'same-prefix' as const,
    ),
  })
  // A server that listens on this host's loopback only takes no worker from elsewhere (gearmand --listen).
  .map(({elsewhere, stated, ...rest}) => ({
    ...rest,
    workersElsewhere: elsewhere,
    statedHere: !elsewhere && stated,
  }));

const event: fc.Arbitrary<WorldEvent> = fc.record({
  kind: fc.oneof(
    ...Object.entries(EVENTS).map(([kind, {weight}]) => ({
      weight: Math.round(weight * 10),
      arbitrary: fc.constant(kind),
    })),
  ),
  a: fc.nat(9999),
  b: fc.nat(9999),
  pause: fc.nat(PAUSES.length - 1),
  looks: fc.oneof(
    {weight: 6, arbitrary: fc.constant(Observation.STEPS)},
    {weight: 2, arbitrary: fc.integer({min: 1, max: Observation.STEPS - 1})},
    {weight: 2, arbitrary: fc.constant(0)},
  ),
});

/** Histories of at least `least` events; shrinking keeps the least, but replaces what does not matter. */
export function histories(least: number, most: number): fc.Arbitrary<History> {
  const parts = fc.record({
    opening: fc.oneof(
      {weight: 4, arbitrary: fc.constant(null)},
      {weight: 1, arbitrary: fc.constantFrom(...OPENINGS)},
    ),
    setup,
    manners: fc.array(fc.record({probe: seldom(30), acts: seldom(50), oneServer: seldom(8)}), {
      minLength: 4,
      maxLength: 4,
    }),
    events: fc.array(event, {minLength: least, maxLength: most}),
    absent: fc.subarray(GROUPS).map((groups) => groups.flat()),
  });
  return parts.map(({opening, events, absent, ...rest}) => {
    const random = events.map((each) => (absent.includes(each.kind) ? {...each, kind: 'workerActs'} : each));
    if (opening === null) return {...rest, events: random};
    return {
      setup: {...rest.setup, ...opening.setup},
      manners: rest.manners,
      // As long as the others.
      events: [...opening.events, ...random.slice(opening.events.length)],
    };
  });
}
