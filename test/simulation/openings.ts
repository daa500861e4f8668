import {JOB_CLASSES} from './classes.ts';
import {MINUTE, SECOND} from './clock.ts';
import {PAUSES, type WorldEvent} from './events.ts';
import type {GearmandOptions} from './gearmand.ts';
import {Observation} from './observe.ts';
import type {Setup} from './world.ts';

/**
 * A situation in which some histories begin: rare things that would seldom meet by chance. It is made of the same events
 * as the rest of a history.
 */
export interface Opening {
  name: string;
  /** What the situation needs of the world. */
  setup: Partial<Setup>;
  events: readonly WorldEvent[];
}

type Details = {a?: number; b?: number; after?: number; steps?: number};

/** `after` is the time that passes before, one of PAUSES; `steps` those of an observation that follow. */
const event = (kind: string, {a = 0, b = 0, after = 0, steps = 0}: Details = {}): WorldEvent => ({
  kind,
  a,
  b,
  pause: PAUSES.indexOf(after),
  looks: steps,
});

type Kind = 'publication' | 'import' | 'cut' | 'float' | 'forgets';
const KINDS: Readonly<Record<Kind, number>> = {
  publication: JOB_CLASSES.findIndex(({object, parameters}) => object && parameters === 'plain'),
  import: JOB_CLASSES.findIndex(({child}) => child),
  cut: JOB_CLASSES.findIndex(({parameters}) => parameters === 'cut'),
  float: JOB_CLASSES.findIndex(({parameters}) => parameters === 'float'),
  forgets: JOB_CLASSES.findIndex(({fault}) => fault === 'forgets'),
};

const request = (kind: Kind, after = 0) => event('request', {a: KINDS[kind], after});
/** So many steps of a worker, which ends its job without an error as soon as it can. */
const acts = (worker: number, steps: number) =>
  Array.from({length: steps}, () => event('workerActs', {a: worker, b: 2}));
/** Is assigned a job, logs its start and its parameters. */
const begins = (worker: number) => acts(worker, 3);
/** The same to the line `Job finished.` of a job that saves no status. */
const finishes = (worker: number) => acts(worker, 4);
/** And tells Gearman. */
const ends = (worker: number) => acts(worker, 5);
const killed = (worker: number) => event('killWorker', {a: worker, b: 1});
const killedWithChild = (worker: number) => event('killWorker', {a: worker, b: 0});
const starts = (after = 0) => event('startWorker', {after});
const startsElsewhere = event('startWorker', {a: 1});
const startsUnscanned = event('startWorker', {b: 7});
const restarted = event('restartGearmand');
const submittedAgain = (row: number) => event('submitAgain', {a: row});
const observed = (after = 0) => event('timePasses', {after, steps: Observation.STEPS});
const SERVER: Omit<GearmandOptions, 'address'> = {
  here: true,
  onlyLoopback: true,
  durable: false,
  retryLimit: 0,
};
const REMOTE = {...SERVER, here: false, onlyLoopback: false};
const PLAIN: Partial<Setup> = {
  version: '2.8',
  servers: [SERVER],
  workers: 1,
  workersElsewhere: false,
  zoneObserved: true,
  foldedHour: false,
  replica: false,
  processesReadable: true,
  guessed: false,
};

export const OPENINGS: readonly Opening[] = [
  {
    name: 'two rows import one file',
    setup: PLAIN,
    events: [
      request('import'),
      ...begins(0),
      killedWithChild(0),
      restarted,
      event('markRow'),
      starts(),
      event('importAgain'),
      ...begins(0),
      event('setRunning'),
      observed(),
      event('childEnds'),
      ...acts(0, 3),
    ],
  },
  {
    name: 'a finished import is set to Running while a job without a row imports its file',
    setup: PLAIN,
    events: [
      request('import'),
      ...begins(0),
      event('childEnds'),
      ...acts(0, 3),
      event('importAgain'),
      ...begins(0),
      event('setRunning'),
      event('deleteRow', {a: 1}),
      observed(),
      event('childEnds'),
      ...acts(0, 3),
    ],
  },
  {
    name: 'an older import of the same file goes on, whose row was deleted',
    setup: PLAIN,
    events: [
      request('import'),
      ...begins(0),
      killed(0),
      event('importAgain'),
      event('deleteRow'),
      starts(40 * SECOND),
      ...begins(0),
      killedWithChild(0),
      observed(),
      event('childEnds'),
    ],
  },
  {
    name: "another site's job runs beside a lost one",
    setup: {...PLAIN, version: '2.6', servers: [REMOTE], otherSite: 'unlisted'},
    events: [
      request('publication'),
      ...begins(0),
      restarted,
      killed(0),
      event('otherSiteSubmits', {a: 1}),
      event('otherSiteStarts'),
      ...acts(0, 1),
      observed(),
    ],
  },
  {
    name: 'a server that kept a job is down while a job without a row runs',
    setup: {...PLAIN, servers: [SERVER, {...SERVER, durable: true}], workers: 2},
    events: [
      request('cut'),
      ...begins(0),
      request('publication'),
      ...begins(1),
      event('deleteRow', {a: 1}),
      killed(0),
      event('stopGearmand', {a: 1}),
      observed(),
      ...acts(0, 3),
    ],
  },
  {
    name: 'another atomctl probes again and again',
    setup: PLAIN,
    events: [
      request('cut'),
      ...begins(0),
      killed(0),
      event('timePasses', {after: 40 * SECOND, steps: 2}),
      event('probe', {a: 1, steps: 1}),
      event('probeEnds', {steps: 3}),
      event('probe', {a: 1, steps: Observation.STEPS}),
    ],
  },
  {
    name: 'a younger worker runs a job without a row',
    setup: {...PLAIN, servers: [{...SERVER, retryLimit: 1}]},
    events: [
      request('cut'),
      ...begins(0),
      killed(0),
      starts(40 * SECOND),
      request('publication'),
      ...begins(0),
      event('deleteRow', {a: 1}),
      observed(),
      ...acts(0, 3),
    ],
  },
  {
    name: 'a job without a row runs after a restart of gearmand',
    setup: {...PLAIN, workers: 2},
    events: [
      request('cut'),
      ...begins(0),
      event('timePasses', {after: 40 * SECOND}),
      restarted,
      killed(0),
      event('timePasses', {after: 12 * SECOND}),
      request('publication'),
      ...begins(0),
      event('deleteRow', {a: 1}),
      observed(),
      ...acts(0, 3),
    ],
  },
  {
    name: 'a server that kept a finished job is down',
    setup: {...PLAIN, servers: [{...SERVER, durable: true}]},
    events: [request('forgets'), ...finishes(0), killed(0), event('stopGearmand'), observed()],
  },
  {
    name: 'a finished job waits on a server that is not asked',
    setup: {...PLAIN, servers: [SERVER, SERVER], guessed: true},
    events: [request('forgets'), ...finishes(0), killed(0), observed()],
  },
  {
    name: 'a finished job waits on a server that is not named any more',
    setup: {...PLAIN, servers: [SERVER, SERVER]},
    events: [
      request('forgets'),
      ...finishes(0),
      killed(0),
      event('changeServers'),
      event('clearCache'),
      observed(),
    ],
  },
  {
    name: 'a worker that lost its server was given a finished job again',
    setup: PLAIN,
    events: [
      request('forgets'),
      ...ends(0),
      submittedAgain(0),
      ...acts(0, 1),
      event('hang'),
      restarted,
      observed(),
    ],
  },
  {
    name: 'a job is submitted again between the counts and the keys, beside a finished one',
    setup: PLAIN,
    events: [
      request('forgets'),
      ...begins(0),
      restarted,
      killed(0),
      starts(),
      request('float'),
      ...acts(0, 5),
      killed(0),
      event('setRunning'),
      event('timePasses', {after: 40 * SECOND, steps: 3}),
      event('submitAgain', {a: 0, steps: Observation.STEPS}),
    ],
  },
  {
    name: 'a job is submitted again between the counts and the keys, beside one that waits',
    setup: PLAIN,
    events: [
      request('forgets'),
      ...begins(0),
      restarted,
      killed(0),
      starts(),
      request('float'),
      killed(0),
      event('timePasses', {after: 40 * SECOND, steps: 3}),
      event('submitAgain', {a: 0, steps: Observation.STEPS}),
    ],
  },
  {
    name: 'a replica has not heard that a finished job was begun again',
    setup: {...PLAIN, replica: true},
    events: [
      request('forgets'),
      ...ends(0),
      event('replicaCatchesUp'),
      submittedAgain(0),
      ...begins(0),
      killed(0),
      restarted,
      observed(),
    ],
  },
  {
    name: 'the import of the first run goes on when the second has finished',
    setup: PLAIN,
    events: [
      request('import'),
      ...begins(0),
      killed(0),
      restarted,
      starts(),
      submittedAgain(0),
      ...begins(0),
      event('childEnds', {a: 1}),
      ...acts(0, 3),
      event('setRunning'),
      observed(20 * MINUTE),
    ],
  },
  {
    name: 'a process that cannot be read goes on with the first run when the second has finished',
    setup: {...PLAIN, workers: 2, processesReadable: false},
    events: [
      request('forgets'),
      ...begins(0),
      event('hang'),
      restarted,
      event('timePasses', {after: 12 * SECOND}),
      submittedAgain(0),
      ...ends(1),
      killed(1),
      observed(20 * MINUTE),
    ],
  },
  {
    name: 'a worker elsewhere goes on with the first run when the second has finished',
    setup: {...PLAIN, servers: [{...SERVER, onlyLoopback: false}], workersElsewhere: true, statedHere: false},
    events: [
      startsElsewhere,
      request('forgets'),
      ...begins(1),
      event('hang', {a: 1}),
      restarted,
      event('timePasses', {after: 12 * SECOND}),
      submittedAgain(0),
      ...ends(0),
      observed(20 * MINUTE),
    ],
  },
  {
    name: 'a worker that the scan leaves out goes on with the first run when the second has finished',
    setup: PLAIN,
    events: [
      startsUnscanned,
      request('forgets'),
      ...begins(1),
      restarted,
      event('timePasses', {after: 12 * SECOND}),
      submittedAgain(0),
      ...ends(0),
      observed(2 * MINUTE),
    ],
  },
  {
    name: 'a worker that the scan leaves out goes on after a restart of gearmand',
    setup: PLAIN,
    events: [
      startsUnscanned,
      killed(0),
      request('publication'),
      ...begins(0),
      restarted,
      observed(2 * MINUTE),
    ],
  },
];
