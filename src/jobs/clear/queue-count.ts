import {mayBeFunctionOf} from '../../atom/job-classes.ts';
import type {AtomctlError} from '../../errors.ts';
import {formatAddress} from '../../gearman/address.ts';
import type {Queryable} from '../../mysql/database.ts';
import {ownerOf, type SeenFunction, takeSnapshot} from '../../queue/snapshot.ts';
import {ignoredEntries} from '../live/ignored-entries.ts';
import type {QueueOptions} from '../live/queue-payloads.ts';
import {STATUSES} from '../model/job.ts';

/** What Gearman has, by its counts alone. */
export interface SiteQueueCount {
  /** Under the site's own functions. */
  waiting: number;
  executing: number;
  /** Under prefixes that are not known to be another site's. */
  underUnknownPrefix: number;
  /** One error for each server that did not answer. */
  missing: AtomctlError[];
}

type QueueAccess = Pick<QueueOptions, 'servers' | 'prefixes'>;

/** By the servers that answer. */
export async function countQueue(options: QueueAccess): Promise<SiteQueueCount> {
  return countFunctions(await readFunctions(options));
}

interface SiteFunctions {
  own: SeenFunction[];
  unknown: SeenFunction[];
  missing: AtomctlError[];
}

async function readFunctions({servers, prefixes}: QueueAccess): Promise<SiteFunctions> {
  const snapshot = await takeSnapshot(servers);
  const foreign = await prefixes.foreign(snapshot);
  const ownedBy = (owner: 'site' | 'unknown') =>
    snapshot.functions.filter((seen) => ownerOf(seen, prefixes, foreign) === owner);
  return {
    own: ownedBy('site'),
    unknown: ownedBy('unknown'),
    missing: snapshot.missing.map(({error}) => error),
  };
}

function countFunctions({own, unknown, missing}: SiteFunctions): SiteQueueCount {
  return {
    waiting: own.reduce((sum, {total, running}) => sum + total - running, 0),
    executing: own.reduce((sum, {running}) => sum + running, 0),
    underUnknownPrefix: unknown.reduce((sum, {total}) => sum + total, 0),
    missing,
  };
}

/** What a clear is going to meet in Gearman; nothing is touched. */
export interface QueuePreview extends SiteQueueCount {
  /** Jobs that no running row can explain, at least so many. */
  surplus: number;
}

/** @throws AtomctlError for the database */
export async function previewQueue({
  database,
  ...options
}: QueueAccess & {database: Queryable}): Promise<QueuePreview> {
  const functions = await readFunctions(options);
  const counted = {own: functions.own, rows: await countRunningByName(database)};
  // A long list of jobs is asked for only if it may lower the number.
  const most = sum(surplusByClass({...counted, ignored: new Map()}));
  const surplus =
    most === 0 ? 0 : sum(surplusByClass({...counted, ignored: await ignoredEntries(options.servers)}));
  return {...countFunctions(functions), surplus};
}

/**
 * The classes of which Gearman has more jobs under the site's own functions than running rows explain, cancelled entries among them.
 * @throws AtomctlError for the database
 */
export async function unexplainedClasses({
  database,
  ...options
}: QueueAccess & {database: Queryable}): Promise<Set<string>> {
  const {own} = await readFunctions(options);
  if (own.every(({total}) => total === 0)) return new Set();
  const surplus = surplusByClass({own, rows: await countRunningByName(database), ignored: new Map()});
  return new Set([...surplus].flatMap(([jobClass, jobs]) => (jobs > 0 ? jobClass : [])));
}

interface NamedCount {
  name: string | null;
  jobs: number;
}

function countRunningByName(database: Queryable): Promise<NamedCount[]> {
  return database.query('SELECT name, COUNT(*) AS jobs FROM job WHERE status_id = ? GROUP BY name', [
    STATUSES.running.termId,
  ]);
}

/** Jobs of the site's functions that neither a row nor an ignored entry explains. */
function surplusByClass({
  own,
  rows,
  ignored,
}: {
  own: readonly SeenFunction[];
  rows: readonly NamedCount[];
  ignored: ReadonlyMap<string, number>;
}): Map<string, number> {
  const surplus = new Map<string, number>();
  for (const jobClass of new Set(own.map((seen) => seen.jobClass))) {
    const ofClass = own.filter((seen) => seen.jobClass === jobClass);
    const jobs = ofClass.reduce((total, seen) => total + seen.total, 0);
    const servers = new Set(ofClass.map(({server}) => formatAddress(server.address)));
    const cancelled = [...servers].reduce((total, address) => total + (ignored.get(address) ?? 0), 0);
    const explained = rows
      .filter(({name}) => mayBeFunctionOf(name ?? '', jobClass))
      .reduce((total, {jobs: count}) => total + Number(count), 0);
    surplus.set(jobClass, Math.max(0, jobs - cancelled - explained));
  }
  return surplus;
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}
