/**
 * Gathers the evidence in the order that makes it conclusive: the rows, then Gearman and the processes, then the rows
 * again. A worker saves the row before it tells Gearman that a job has ended: a row that still says Running in the
 * second read had not ended when Gearman was asked.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {mayBeFunctionOf} from '../../atom/job-classes.ts';
import type {SiteTime} from '../../atom/site-time.ts';
import type {AtomctlError} from '../../errors.ts';
import {formatAddress, type ServerAddress} from '../../gearman/address.ts';
import type {ServerConnection} from '../../gearman/server.ts';
import type {Queryable} from '../../mysql/database.ts';
import {
  ownerOf,
  type QueueSnapshot,
  type SeenFunction,
  type SitePrefixes,
  takeSnapshot,
} from '../../queue/snapshot.ts';
import {keyMayDiffer} from '../../queue/unique-key.ts';
import {pidOf} from '../../queue/workers.ts';
import {STATUSES} from '../model/job.ts';
import {endedNames, type RunningRow, runningRows} from '../model/running-jobs.ts';
import {type Counts, countUnexplained, isUnplaced, seenWaiting} from './counts.ts';
import type {
  EndedJobs,
  HostEvidence,
  LiveEvidence,
  ProbedPayload,
  ProcessEvidence,
  QueueCount,
  RowEvidence,
  ServerEvidence,
  WorkerConnection,
} from './evidence.ts';
import {askForKeys, askUnheld, type FoundJob, type FoundJobs, type KeyAnswers} from './unique-keys.ts';

/** Another atomctl's probe takes some milliseconds a job. */
const PROBE_PATIENCE_MS = 1000;
const PROBE_RETRY_MS = 10;

/** What this host and the configuration can tell. Each is asked only if a row needs it. */
export interface HostFacts {
  processes(): Promise<ProcessEvidence>;
  /** When the server's process began and whether it listens on loopback only; nulls and false if that is unknown. */
  gearmand(address: ServerAddress): Promise<Pick<ServerEvidence, 'startedMs' | 'onlyLoopback'>>;
  /** True if a connection that a server (`host:port`) shows is from an address of this host. */
  comesFromHere(ip: string, server: string): Promise<boolean>;
  /** The configuration file says that workers run only on this host. */
  workersStatedHere: boolean;
  /** The newest modification of the files that name servers and prefix, epoch milliseconds; null if there are none. */
  configChangedMs(): Promise<number | null>;
  /** Servers that AtoM's files name and that others, given by flag or variable, replace; `host:port`. */
  serversNotAsked(): Promise<string[]>;
  /** Why the servers may not be those that the site uses, one sentence; null if they are. */
  serversDoubt(): Promise<string | null>;
  /** How far the site's wall clock may be off, and why; by how much PHP's is ahead, if that was seen. */
  clock(): Promise<{uncertaintyMs: number; reason: string; aheadMs?: number | null}>;
}

/** How the live state of a site's jobs is reached. */
export interface LiveAccess {
  database: Queryable;
  servers: readonly ServerConnection[];
  prefixes: SitePrefixes;
  time: SiteTime;
  now: () => Date;
  host: HostFacts;
}

export interface CollectOptions extends LiveAccess {
  /** Reads the payloads of the site's waiting jobs; absent if the queue must not be touched. */
  probe?: () => Promise<ProbedPayload[]>;
  /** Jobs that were in no queue at least ten seconds before, on the monotonic clock. */
  seenBefore?: ReadonlySet<number>;
}

export interface Collected {
  evidence: LiveEvidence;
  rows: RunningRow[];
  found: Readonly<FoundJobs>;
  missing: AtomctlError[];
}

/** @throws AtomctlError for the database, or what `probe` throws; a server that fails is part of the evidence */
export async function collectEvidence(options: CollectOptions): Promise<Collected> {
  const rows = (await runningRows({database: options.database, filter: {}})).map(withKey);
  // Before the counts: a row that ended later still says Running in the first read.
  const ended = rows.some(mayBeMistaken) ? await readEnded(options) : [];
  const probed = (await options.probe?.()) ?? [];
  const queue = await readQueue(rows, options);
  const [payloads, ignored] = await Promise.all([
    stillWaiting(probed, options.servers),
    ignoredEntries(options.servers, queue),
  ]);
  const first = rows.map((row) => rowEvidence(row, queue, {...options, ignored}));
  const waiting = seenWaiting({rows: first, queues: queue.counts, payloads});
  const counts = countUnexplained({rows: first, queues: queue.counts, payloads});
  const absent = first.filter((row) => mayBeElsewhere(row, waiting, counts));
  const [host, gearmands, workers] = await Promise.all([
    absent.length > 0 ? hostEvidence(options) : null,
    absent.some(({begun}) => begun !== null) ? gearmandFacts(options) : null,
    absent.length > 0
      ? workersWithOrigins(queue, options)
      : workersOf(queue.snapshot, queue.foreign ?? NONE, options.prefixes),
  ]);
  // After the processes: what one of them worked on may have been submitted again meanwhile.
  const later =
    absent.length > 0 || first.some((row) => isUnplaced(row, waiting) && row.queues.length > 0)
      ? await takeSnapshot(options.servers)
      : null;
  const arrived = later === null ? NO_ROWS : await arrivedMeanwhile({rows, absent, queue, later}, options);
  const replica = absent.length > 0 && (await isReplica(options.database));
  const second = await secondRead(options.database);

  const lengths = new Map(rows.map(({id, logLength}) => [id, logLength]));
  const still = first.flatMap((row) => {
    const now = second.rows.get(row.id);
    if (now === undefined) return [];
    return [
      {
        ...row,
        logGrew: now.length > lengths.get(row.id)!,
        begun: row.begun ?? beganMeanwhile(now),
        arrived: arrived.has(row.id),
      },
    ];
  });
  const evidence: LiveEvidence = {
    rows: still,
    queues: queue.counts,
    servers: options.servers.map((connection) => {
      const address = formatAddress(connection.address);
      const facts = gearmands?.get(address) ?? {startedMs: null, onlyLoopback: false};
      const error = errorOf(address, queue);
      return {
        address,
        error,
        probing: queue.probing.has(address),
        ignored: ignored.get(address) ?? 0,
        ...facts,
      };
    }),
    workers,
    payloads,
    ended,
    unchanged:
      (later === null || sameCounts(queue.counts, later)) &&
      second.rows.size === rows.length &&
      still.length === rows.length,
    writable: second.writable && !replica,
    host,
    seenBefore: options.seenBefore ?? new Set(),
  };
  const missing = [...queue.snapshot.missing.map(({error}) => error), ...queue.keys.missing.values()];
  return {evidence, rows, found: queue.keys.found, missing};
}

/**
 * True if a job of an ended row can be taken for this row's: counts may decide, or a process that imports its file. The key of
 * an import is never exact, as its parameters have an object (keyMayDiffer).
 */
function mayBeMistaken(row: KeyedRow): boolean {
  return row.begun !== null && row.key !== 'exact';
}

async function readEnded({database, time, now}: CollectOptions): Promise<EndedJobs[]> {
  const ended = await endedNames(database, {time, now: now()});
  return ended.map(({name, latest, atWork, imports}) => ({
    name,
    latestMs: epochMs(latest, time.toEpochMs),
    atWork,
    importFiles: imports.flatMap((parameters) => importFileOf({name, parameters}) ?? []),
  }));
}

/** True if facts about this host can settle the job's state: no queue seems to have it, or its file may be imported. */
function mayBeElsewhere(row: RowEvidence, waiting: ReadonlyMap<number, string>, counts: Counts): boolean {
  if (row.known?.running) return false;
  if (row.importFile !== null) return true;
  if (row.known !== null || waiting.has(row.id)) return false;
  const {total, running} = counts.room(row);
  // A running job may be this one: whether a worker is old enough for it shows in the processes.
  return !isUnplaced(row, waiting) || total === 0 || (row.begun !== null && running > 0);
}

const NO_ROWS: ReadonlySet<number> = new Set();

/**
 * Rows whose jobs may have come to Gearman since it was asked: their key is known now, or without a key a queue that had
 * none has jobs. A server that does not answer now counts as one that did not answer before.
 */
async function arrivedMeanwhile(
  seen: {
    rows: readonly KeyedRow[];
    absent: readonly RowEvidence[];
    queue: QueueReading;
    later: QueueSnapshot;
  },
  {prefixes}: CollectOptions,
): Promise<Set<number>> {
  const {queue, later} = seen;
  const busy = later.functions.filter(({total}) => total > 0);
  const candidates = byName(ownedBy(prefixes, queue.foreign ?? NONE, busy));
  const absent = new Map(seen.absent.map((row) => [row.id, row]));
  const isExact = ({key, keyAsked}: RowEvidence) => key === 'exact' && keyAsked;
  const exact = seen.rows.filter(({id}) => absent.has(id) && isExact(absent.get(id)!));
  const again = await askForKeys(exact, ({name}) => candidates(name));
  const known = new Set(queue.snapshot.missing.map(({address}) => formatAddress(address)));
  const silent = later.missing.map(({address, error}) => [formatAddress(address), error] as const);
  for (const [address, error] of [...silent, ...again.missing])
    if (!known.has(address)) queue.keys.missing.set(address, error);
  const others = seen.absent.filter(
    (row) => !isExact(row) && candidates(row.name).some((now) => !row.queues.includes(now.queue)),
  );
  return new Set([...again.found.keys(), ...others.map(({id}) => id)]);
}

/** A log that has begun to exist since the first read: by now a worker has the job. */
function beganMeanwhile({length}: {length: number}): RowEvidence['begun'] {
  return length > 0 ? {earliestMs: null, lastMs: null} : null;
}

interface QueueReading {
  snapshot: QueueSnapshot;
  counts: QueueCount[];
  /** Queues with jobs, by the name of the rows that they may hold. */
  candidates: (name: string) => readonly SeenFunction[];
  /** Prefixes that are known to be other sites'; null if only idle ones are in question, so that it was not asked. */
  foreign: ReadonlySet<string> | null;
  keys: KeyAnswers;
  /** Addresses of servers of which another atomctl holds jobs; it may begin while they are asked. */
  probing: Set<string>;
}

/** Asks the servers for counts, workers and keys; again for a moment if another atomctl holds jobs of one. */
async function readQueue(rows: readonly RunningRow[], options: CollectOptions): Promise<QueueReading> {
  for (const deadline = performance.now() + PROBE_PATIENCE_MS; ; await sleep(PROBE_RETRY_MS)) {
    const snapshot = await takeSnapshot(options.servers, {connections: true, nowMs: options.now().getTime()});
    const withJobs = snapshot.functions.filter(({total}) => total > 0);
    // Whose an idle prefix is matters only for its workers, which are looked at if a job is in no queue.
    const isUnknown = (seen: SeenFunction) => ownerOf(seen, options.prefixes, NONE) === 'unknown';
    const foreign = withJobs.some(isUnknown) ? await options.prefixes.foreign(snapshot) : null;
    const busy = ownedBy(options.prefixes, foreign ?? NONE, withJobs);
    const candidates = byName(busy);
    const keys = await askForKeys(rows, ({name}) => candidates(name));
    // The lock is known as taken for as long as a client keeps it that never leaves.
    const probing = new Set(
      [...snapshot.probing, ...keys.probing].filter((address) => !snapshot.abandonedLocks.has(address)),
    );
    if (rows.length > 0 && probing.size > 0 && performance.now() <= deadline) continue;
    return {
      snapshot,
      counts: busy.map(({queue, server, function: name, owner, total, running}) => ({
        queue,
        server: formatAddress(server.address),
        function: name,
        owner,
        total,
        running,
      })),
      candidates,
      foreign,
      keys,
      probing,
    };
  }
}

/** As workersOf, with where they come from. */
async function workersWithOrigins(
  {snapshot, foreign}: QueueReading,
  {prefixes, host}: CollectOptions,
): Promise<WorkerConnection[]> {
  const workers = workersOf(snapshot, foreign ?? (await prefixes.foreign(snapshot)), prefixes);
  return Promise.all(
    workers.map(async (worker) => ({
      ...worker,
      fromHere: await host.comesFromHere(worker.ip, worker.server),
    })),
  );
}

/** The queues that may hold a row of a name, found once for each name: rows are many, names are few. */
function byName(busy: readonly SeenFunction[]): (name: string) => readonly SeenFunction[] {
  const found = new Map<string, SeenFunction[]>();
  return (name) => {
    const known = found.get(name) ?? busy.filter(({jobClass}) => mayBeFunctionOf(name, jobClass));
    found.set(name, known);
    return known;
  };
}

const NONE: ReadonlySet<string> = new Set();

/** The functions that are the site's, or may be. */
function ownedBy(prefixes: SitePrefixes, foreign: ReadonlySet<string>, functions: readonly SeenFunction[]) {
  return functions.flatMap((seen) => {
    const owner = ownerOf(seen, prefixes, foreign);
    return owner === 'other' ? [] : [{...seen, owner}];
  });
}

/** The connections that can do jobs of the site, or of a prefix that may be the site's. */
function workersOf(
  snapshot: QueueSnapshot,
  foreign: ReadonlySet<string>,
  prefixes: SitePrefixes,
): WorkerConnection[] {
  const owned = new Set(ownedBy(prefixes, foreign, snapshot.functions).map(({queue}) => queue));
  return [...snapshot.connections].flatMap(([server, ofServer]) =>
    ofServer.flatMap(({id, ip, functions}) => {
      const queues = functions.map((name) => `${name} ${server}`).filter((queue) => owned.has(queue));
      const doesOthers = queues.length < functions.length;
      return queues.length === 0
        ? []
        : [{id, pid: pidOf(id), ip, server, fromHere: false, queues, doesOthers}];
    }),
  );
}

function rowEvidence(
  row: KeyedRow,
  queue: QueueReading,
  {time, ignored}: CollectOptions & {ignored: ReadonlyMap<string, number>},
): RowEvidence {
  const ms = (wall: string | null) => epochMs(wall, time.toEpochMs);
  const earliestMs = (wall: string | null) => epochMs(wall, time.toEarliestMs);
  const known = decidingPlace(queue.keys.found.get(row.id) ?? [], {ignored, probing: queue.probing});
  return {
    id: row.id,
    name: row.name,
    objectId: row.objectId,
    createdMs: ms(row.startedAt),
    createdEarliestMs: earliestMs(row.startedAt),
    begun: row.begun && {earliestMs: earliestMs(row.begun.first), lastMs: ms(row.begun.last)},
    begunAt: row.begun?.last ?? row.begun?.first ?? null,
    starts: row.starts,
    finished: row.finished,
    failed: row.failed,
    lastActivityMs: ms(row.lastActivity),
    logGrew: false,
    key: row.key,
    keyAsked: queue.keys.asked.has(row.id),
    known: known && {queue: known.queue, running: known.running},
    importFile: importFileOf(row),
    queues: queue.candidates(row.name).map((seen) => seen.queue),
    arrived: false,
  };
}

/**
 * The place that shows what a job is that several have: it executes if it does so anywhere. Of those that show the same, one where
 * nothing may make it seem so is better.
 */
function decidingPlace(
  places: readonly FoundJob[],
  {ignored, probing}: {ignored: ReadonlyMap<string, number>; probing: ReadonlySet<string>},
): FoundJob | null {
  const running = places.filter((place) => place.running);
  const seemsSo = ({server, running: runs}: FoundJob) => {
    const address = formatAddress(server.address);
    return runs ? probing.has(address) : (ignored.get(address) ?? 0) > 0;
  };
  const same = running.length > 0 ? running : places;
  return same.find((place) => !seemsSo(place)) ?? same[0] ?? null;
}

function epochMs(wall: string | null, toMs: (wall: string) => number): number | null {
  const ms = wall === null ? Number.NaN : toMs(wall);
  return Number.isNaN(ms) ? null : ms;
}

/** The quality of a key takes the parameters to be read, which takes longest for many rows: it is asked for once. */
interface KeyedRow extends RunningRow {
  key: RowEvidence['key'];
}

function withKey(row: RunningRow): KeyedRow {
  return Object.assign(row, {key: keyQuality(row.parameters)});
}

function keyQuality(parameters: string | null): RowEvidence['key'] {
  if (parameters === null) return 'none';
  const mayDiffer = keyMayDiffer(parameters);
  if (mayDiffer === null) return 'cut';
  return mayDiffer ? 'doubtful' : 'exact';
}

function importFileOf({name, parameters}: Pick<RunningRow, 'name' | 'parameters'>): string | null {
  if (parameters === null || !mayBeFunctionOf(name, 'arFileImportJob')) return null;
  try {
    const {file} = JSON.parse(parameters) as {file?: {tmp_name?: unknown}};
    return typeof file?.tmp_name === 'string' && file.tmp_name !== '' ? file.tmp_name : null;
  } catch {
    return null;
  }
}

/** The payloads whose jobs wait even after the counts were read: what a worker took meanwhile explains no count. */
async function stillWaiting(
  probed: readonly ProbedPayload[],
  servers: readonly ServerConnection[],
): Promise<ProbedPayload[]> {
  const answers = await Promise.all(
    servers.map(async (connection) => {
      const payloads = probed.filter(({server}) => server === formatAddress(connection.address));
      if (payloads.length === 0 || !('server' in connection)) return [];
      try {
        const presences = await connection.server.statusOfHandles(payloads.map(({handle}) => handle));
        return payloads.filter((_, index) => presences[index]!.known && !presences[index]!.running);
      } catch {
        return [];
      }
    }),
  );
  return answers.flat();
}

/**
 * Cancelled entries that wait, by server: asked only if a key is known as waiting. Then these keys are asked for again
 * and the answers are corrected: an entry that left meanwhile was a cancelled one, or a worker took the job.
 */
async function ignoredEntries(
  servers: readonly ServerConnection[],
  {keys: {found, asked, missing}, probing, snapshot}: QueueReading,
): Promise<Map<string, number>> {
  const ignored = new Map<string, number>();
  const waiting = [...found].flatMap(([id, places]) =>
    places.filter(({running}) => !running).map((place) => ({id, place})),
  );
  if (waiting.length === 0) return ignored;
  const change = (id: number, old: FoundJob, now: FoundJob | null) => {
    const places = found.get(id)!.flatMap((place) => (place === old ? (now ?? []) : place));
    if (places.length > 0) found.set(id, places);
    else found.delete(id);
  };
  await Promise.all(
    servers.map(async (connection) => {
      if (!('server' in connection)) return;
      const {server, address} = connection;
      const here = waiting.filter(({place}) => place.server === server);
      try {
        const handles = (await server.jobs()).filter((job) => job.ignored).map(({handle}) => handle);
        const presences = await server.statusOfHandles(handles);
        ignored.set(formatAddress(address), presences.filter(({known, running}) => known && !running).length);
        const {presences: again, held} = await askUnheld(
          server,
          here.map(({place}) => place.unique),
        );
        if (held && !snapshot.abandonedLocks.has(formatAddress(address))) probing.add(formatAddress(address));
        for (const [index, {id, place}] of here.entries()) {
          const {known, running} = again[index]!;
          change(id, place, known ? {...place, running} : null);
        }
      } catch (error) {
        missing.set(formatAddress(address), error as AtomctlError);
        // Whether these entries are cancelled is not known, so their keys prove nothing.
        for (const {id, place} of here) {
          change(id, place, null);
          asked.delete(id);
        }
      }
    }),
  );
  return ignored;
}

async function hostEvidence({host, now}: CollectOptions): Promise<HostEvidence> {
  const [processes, configChangedMs, serversNotAsked, serversDoubt, clock] = await Promise.all([
    host.processes(),
    host.configChangedMs(),
    host.serversNotAsked(),
    host.serversDoubt(),
    host.clock(),
  ]);
  const {workersStatedHere} = host;
  return {
    processes,
    workersStatedHere,
    configChangedMs,
    serversNotAsked,
    serversDoubt,
    clock: {...clock, nowMs: now().getTime()},
  };
}

async function gearmandFacts({servers, host}: CollectOptions) {
  const facts = await Promise.all(
    servers.map(async ({address}) => [formatAddress(address), await host.gearmand(address)] as const),
  );
  return new Map(facts);
}

/** True if the server says that it is a replica. It may be one and not say so, to a user who may not ask. */
export async function isReplica(database: Queryable): Promise<boolean> {
  for (const statement of ['SHOW REPLICA STATUS', 'SHOW SLAVE STATUS']) {
    try {
      return (await database.query(statement, [])).length > 0;
    } catch {
      // No right to ask, or a server that does not know the word. A connection that is gone shows in the next statement.
    }
  }
  return false;
}

/** The rows that say Running now, in a new snapshot, and whether the server takes writes. */
async function secondRead(
  database: Queryable,
): Promise<{rows: Map<number, {length: number}>; writable: boolean}> {
  const rows = await database.query<{id: number; length: number; readOnly: number | string}>(
    'SELECT id, COALESCE(LENGTH(output), 0) AS length, @@global.read_only AS readOnly FROM job WHERE status_id = ?',
    [STATUSES.running.termId],
  );
  return {
    rows: new Map(rows.map(({id, length}) => [id, {length}])),
    // The same in every row.
    writable: ['0', 'OFF'].includes(String(rows[0]?.readOnly ?? 0)),
  };
}

function errorOf(address: string, {snapshot, keys}: QueueReading): string | null {
  const failed = snapshot.missing.find((each) => formatAddress(each.address) === address)?.error;
  return (failed ?? keys.missing.get(address))?.message ?? null;
}

/** True if no job was seen to move meanwhile in the queues that had jobs. */
function sameCounts(counts: readonly QueueCount[], {functions}: QueueSnapshot): boolean {
  const later = new Map(functions.map((seen) => [seen.queue, seen]));
  return counts.every(({queue, total, running}) => {
    const now = later.get(queue);
    return now?.total === total && now.running === running;
  });
}
