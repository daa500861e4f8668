import {prefixOf, type Row} from '../atom-site.ts';
import {JOB_CLASSES} from '../classes.ts';
import {MINUTE} from '../clock.ts';
import type {Connection, Entry, Gearmand} from '../gearmand.ts';
import type {Worker} from '../worker.ts';
import {type Setup, World} from '../world.ts';
import type {Witness} from './witness.ts';

/** Another atomctl that holds a lock for longer than that never leaves. */
const LONGEST_PROBE_MS = 2 * MINUTE;

/** A job in a copy of the queue. */
export interface CopiedJob {
  server: Gearmand;
  function: string;
  key: string;
  payload: Entry['payload'];
  /** See lengthOf; null if no row of its id said Running. */
  logLength: number | null;
  /** A worker executed it although it waited: what a restore cannot see. */
  executed: boolean;
}

/** A file that queue:save has written. */
export interface Copy {
  savedMs: number;
  jobs: readonly CopiedJob[];
}

/** What a hold promises while its command runs. */
export interface Holding {
  /** The functions that had workers as it began, by server, with the run of the server. */
  abilities: ReadonlyMap<Gearmand, {names: ReadonlySet<string>; run: number | undefined; cut: () => boolean}>;
}

/** The Gearman servers and prefixes of the site, as a command reads them when it starts. */
export interface SiteView {
  servers: readonly Gearmand[];
  prefixes: ReadonlySet<string>;
  /** The one under which AtoM submits. */
  ownPrefix: string;
}

/** The world with what acts need beyond it: locks, the journals of the units, and a witness of what jobs go through. */
export class ActWorld extends World {
  /** The job that a unit's journal names last, by its worker; null if it names none (src/worker/executing.ts). */
  readonly journals = new Map<Worker, number | null>();
  /** Servers of which an act has the probe lock. */
  readonly probeLocks = new Set<Gearmand>();
  /** How often a server was stopped: a handle is that of one run. */
  readonly stops = new Map<Gearmand, number>();
  siteLocked = false;
  readonly copies: Copy[] = [];
  holding: Holding | null = null;
  witness: Witness | null = null;
  /** Rows in whose log a worker began a job that is another site's: both have the id, and the prefix. */
  readonly begunForOther = new Set<number>();
  override readonly sitesShareIds = true;

  constructor(setup: Setup) {
    super(setup);
    for (const server of this.servers) this.watch(server);
  }

  siteView(oneServer: boolean): SiteView {
    const addresses = new Set(this.configurations.flatMap(({servers}) => servers));
    const servers = [...addresses].map((address) => this.server(address));
    return {
      servers: oneServer ? servers.slice(0, 1) : servers,
      prefixes: this.prefixes,
      ownPrefix: this.ownPrefix,
    };
  }

  /** True if another atomctl, or a client that calls itself one, has the probe lock of a server. */
  lockedByOther(server: Gearmand): boolean {
    return this.probes.some((probe) => probe.server === server);
  }

  /** For how long others keep a lock: the commands wait five seconds at most. */
  get lockIsAbandoned(): boolean {
    return this.probes.some(({startedMs}) => this.clock.nowMs - startedMs > LONGEST_PROBE_MS);
  }

  executes(id: number): boolean {
    return isExecuted(this, id);
  }

  override stepWorker(worker: Worker, choice: number): string | null {
    const before = worker.execution?.phase;
    const said = super.stepWorker(worker, choice);
    const after = worker.execution?.phase;
    // A worker's own output has the job's log (AtoM 2.7 and later): "Job started." first, then the parameters.
    if (before === 'grabbed' && after === 'started') {
      this.journals.set(worker, null);
      const {jobId, entry} = worker.execution!;
      if (entry.payload.site !== worker.site) this.begunForOther.add(jobId);
    }
    const began = before === 'started' || before === 'waits';
    const logged = this.own.version === '2.8' && worker.execution?.job?.parameters !== 'cut';
    if (began && logged && (after === 'working' || after === 'child'))
      this.journals.set(worker, worker.execution!.jobId);
    return said;
  }

  override request(kind: number, delayMs: number, fails: boolean): string | null {
    const said = super.request(kind, delayMs, fails);
    if (said !== null || this.holding === null) return said;
    const {servers, workersKey} = this.configuration('web');
    const last = this.server(servers.at(-1)!);
    const name = prefixOf(this.own.release.root, workersKey) + JOB_CLASSES[kind % JOB_CLASSES.length]!.class;
    const had = this.holding.abilities.get(last);
    if (last.up && had?.names.has(name) && had.run === this.stops.get(last) && !had.cut())
      this.witness?.harm(
        'AtoM accepts no job while the queue is held',
        `A web request finds no worker for ${name} on ${last.address}.`,
      );
    return said;
  }

  /** systemd stops a unit: its worker and all its children have gone when that is done. */
  stopUnit(worker: Worker): void {
    this.endWorker(worker, true);
  }

  row(id: number): Row | undefined {
    return this.own.rows.get(id);
  }

  private watch(server: Gearmand): void {
    const {grab, submit, disconnect, stop} = server;
    server.grab = (connection, only) => {
      const entry = grab.call(server, connection, only);
      if (entry && !this.isProbe(connection)) this.witness?.handedOut(server, entry);
      return entry;
    };
    server.submit = (name, key, payload) => {
      const entry = submit.call(server, name, key, payload);
      this.witness?.arrived(entry);
      return entry;
    };
    server.disconnect = (connection) => {
      const held = connection.broken ? [] : [...connection.held];
      disconnect.call(server, connection);
      this.witness?.returned(server, connection, held);
    };
    server.stop = () => {
      stop.call(server);
      this.probeLocks.delete(server);
      this.stops.set(server, (this.stops.get(server) ?? 0) + 1);
      this.witness?.restarted(server);
    };
  }
}

/** True while a worker works on a job, or its import. */
export function isExecuted({workers, children}: World, id: number): boolean {
  return (
    workers.some(
      ({execution, site}) =>
        site === 'own' &&
        execution?.jobId === id &&
        execution.phase !== 'finished' &&
        execution.phase !== 'failed' &&
        execution.phase !== 'saved',
    ) || children.some(({jobId}) => jobId === id)
  );
}

/** True while the server has the job. */
export function has(server: Gearmand, entry: Entry): boolean {
  return server.up && server.entries().includes(entry);
}

export type {Connection, Entry, Gearmand};
