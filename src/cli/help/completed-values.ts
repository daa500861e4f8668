import type {HostFacts, LiveReport} from '../../jobs/live/live-state.ts';
import type {LiveState} from '../../jobs/model/job.ts';
import type {OfferedJob} from '../../jobs/model/offered-jobs.ts';
import {sanitizeLine} from '../../render/sanitize.ts';
import type {Context} from '../context.ts';
import type {Suggestion, TypedLine} from './complete.ts';
import type {AskedValues} from './completed-commands.ts';

/** Names and users that a site with many has. */
const MOST = 200;

/**
 * The values that there are: empty if whoever knows them does not answer. It reads, and never runs a program.
 */
export async function askedValues(
  values: AskedValues,
  line: TypedLine,
  context: Context,
): Promise<Suggestion[]> {
  const found = await readValues(values, line, context).catch(() => []);
  // A name that would be shown in another way than it is stored cannot be typed.
  return found
    .filter(({word}) => sanitizeLine(word) === word)
    .map(({word, description}) => ({word, description: sanitizeLine(description)}));
}

async function readValues(values: AskedValues, line: TypedLine, context: Context): Promise<Suggestion[]> {
  switch (values) {
    case 'jobs':
      return (await actableJobs(line, context)).map(({id, name, status}) => ({
        word: `${id}`,
        description: `${name} (${status})`,
      }));
    case 'names':
      return plain(await jobNames(context));
    case 'users': {
      const {existingUsers} = await import('../../jobs/model/settle-values.ts');
      return plain(['-', ...(await existingUsers(await context.database(), MOST))]);
    }
    case 'sites':
      return (await context.namedSites()).map(({name, origin}) => ({word: name, description: origin}));
    case 'units':
      return plain(await unitNames());
    case 'zones':
      return plain(['UTC', ...Intl.supportedValuesOf('timeZone')]);
  }
}

function plain(words: readonly string[]): Suggestion[] {
  return words.map((word) => ({word, description: ''}));
}

/** The site's own, then those that AtoM has; these alone if the database does not answer. */
async function jobNames(context: Context): Promise<string[]> {
  const [{JOB_CLASSES}, {newestNames}] = await Promise.all([
    import('../../atom/job-classes.ts'),
    import('../../jobs/model/offered-jobs.ts'),
  ]);
  const own = await context
    .database()
    .then(newestNames)
    .catch(() => []);
  const stored = Object.values(JOB_CLASSES).flatMap(({storedAs}) => storedAs ?? []);
  return [...new Set([...own, ...Object.keys(JOB_CLASSES), ...stored])];
}

/** Which jobs a command can act on: those that have ended, and running ones in some states. */
interface Actable {
  ended: boolean;
  /** null: in every state, so that the servers need not be asked. */
  running: readonly LiveState[] | null;
}

const ALL: Actable = {ended: true, running: null};

function actable({command, given}: TypedLine): Actable {
  const force = given.has('--force');
  switch (command) {
    case 'jobs:kill':
      if (force || given.has('--delete')) return ALL;
      return {ended: false, running: ['executing', 'queued', 'lost', 'uncertain']};
    case 'jobs:retry':
      return {ended: true, running: ['lost']};
    case 'jobs:mark':
      return {ended: true, running: force ? ['finished', 'lost', 'uncertain'] : ['finished', 'lost']};
    case 'jobs:wait':
    case 'jobs:why':
      return {ended: false, running: null};
    default:
      return ALL;
  }
}

async function actableJobs(line: TypedLine, context: Context): Promise<OfferedJob[]> {
  const {offeredJobs} = await import('../../jobs/model/offered-jobs.ts');
  const {ended, running} = actable(line);
  const database = await context.database();
  const jobs = await offeredJobs(database, ended ? (running === null ? 'all' : 'ended') : 'running');
  if (running === null) return jobs;
  const alive = ended ? await offeredJobs(database, 'running') : jobs;
  const states = alive.length === 0 ? null : await likelyStates(context);
  const wanted = alive.filter(({id}) => running.includes(states?.get(id) ?? 'uncertain'));
  return ended ? [...wanted, ...jobs] : wanted;
}

/** Of each running job the state that is proved, or that is likely. A job in none is uncertain. */
async function likelyStates(context: Context): Promise<Map<number, LiveState>> {
  const report = await quickReport(context).catch(() => null);
  return new Map(
    [...(report?.verdicts ?? [])].map(([id, {state, likely}]) => [id, likely ?? state] as const),
  );
}

/** Gearman and the logs are asked, but nothing for which a program would run: the journal, systemd, the clock. */
async function quickReport(context: Context): Promise<LiveReport> {
  const [{liveStates}, {sitePrefixes}, database, time, servers] = await Promise.all([
    import('../../jobs/live/live-state.ts'),
    import('../site/host-facts.ts'),
    context.database(),
    context.time(),
    context.servers(),
  ]);
  const prefixes = {...(await sitePrefixes(context)), foreign: async () => new Set<string>()};
  return liveStates({database, time, servers, prefixes, now: context.now, host: UNKNOWN_HOST});
}

/** A host of which nothing is known: no job is proved lost, but it is likely. */
const UNKNOWN_HOST: HostFacts = {
  processes: async () => ({unreadable: null, workers: [], imports: [], otherSites: new Set()}),
  gearmand: async () => ({startedMs: null, onlyLoopback: false}),
  comesFromHere: async () => false,
  workersStatedHere: false,
  configChangedMs: async () => null,
  serversNotAsked: async () => [],
  serversDoubt: async () => null,
  clock: async () => ({uncertaintyMs: DAY_MS, reason: 'The clock was not checked.'}),
};

const DAY_MS = 86_400_000;

/** Where systemd looks for units, but for those that packages and administrators rarely write. */
const UNIT_DIRECTORIES = [
  '/etc/systemd/system',
  '/etc/systemd/system/multi-user.target.wants',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

/** Units that mention AtoM's worker; of a template, the instances that start with the machine. */
async function unitNames(): Promise<string[]> {
  const {workerFilesIn} = await import('../../worker/units.ts');
  const names = await Promise.all(UNIT_DIRECTORIES.map(workerFilesIn));
  return [...new Set(names.flat())].map((name) => name.replace(/\.service$/, '')).sort();
}
