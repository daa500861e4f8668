import {AtomctlError} from '../../../src/errors.ts';
import type {ServerAddress} from '../../../src/gearman/address.ts';
import type {
  Connection,
  FunctionStatus,
  GearmanServer,
  JobPresence,
  QueuedJob,
  ServerVersion,
} from '../../../src/gearman/server.ts';

interface FakeJob extends QueuedJob {
  function: string;
  unique: string;
  worker: FakeWorker | null;
}

/** A worker of the fake: takes jobs in their order, and dies. */
export interface FakeWorker {
  /** The handle of the next job, or null if none waits. */
  grab(): string | null;
  /** Ends a job that it holds. */
  end(handle: string): void;
  /** Dies: what it holds is queued again. */
  leave(): void;
}

/**
 * gearmand in memory, for tests that are about something else. test/integration/gearman/contract.test.ts holds it
 * and the real one to the same behaviour.
 */
export class FakeGearman implements GearmanServer {
  readonly address: ServerAddress;
  readonly skippedLines = 0;
  /** Set to let every question fail, as if a server is down. */
  failure: AtomctlError | null = null;
  readonly #implementation: ServerVersion['implementation'];
  readonly #known = new Set<string>();
  readonly #connections = new Map<FakeWorker, Connection>();
  #jobs: FakeJob[] = [];
  #lastNumber = 0;

  constructor({
    host = '127.0.0.1',
    port = 4730,
    implementation = 'gearmand' as ServerVersion['implementation'],
  } = {}) {
    this.address = {host, port};
    this.#implementation = implementation;
  }

  /** Queues a background job and returns its handle; one with the same function and key is joined. */
  submit(name: string, unique: string): string {
    const joined = this.#jobs.find((job) => job.function === name && job.unique === unique);
    if (joined) return joined.handle;
    this.#known.add(name);
    this.#lastNumber += 1;
    const handle = `H:fake:${this.#lastNumber}`;
    this.#jobs.push({
      handle,
      retries: 0,
      ignored: false,
      durable: true,
      function: name,
      unique,
      worker: null,
    });
    return handle;
  }

  /** Connects a worker that can do these functions. */
  work(functions: readonly string[], id = 'pid_1_fake'): FakeWorker {
    const worker: FakeWorker = {
      grab: () => this.#grab(worker),
      end: (handle) => {
        this.#jobs = this.#jobs.filter((job) => job.handle !== handle || job.worker !== worker);
      },
      leave: () => this.#leave(worker),
    };
    for (const name of functions) this.#known.add(name);
    const fd = 30 + this.#connections.size;
    this.#connections.set(worker, {fd, ip: '127.0.0.1', id, functions: [...functions]});
    return worker;
  }

  version = () => this.#answer({implementation: this.#implementation, version: '1.1.20'});

  status = () => this.#answer([...this.#known].map((name) => this.#functionStatus(name)));

  priorities = () =>
    this.#answerGearmand('prioritystatus', () =>
      [...this.#known].map((name) => {
        const {total, running} = this.#functionStatus(name);
        return {function: name, high: 0, normal: total - running, low: 0};
      }),
    );

  connections = () =>
    this.#answer([...this.#connections.values(), {fd: 99, ip: '127.0.0.1', id: '-', functions: []}]);

  jobs = () =>
    this.#answerGearmand('show jobs', () =>
      this.#jobs.map(({handle, retries, ignored, durable}) => ({handle, retries, ignored, durable})),
    );

  uniqueKeys = () => this.#answerGearmand('show unique jobs', () => this.#jobs.map((job) => job.unique));

  cancel = (handle: string) =>
    this.#answerGearmand('cancel job', () => {
      const job = this.#jobs.find((candidate) => candidate.handle === handle);
      if (job) Object.assign(job, {ignored: true, durable: false});
      return job !== undefined;
    });

  handleOf = ({function: name, unique}: {function: string; unique: string}) =>
    this.#answerGearmand('SUBMIT_JOB_EPOCH', () => this.submit(name, unique));

  submitBackground = ({function: name, unique}: {function: string; unique: string}) =>
    this.failure ? Promise.reject(this.failure) : Promise.resolve(this.submit(name, unique));

  statusOfUniqueKeys = (keys: readonly string[]) =>
    this.#answerGearmand('GET_STATUS_UNIQUE', () =>
      keys.map((key) => presence(this.#jobs.find((job) => job.unique === key))),
    );

  statusOfHandles = (handles: readonly string[]) =>
    this.#answer(handles.map((handle) => presence(this.#jobs.find((job) => job.handle === handle))));

  dropFunction = (name: string) =>
    this.#answerGearmand(
      'drop function',
      () => this.#functionStatus(name).workers === 0 && this.#known.delete(name),
    );

  close(): void {}

  #functionStatus(name: string): FunctionStatus {
    const jobs = this.#jobs.filter((job) => job.function === name);
    const workers = [...this.#connections.values()].filter(({functions}) => functions.includes(name));
    return {
      function: name,
      total: jobs.length,
      running: jobs.filter((job) => job.worker !== null).length,
      workers: workers.length,
    };
  }

  #grab(worker: FakeWorker): string | null {
    const functions = this.#connections.get(worker)?.functions ?? [];
    const offered = (job: FakeJob) => job.worker === null && functions.includes(job.function);
    // As gearmand does, a cancelled job goes when a worker would have been given it.
    this.#jobs = this.#jobs.filter((job) => !(job.ignored && offered(job)));
    const job = this.#jobs.find(offered);
    if (!job) return null;
    job.worker = worker;
    return job.handle;
  }

  #leave(worker: FakeWorker): void {
    this.#connections.delete(worker);
    const held = this.#jobs.filter((job) => job.worker === worker).reverse();
    for (const job of held) Object.assign(job, {worker: null, retries: job.retries + 1});
    this.#jobs = [...this.#jobs.filter((job) => !held.includes(job)), ...held];
  }

  #answer<T>(answer: T): Promise<T> {
    return this.failure ? Promise.reject(this.failure) : Promise.resolve(answer);
  }

  #answerGearmand<T>(asked: string, answer: () => T): Promise<T> {
    if (this.#implementation === 'gearmand' && !this.failure) return this.#answer(answer());
    const message = `Gearman server ${this.address.host}:${this.address.port} refused "${asked}".`;
    return Promise.reject(this.failure ?? new AtomctlError('GEARMAN_PROTOCOL', message));
  }
}

function presence(job: FakeJob | undefined): JobPresence {
  return {known: job !== undefined, running: job != null && job.worker !== null};
}
