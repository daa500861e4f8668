/** A job as a gearmand holds it. */
export interface Entry {
  handle: string;
  function: string;
  key: string;
  payload: Payload;
  ignored: boolean;
  retries: number;
  /** The connection that was assigned the job; null while it waits. */
  holder: Connection | null;
}

/** What the payload says, and whose row it is for (`other` is the second site's database), which it does not say. */
export interface Payload {
  site: 'own' | 'other';
  jobId: number;
  name: string;
  objectId: number | null;
  /** An import's file (`file.tmp_name`). */
  upload: string | null;
}

/** One worker's connection to one gearmand. */
export interface Connection {
  id: string;
  ip: string;
  /** In the order in which gearmand offers them. */
  functions: readonly string[];
  /** Jobs that it was assigned, in the order of grabbing. */
  held: Entry[];
  /** The server has gone or was restarted; the client has not noticed. */
  broken: boolean;
}

export interface GearmandOptions {
  address: string;
  /** Its process is on the host of atomctl. */
  here: boolean;
  onlyLoopback: boolean;
  durable: boolean;
  /** `--job-retries`; 0 is unlimited. */
  retryLimit: number;
}

/**
 * A gearmand 1.1.20 (github:gearman/gearmand, libgearman-server). Every rule names its function there, or the trial in
 * which it was seen.
 */
export class Gearmand {
  readonly address: string;
  readonly here: boolean;
  readonly onlyLoopback: boolean;
  readonly durable: boolean;
  readonly retryLimit: number;
  up = true;
  startedMs: number;
  connections: Connection[] = [];
  /** Functions that `status` lists, with their waiting jobs, oldest first. Rows stay after the last job (run). */
  private readonly waiting = new Map<string, Entry[]>();
  private readonly executing: Entry[] = [];
  /** Until the next change: entries() is asked for most often. */
  private all: readonly Entry[] | null = null;
  private handles = 0;

  constructor(options: GearmandOptions, startedMs: number) {
    this.address = options.address;
    this.here = options.here;
    this.onlyLoopback = options.onlyLoopback;
    this.durable = options.durable;
    this.retryLimit = options.retryLimit;
    this.startedMs = startedMs;
  }

  /** Waiting and assigned jobs, ignored ones too. */
  entries(): readonly Entry[] {
    this.all ??= [...this.executing, ...[...this.waiting.values()].flat()];
    return this.all;
  }

  /** Text command `status` (text.cc): job_total and job_running; cancelled jobs are counted (run). */
  status(): {function: string; total: number; running: number}[] {
    const executing = new Map<string, number>();
    for (const {function: name} of this.executing) executing.set(name, (executing.get(name) ?? 0) + 1);
    return [...this.waiting].map(([name, entries]) => {
      const running = executing.get(name) ?? 0;
      return {function: name, total: entries.length + running, running};
    });
  }

  /** Cancelled jobs that wait: `show jobs`, column three, and the status of their handles. */
  waitingIgnored(): number {
    return this.entries().filter((entry) => entry.ignored && entry.holder === null).length;
  }

  waitingIn(name: string): readonly Entry[] {
    return this.waiting.get(name) ?? [];
  }

  /** Workers that can do a function, as `status` counts them: AtoM's checkWorkerAvailable asks this. */
  capable(name: string): number {
    return this.connections.filter((connection) => connection.functions.includes(name)).length;
  }

  /** GET_STATUS_UNIQUE: known while a job with the key waits or executes, ignored or not (run). */
  find(name: string, key: string): Entry | undefined {
    return (
      this.executing.find((entry) => entry.function === name && entry.key === key) ??
      this.waiting.get(name)?.find((entry) => entry.key === key)
    );
  }

  /** SUBMIT_JOB_BG: no second job for a function and key that the server has (job.cc, gearman_server_job_add_reducer). */
  submit(name: string, key: string, payload: Payload): Entry {
    const existing = this.find(name, key);
    if (existing) return existing;
    this.handles += 1;
    const entry: Entry = {
      handle: `H:${this.address}:${this.startedMs}:${this.handles}`,
      function: name,
      key,
      payload,
      ignored: false,
      retries: 0,
      holder: null,
    };
    this.queue(entry);
    return entry;
  }

  connect(id: string, ip: string, functions: readonly string[]): Connection {
    const connection: Connection = {id, ip, functions, held: [], broken: false};
    this.connections.push(connection);
    for (const name of functions) this.list(name);
    return connection;
  }

  /**
   * GRAB_JOB: the first waiting job of the first function that has one (gearmand_con.cc, gearman_server_job_peek). Ignored
   * jobs on the way are freed. Null is NO_JOB.
   */
  grab(connection: Connection, only?: string): Entry | null {
    for (const name of connection.functions) {
      if (only !== undefined && name !== only) continue;
      const queue = this.list(name);
      while (queue.length > 0) {
        const entry = queue.shift()!;
        this.all = null;
        if (entry.ignored) continue;
        entry.holder = connection;
        connection.held.push(entry);
        this.executing.push(entry);
        return entry;
      }
    }
    return null;
  }

  /** WORK_COMPLETE and WORK_FAIL: the job is forgotten. */
  end(connection: Connection, entry: Entry): void {
    if (connection.broken || entry.holder !== connection) return;
    this.all = null;
    connection.held.splice(connection.held.indexOf(entry), 1);
    this.executing.splice(this.executing.indexOf(entry), 1);
    entry.holder = null;
  }

  /**
   * The socket's last holder has gone: held jobs return at the end, in reverse order of grabbing (worker.cc,
   * gearman_server_worker_free; run), each with one more retry; at the limit the job is dropped (job.cc,
   * gearman_server_job_queue). A cancelled one returns as an ignored job.
   */
  disconnect(connection: Connection): void {
    if (connection.broken) return;
    const at = this.connections.indexOf(connection);
    if (at < 0) return;
    this.connections.splice(at, 1);
    for (const entry of [...connection.held].reverse()) this.giveBack(connection, entry);
    connection.broken = true;
  }

  /** One held job returns to the end of its queue. */
  giveBack(connection: Connection, entry: Entry): void {
    this.end(connection, entry);
    entry.retries += 1;
    if (this.retryLimit > 0 && entry.retries === this.retryLimit) return;
    this.queue(entry);
  }

  /**
   * atomctl reads the waiting jobs of these functions and gives each back in its place, with one more retry; cancelled
   * ones are freed on the way (run, 1.1.20). It touches nothing if the server would drop one (src/queue/probe/retry-limit.ts).
   */
  probe(names: readonly string[]): Entry[] {
    const most = Math.max(0, ...this.entries().map(({ignored, retries}) => (ignored ? 0 : retries)));
    if (this.retryLimit > 0 && most + 1 >= this.retryLimit) return [];
    this.all = null;
    return names.flatMap((name) => {
      const kept = this.waitingIn(name).filter(({ignored}) => !ignored);
      for (const entry of kept) entry.retries += 1;
      this.waiting.set(name, kept);
      return kept;
    });
  }

  /** `cancel job` marks the job; a waiting one stays until a worker polls (gearmand_con.cc, gearman_server_job_cancel; run). */
  cancel(entry: Entry): void {
    entry.ignored = true;
  }

  /** These are gone: a client ended them. */
  forget(entries: readonly Entry[]): void {
    this.all = null;
    for (const list of [this.executing, ...this.waiting.values()])
      list.splice(0, list.length, ...list.filter((entry) => !entries.includes(entry)));
  }

  stop(): void {
    this.up = false;
    for (const connection of this.connections) connection.broken = true;
    this.connections = [];
    const kept = this.durable ? this.entries().filter((entry) => !entry.ignored) : [];
    this.all = null;
    this.waiting.clear();
    this.executing.length = 0;
    // Replayed before the first connection is served (gearmand.cc, gearmand_run), jobs that executed too.
    for (const entry of kept) {
      entry.holder = null;
      entry.retries = 0;
      this.queue(entry);
    }
  }

  start(nowMs: number): void {
    this.up = true;
    this.startedMs = nowMs;
  }

  private queue(entry: Entry): void {
    this.all = null;
    this.list(entry.function).push(entry);
  }

  private list(name: string): Entry[] {
    let entries = this.waiting.get(name);
    if (!entries) {
      entries = [];
      this.waiting.set(name, entries);
    }
    return entries;
  }
}
