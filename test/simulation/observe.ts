import type {
  EndedJobs,
  KnownJob,
  LiveEvidence,
  QueueCount,
  RowEvidence,
  SeenPayload,
  ServerEvidence,
  SiteProcess,
  WorkerConnection,
} from '../../src/jobs/live/evidence.ts';
import type {AtomSite, Row} from './atom-site.ts';
import {classesOf} from './classes.ts';
import {MINUTE, SECOND} from './clock.ts';
import type {Entry, Gearmand} from './gearmand.ts';
import {Watch} from './watch.ts';
import type {HostName} from './worker.ts';
import {afterLastStart, hasFinished, keyOf, type World} from './world.ts';

/** After this step Gearman is not asked any more. */
export const LAST_QUESTION = 'reads the counts again, and asks again for the keys that no server knew';

const STEP_NAMES = [
  'reads the rows',
  'reads the payloads, if it probes',
  'reads the counts',
  'reads the workers',
  'asks for the keys, and who holds the lock',
  'lists the cancelled entries, and asks again for what waits and for the lock',
  'reads processes, files and clock',
  LAST_QUESTION,
  'reads the rows again',
];

/** The connections of a probe say when it began (src/queue/probe/probe-id.ts). */
const LONGEST_PROBE_MS = 2 * MINUTE;

/**
 * Whether `configChangedMs` shows when a cache was cleared and when the root came into use. evidence.ts says "the newest
 * modification of what names the servers and the prefix": a cache that is gone has none, and a copy may keep its times.
 */
const CONFIG_TIME_SEES_MOVES = true;

/** What the observer decides before it begins. */
export interface ObservationOptions {
  /** `--probe`: the payloads of waiting jobs are read. */
  probe: boolean;
  /** `--gearman` names the first server alone. */
  oneServer: boolean;
  seenBefore: ReadonlySet<number>;
  /** Waiting jobs that the command that acts has read the payloads of. */
  probed?: readonly {queue: string; entry: Entry; server: Gearmand}[];
  /** What was true meanwhile is not noted. */
  withoutTruths?: boolean;
}

/**
 * One reading of the site by atomctl, in steps between which the world goes on (ARCHITECTURE.md "How a live state is
 * proved"). While it lasts it notes what was true of each row.
 */
export class Observation {
  static readonly STEPS = STEP_NAMES.length;
  /** What was true between the first and the last step. */
  watch: Watch | null = null;
  /** Nothing happened between the steps. */
  atomic = true;
  readonly options: ObservationOptions;
  readonly beganMs: number;
  evidence: LiveEvidence | null = null;
  private readonly world: World;
  private at = 0;

  private servers: Gearmand[] = [];
  private notAsked: string[] = [];
  private sitePrefixes: ReadonlySet<string> = new Set();
  private firstRows = new Map<number, Row>();
  private readonly ended: EndedJobs[] = [];
  private readonly errors = new Map<Gearmand, string>();
  private queues: QueueCount[] = [];
  private readonly ignored = new Map<Gearmand, number>();
  private readonly probing = new Set<Gearmand>();
  private workers: WorkerConnection[] = [];
  readonly places = new Map<number, (KnownJob & {entry: Entry; server: Gearmand})[]>();
  private readonly askedInVain = new Set<number>();
  private readonly probed: {queue: string; entry: Entry; server: Gearmand}[] = [];
  private payloads: SeenPayload[] = [];
  private countsAgain = '';
  private readonly arrived = new Set<number>();
  private host: NonNullable<LiveEvidence['host']> | null = null;
  private readonly started = new Map<Gearmand, number | null>();

  constructor(world: World, options: ObservationOptions) {
    this.world = world;
    this.options = options;
    this.beganMs = world.clock.nowMs;
  }

  /** The next step; true after the last one, when `evidence` is complete. */
  step(): boolean {
    const steps = [
      () => this.readRows(),
      () => this.readPayloads(),
      () => this.readCounts(),
      () => this.readWorkers(),
      () => this.askKeys(),
      () => this.askAgain(),
      () => this.readHost(),
      () => this.readQueueAgain(),
      () => this.readRowsAgain(),
    ];
    steps[this.at]!();
    this.at += 1;
    this.note();
    return this.at === steps.length;
  }

  /** A row as the first read showed it. */
  rowRead(id: number): Row | undefined {
    return this.firstRows.get(id);
  }

  /** What the last step did, for the story. */
  get lastStep(): string {
    return STEP_NAMES[this.at - 1]!;
  }

  /** Called after each thing that happens while the observation lasts. */
  worldChanged(): void {
    if (this.at === 0) return;
    this.atomic = false;
    this.note();
  }

  private note(): void {
    if (this.options.withoutTruths) return;
    this.watch ??= new Watch(this.firstRows.keys());
    this.watch.note(this.world);
  }

  private readRows(): void {
    const {configurations} = this.world;
    const addresses = new Set(configurations.flatMap((configuration) => configuration.servers));
    const named = [...addresses].map((address) => this.world.server(address));
    if (this.world.setup.guessed) {
      this.servers = this.world.servers.slice(0, 1);
    } else {
      this.servers = this.options.oneServer ? named.slice(0, 1) : named;
      this.notAsked = named.filter((server) => !this.servers.includes(server)).map(({address}) => address);
      this.sitePrefixes = this.world.prefixes;
    }
    for (const row of this.world.visibleRows().values()) {
      if (row.status === 'running') this.firstRows.set(row.id, row);
      else if (row.log.some(({kind}) => kind === 'started'))
        this.ended.push({
          name: row.job.name,
          // The row is saved about when its last line is written.
          latestMs: this.world.clock.asRead(row.log.at(-1)!.atMs),
          atWork: !hasFinished(row) || this.endedLately(row),
          importFiles:
            row.upload !== null && row.log.some(({kind}) => kind === 'parameters') ? [row.upload] : [],
        });
    }
  }

  /** Its worker may not have told Gearman yet. */
  private endedLately(row: Row): boolean {
    return this.world.clock.nowMs - row.log.at(-1)!.atMs <= 60 * SECOND;
  }

  private readCounts(): void {
    // The lock is a line of the same answer (takeSnapshot).
    this.noteProbes();
    for (const server of this.answering()) {
      for (const {function: name, total, running} of server.status()) {
        const owner = this.ownerOf(name);
        if (!owner) continue;
        this.queues.push({
          queue: queueOf(server, name),
          server: server.address,
          function: name,
          owner,
          total,
          running,
        });
      }
    }
  }

  private readWorkers(): void {
    this.noteProbes();
    for (const server of this.answering()) {
      for (const {id, ip, functions} of server.connections) {
        const queues = functions.filter((name) => this.ownerOf(name)).map((name) => queueOf(server, name));
        if (queues.length === 0) continue;
        const pid = /^pid_(\d+)_/.exec(id)?.[1];
        this.workers.push({
          id,
          pid: pid === undefined ? null : Number(pid),
          ip,
          server: server.address,
          fromHere: ip === '127.0.0.1',
          queues,
        });
      }
    }
  }

  /** Another atomctl holds jobs. A client that does so for longer than a probe lasts shows as a connection only. */
  private noteProbes(): void {
    const {nowMs} = this.world.clock;
    for (const {server, startedMs} of this.world.probes) {
      if (this.answering().includes(server) && nowMs - startedMs <= LONGEST_PROBE_MS)
        this.probing.add(server);
    }
  }

  /** The key of each begun job, under each function that may have its job, on each server (GET_STATUS_UNIQUE). */
  private askKeys(): void {
    const answering = this.answering();
    for (const row of this.firstRows.values()) {
      if (qualityOf(row, this.world.own) === 'none') continue;
      for (const queue of this.queuesOf(row)) {
        const server = this.world.server(queue.server);
        if (!answering.includes(server)) {
          this.askedInVain.add(row.id);
          continue;
        }
        const entry = server.find(queue.function, loggedKeyOf(queue.function, row));
        if (!entry) continue;
        const place = {queue: queue.queue, running: entry.holder !== null, entry, server};
        this.places.set(row.id, [...(this.places.get(row.id) ?? []), place]);
      }
    }
    this.noteProbes();
  }

  /** What was waiting may have been taken, or be a cancelled entry that leaves when a worker polls. */
  private askAgain(): void {
    const answering = this.answering();
    for (const server of answering) this.ignored.set(server, server.waitingIgnored());
    for (const [id, places] of this.places) {
      const again = places.flatMap((place) => {
        const {entry, server} = place;
        if (place.running) return place;
        if (!answering.includes(server)) this.askedInVain.add(id);
        const now = answering.includes(server) ? server.find(entry.function, entry.key) : undefined;
        return now ? {...place, running: now.holder !== null} : [];
      });
      if (again.length > 0) this.places.set(id, again);
      else this.places.delete(id);
    }
    this.noteProbes();
    this.payloads = this.probed.flatMap(({queue, entry, server}) => {
      const waits = answering.includes(server) && server.entries().includes(entry) && entry.holder === null;
      const {jobId, name, objectId} = entry.payload;
      return waits ? [{queue, jobId, name, objectId}] : [];
    });
  }

  /** decidingPlace of src/jobs/live/collect-evidence.ts. */
  private knownOf(id: number): KnownJob | null {
    const places = this.places.get(id) ?? [];
    const running = places.filter((place) => place.running);
    const same = running.length > 0 ? running : places;
    const best = same.find(({server, running: runs}) =>
      runs ? !this.probing.has(server) : !this.ignored.get(server),
    );
    const place = best ?? same[0];
    return place ? {queue: place.queue, running: place.running} : null;
  }

  /** The counts once more, and the keys of jobs that no server knew. */
  private readQueueAgain(): void {
    this.countsAgain = this.countText();
    for (const server of this.answering()) {
      for (const {function: name, total} of server.status()) {
        if (total === 0 || !this.ownerOf(name)) continue;
        for (const row of this.firstRows.values()) {
          const classes = classesOf(row.job.name);
          if (classes !== null && !classes.includes(name.slice(name.lastIndexOf('-') + 1))) continue;
          const isNew = this.isKeyed(row)
            ? server.find(name, loggedKeyOf(name, row)) !== undefined
            : !this.queuesOf(row).some(({queue}) => queue === queueOf(server, name));
          if (isNew) this.arrived.add(row.id);
        }
      }
    }
  }

  /** Its key is AtoM's, and every server was asked for it. */
  private isKeyed(row: Row): boolean {
    return qualityOf(row, this.world.own) === 'exact' && !this.askedInVain.has(row.id);
  }

  /** `--probe`: reads what waits, as long as no server would drop a job for it. */
  private readPayloads(): void {
    this.probed.push(...(this.options.probed ?? []));
    if (!this.options.probe) return;
    for (const server of this.answering()) {
      for (const entry of server.probe(this.world.probedFunctions(server)))
        this.probed.push({queue: queueOf(server, entry.function), entry, server});
    }
  }

  private readHost(): void {
    const {world} = this;
    const {release} = world.own;
    for (const server of this.servers)
      this.started.set(server, server.here && server.up ? server.startedMs : null);
    const readable = world.setup.processesReadable;
    // Without a root the user of a process tells nothing, so that every one counts.
    const seen = ({host, scanned}: {host: HostName; scanned: boolean}) =>
      host === 'here' && (scanned || world.setup.guessed);
    const local = world.workers.filter(seen);
    const workers: SiteProcess[] = local
      .filter(({site}) => site === 'own')
      .map(({pid, startedMs}) => ({pid, startedMs, argv: ['php', 'symfony', 'jobs:worker']}));
    const imports: SiteProcess[] = world.children.filter(seen).map(({pid, startedMs, file}) => ({
      pid,
      startedMs,
      argv: ['php', '/srv/atom/symfony', 'csv:import', file],
    }));
    this.host = {
      processes: {
        unreadable: readable ? null : '/proc cannot be read',
        workers: readable ? workers : [],
        imports: readable ? imports : [],
        otherSites: new Set(readable ? local.filter(({site}) => site === 'other').map(({pid}) => pid) : []),
      },
      serversNotAsked: this.notAsked,
      serversDoubt: world.setup.guessed ? 'The Gearman servers of the site are not known.' : null,
      workersStatedHere: world.setup.statedHere,
      configChangedMs: world.setup.guessed
        ? null
        : Math.max(
            release.yamlWrittenMs,
            release.web?.writtenMs ?? 0,
            release.worker?.writtenMs ?? 0,
            CONFIG_TIME_SEES_MOVES ? release.movedMs : 0,
          ),
      clock: {
        nowMs: world.clock.nowMs,
        uncertaintyMs: world.clock.uncertaintyMs,
        reason: world.clock.observed ? 'observed in the journal' : 'the offset was not observed',
      },
    };
  }

  private readRowsAgain(): void {
    const {world} = this;
    const second = world.visibleRows();
    const rows: RowEvidence[] = [];
    let sameRows =
      [...second.values()].filter(({status}) => status === 'running').length === this.firstRows.size;
    for (const first of this.firstRows.values()) {
      const row = second.get(first.id);
      if (row?.status === 'running') rows.push(this.rowEvidence(first, row));
      else sameRows = false;
    }
    this.evidence = {
      rows,
      queues: this.queues,
      servers: this.servers.map((server) => this.serverEvidence(server)),
      workers: this.workers,
      payloads: this.payloads,
      ended: this.ended,
      unchanged: sameRows && this.countsAgain === this.countText(this.queues),
      writable: !world.setup.replica,
      host: this.host,
      seenBefore: this.options.seenBefore,
    };
  }

  private rowEvidence(first: Row, row: Row): RowEvidence {
    const {clock, own} = this.world;
    const starts = row.log.filter(({kind}) => kind === 'started').map(({atMs}) => atMs);
    const key = qualityOf(first, own);
    const last = row.log.at(-1);
    const logged = first.log.some(({kind}) => kind === 'parameters');
    return {
      id: row.id,
      name: row.job.name,
      objectId: row.objectId,
      createdMs: clock.asRead(row.createdMs),
      createdEarliestMs: clock.asReadEarliest(row.createdMs),
      starts: starts.length,
      begun:
        starts.length > 0
          ? {earliestMs: clock.asReadEarliest(starts[0]!), lastMs: clock.asRead(starts.at(-1)!)}
          : null,
      finished: hasFinished(row),
      failed: afterLastStart(row).some(({kind}) => kind === 'error'),
      lastActivityMs: last && !row.cut ? clock.asRead(last.atMs) : null,
      logGrew: row.log.length > first.log.length,
      key,
      keyAsked: key !== 'none' && !this.askedInVain.has(row.id),
      known: this.knownOf(row.id),
      importFile: logged ? row.upload : null,
      queues: this.queuesOf(row).map(({queue}) => queue),
      arrived: this.arrived.has(row.id) && !this.places.has(row.id),
    };
  }

  private serverEvidence(server: Gearmand): ServerEvidence {
    return {
      address: server.address,
      error: this.errors.get(server) ?? null,
      probing: this.probing.has(server),
      ignored: this.ignored.get(server) ?? 0,
      startedMs: this.started.get(server) ?? null,
      onlyLoopback: server.here && server.onlyLoopback,
    };
  }

  /** Servers that answer at this moment and have answered so far. */
  private answering(): Gearmand[] {
    for (const server of this.servers) if (!server.up) this.errors.set(server, 'connection refused');
    return this.servers.filter((server) => !this.errors.has(server));
  }

  /** Another site's functions are left out if it is known; a prefix that nobody knows may have been this site's. */
  private ownerOf(name: string): 'site' | 'unknown' | null {
    const prefix = name.slice(0, name.indexOf('-') < 0 ? 0 : name.lastIndexOf('-') + 1);
    if (this.sitePrefixes.has(prefix)) return 'site';
    return this.world.isListed(name) ? null : 'unknown';
  }

  private queuesOf(row: Row): QueueCount[] {
    const classes = classesOf(row.job.name);
    return this.queues.filter(
      ({function: name, total}) =>
        total > 0 && (classes === null || classes.includes(name.slice(name.lastIndexOf('-') + 1))),
    );
  }

  private countText(counts?: readonly QueueCount[]): string {
    const lines =
      counts?.map(({queue, total, running}) => `${queue} ${total} ${running}`) ??
      this.answering().flatMap((server) =>
        server
          .status()
          .filter(({function: name}) => this.ownerOf(name))
          .map(({function: name, total, running}) => `${queueOf(server, name)} ${total} ${running}`),
      );
    return lines.sort().join('\n');
  }
}

export function queueOf(server: Gearmand, name: string): string {
  return `${name}@${server.address}`;
}

/** The key that follows from the logged parameters; that of a float is another than AtoM's. */
export function loggedKeyOf(name: string, {id, job}: Row): string {
  return keyOf(name, id) + (job.parameters === 'float' ? ':another' : '');
}

/** No parameters are logged to 2.6, before the job begins to work, or if they are longer than the log. */
export function qualityOf(row: Row, own: AtomSite): RowEvidence['key'] {
  if (own.version === '2.6' || !row.log.some(({kind}) => kind === 'parameters')) return 'none';
  if (row.job.parameters === 'cut') return 'none';
  return row.job.parameters === 'plain' ? 'exact' : 'doubtful';
}
