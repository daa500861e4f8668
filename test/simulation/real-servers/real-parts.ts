import {rmSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {parseAddress} from '../../../src/gearman/address.ts';
import {type ServerLock, takeLock} from '../../../src/gearman/lock.ts';
import {connectWorker, type WorkerConnection} from '../../../src/gearman/worker-connection.ts';
import {PROBE_LOCK} from '../../../src/queue/function-name.ts';
import {createScratch} from '../../support/scratch.ts';
import type {MariadbConnection} from '../../support/servers/mariadb.ts';
import {submitBackground} from '../../support/servers/submit-job.ts';
import {prefixOf} from '../atom-site.ts';
import {JOB_CLASSES, type JobClass} from '../classes.ts';
import type {Gearmand, Payload} from '../gearmand.ts';
import type {ImportChild, Worker} from '../worker.ts';
import type {Probe} from '../world.ts';
import {HistoryClock} from './history-clock.ts';
import {RealGearmand} from './real-gearmand.ts';
import {FIRST_ID, realKey, realPayload} from './real-payload.ts';
import {RealSite} from './real-site.ts';
import {placeOf, RealWorker} from './real-worker.ts';
import type {Operation, RecordedWorld} from './recorded-world.ts';
import {StepSocket} from './step-socket.ts';
import {Disagreement, waitFor} from './wait-for.ts';

const TIMEOUT = {timeoutSeconds: 5};

interface Started {
  /** Of the model. */
  atMs: number;
  realMs: number;
}

/** MariaDB, gearmands, roots and processes that do what happens in a world of the model. */
export class RealParts {
  readonly gearmands = new Map<Gearmand, RealGearmand>();
  readonly workers = new Map<Worker, RealWorker>();
  /** Process ids of the imports. */
  readonly children = new Map<ImportChild, number>();
  /** Process ids of workers by those of the model, also of dead ones: their imports keep the connections. */
  private readonly pids = new Map<number, number>();
  /** By process id, when a process was started. */
  readonly started = new Map<number, Started>();
  own!: RealSite;
  other!: RealSite;
  private readonly probes = new Map<Probe, {lock: ServerLock | null; holders: WorkerConnection[]}>();
  private readonly everyWorker: RealWorker[] = [];
  /** Of all rows that there ever were. */
  private readonly jobs = new Map<number, JobClass>();

  private constructor(
    readonly world: RecordedWorld,
    readonly clock: HistoryClock,
    private readonly steps: StepSocket,
    private readonly directory: string,
  ) {}

  static async create(world: RecordedWorld, mariadb: MariadbConnection): Promise<RealParts> {
    const clock = new HistoryClock(world.setup, world);
    const directory = createScratch('history');
    const parts = new RealParts(world, clock, await StepSocket.open(join(directory, 'steps')), directory);
    for (const server of world.servers) {
      const real = await RealGearmand.create(server, directory);
      await real.start();
      parts.gearmands.set(server, real);
      parts.noteStart(real.pid!, server.startedMs);
    }
    const endpointOf = (address: string) => parts.gearmand(world.server(address)).endpoint;
    const gearman = world.servers.map(({address}) => endpointOf(address));
    const options = {setup: world.setup, clock, endpointOf, gearman};
    parts.own = await RealSite.create(mariadb, options);
    if (world.setup.otherSite !== 'none') parts.other = await RealSite.create(mariadb, options);
    await parts.writeFiles();
    for (const worker of world.workers) await parts.startWorker(worker);
    return parts;
  }

  async close(): Promise<void> {
    for (const {holders, lock} of this.probes.values()) {
      for (const holder of holders) holder.close();
      await lock?.release();
    }
    for (const worker of this.everyWorker) worker.killGroup();
    this.steps.close();
    for (const gearmand of this.gearmands.values()) await gearmand.stop();
    for (const site of [this.own, this.other]) {
      await site?.site.drop();
      if (site) rmSync(dirname(site.site.root), {recursive: true, force: true});
    }
    rmSync(this.directory, {recursive: true, force: true});
  }

  gearmand(server: Gearmand): RealGearmand {
    return this.gearmands.get(server)!;
  }

  /** The files of the release, as they are in the model. */
  async writeFiles(): Promise<void> {
    await this.own.write(this.world.own.release, this.world.clock.nowMs);
  }

  /** @throws Disagreement if the real parts do something else */
  async do(operation: Operation): Promise<void> {
    switch (operation.does) {
      case 'insert row':
        this.jobs.set(operation.row.id, operation.row.job);
        return this.own.insert(operation.row, this.uploadOf(operation.row.upload));
      case 'save row':
        return this.own.save(operation.id, operation.status, operation.atMs);
      case 'delete row':
        return this.own.delete(operation.id);
      case 'submit':
        await this.submit(operation);
        return;
      case 'cancel': {
        const {server, entry} = operation;
        // A submission with the same key answers with the handle.
        const handle = await this.submit({server, ...entry});
        if (!(await this.gearmand(server).connection!.cancel(handle)))
          throw new Disagreement(`${handle} of job ${entry.payload.jobId} cannot be cancelled.`);
        return;
      }
      case 'stop server':
        return this.gearmand(operation.server).stop();
      case 'start server':
        await this.gearmand(operation.server).start();
        this.noteStart(this.gearmand(operation.server).pid!, operation.atMs);
        return;
      case 'start worker':
        return this.startWorker(operation.worker);
      case 'step':
        return this.step(operation);
      case 'end worker':
        return this.endWorker(operation);
      case 'SIGTERM':
        return this.terminate(operation.worker);
      case 'SIGSTOP':
      case 'SIGCONT':
        return this.worker(operation.worker).signal(operation.does);
      case 'end child':
        return this.endChild(operation.child, operation.atMs);
      case 'probe':
        return this.probe(operation.probe);
      case 'end probe':
        return this.endProbe(operation);
    }
  }

  private noteStart(pid: number, atMs: number): void {
    this.started.set(pid, {atMs, realMs: Date.now()});
  }

  private worker(worker: Worker): RealWorker {
    return this.workers.get(worker)!;
  }

  private async startWorker(worker: Worker): Promise<void> {
    const {root} = worker.site === 'own' ? this.own : this.other.site;
    const php = this.clock.phpSeconds(worker.startedMs);
    const real = await RealWorker.start(root, this.steps);
    this.everyWorker.push(real);
    this.workers.set(worker, real);
    this.pids.set(worker.pid, real.pid);
    this.noteStart(real.pid, worker.startedMs);
    await real.step('go', 'registered', php);
  }

  private async endWorker({worker, how}: Extract<Operation, {does: 'end worker'}>): Promise<void> {
    const real = this.worker(worker);
    this.workers.delete(worker);
    if (how === 'by itself') return real.ends();
    if (how === 'SIGTERM') {
      this.terminate(worker, real);
      return real.ends();
    }
    const group = how === 'SIGKILL of the group';
    await real.kill({group});
    for (const child of this.children.keys())
      if (group && child.parent === worker) this.children.delete(child);
  }

  /** As systemd does: a process that is stopped gets the signal when it goes on. */
  private terminate(worker: Worker, real = this.worker(worker)): void {
    real.signal('SIGTERM');
    real.signal('SIGCONT');
  }

  private async endChild(child: ImportChild, atMs: number): Promise<void> {
    const pid = this.children.get(child)!;
    this.children.delete(child);
    this.steps.go(pid, 'end', this.clock.phpSeconds(atMs));
    this.steps.forget(pid);
  }

  private async step(operation: Extract<Operation, {does: 'step'}>): Promise<void> {
    const {worker, order, from, to, execution, refused, died, atMs} = operation;
    const real = this.worker(worker);
    const php = this.clock.phpSeconds(atMs);
    await real.arrives();
    if (worker.site === 'other' && from !== null) return this.endOtherJob(real, operation);
    const upload = this.uploadOf(execution?.entry.payload.upload ?? null);
    if (upload !== null) this.own.upload(upload);
    const before = new Set(this.steps.waitingAt('importing'));
    real.go(order, php);
    if (died) {
      await real.ends();
      this.workers.delete(worker);
    } else if (to === 'child') {
      const child = operation.child!;
      const isNew = (pid: number) => !before.has(pid);
      const pid = await waitFor(
        () => this.steps.waitingAt('importing').find(isNew),
        () => `Worker ${real.pid} starts no import for job ${child.jobId}; it is at: ${real.place}.`,
      );
      this.children.set(child, pid);
      this.noteStart(pid, atMs);
    } else if (to === null) {
      await real.arrives(from !== null || refused ? 'ended' : 'idle');
    } else {
      await real.arrives(placeOf(to, FIRST_ID + execution!.jobId));
    }
  }

  /** The model does the other site's jobs in one step. */
  private async endOtherJob(real: RealWorker, {atMs}: Extract<Operation, {does: 'step'}>): Promise<void> {
    const [, id] = /^grabbed:(\d+)$/.exec(real.place ?? '') ?? [];
    for (let place = real.place; place !== 'ended'; ) {
      real.go('complete', this.clock.phpSeconds(atMs));
      place = await real.arrives();
      if (place === 'idle' || place === 'its end')
        throw new Disagreement(`Worker ${real.pid} is at: ${place}.`);
    }
    await this.other.delete(Number(id) - FIRST_ID);
  }

  private async submit(job: {server: Gearmand; function: string; payload: Payload}): Promise<string> {
    const {site, jobId, name} = job.payload;
    if (site === 'other' && this.world.setup.otherSite !== 'same-prefix')
      await this.other.ensureRow(jobId, name, this.world.clock.nowMs);
    const real = this.realJob(job);
    return submitBackground(this.gearmand(job.server).endpoint, real.function, real.key, real.payload);
  }

  modelId(realId: number): number {
    return realId - FIRST_ID;
  }

  /** The process that opened a connection of the model. */
  realPid(connectionId: string): number | undefined {
    return this.pids.get(Number(/^pid_(\d+)_/.exec(connectionId)?.[1]));
  }

  /** A Gearman job of the model as the real servers have it. */
  realJob({function: name, payload}: {function: string; payload: Payload}) {
    const ofRow = payload.site === 'own' ? this.jobs.get(payload.jobId) : undefined;
    const job = ofRow ?? JOB_CLASSES.find((each) => name.endsWith(`-${each.class}`))!;
    const real = {
      function: this.realFunction(name),
      payload: realPayload({...payload, upload: this.uploadOf(payload.upload)}, job),
    };
    return {...real, key: realKey(real.function, real.payload, job)};
  }

  private uploadOf(upload: string | null): string | null {
    return upload === null ? null : join(this.own.uploads, basename(upload));
  }

  /** The real name of a function of the model, `root#key-class`. */
  realFunction(name: string): string {
    const [, root, key, jobClass] = /^(.*)#(.*)-(\w+)$/.exec(name)!;
    if (`${root}#${key}-` === prefixOf('/srv/other', '')) return this.other.site.functionName(jobClass!);
    return this.own.prefixOf(root!, key!) + jobClass;
  }

  /** Another atomctl holds the jobs that the model's holds, each by a connection of its own, under its lock. */
  private async probe(probe: Probe): Promise<void> {
    const {server, startedMs, connections} = probe;
    const address = parseAddress(this.gearmand(server).endpoint, 'the simulation');
    const seconds = Math.floor(this.clock.real(startedMs) / 1000);
    const options = {...TIMEOUT, clientId: `atomctl-probe-5150a7ed-${seconds}`};
    const lock = await takeLock(address, PROBE_LOCK, options);
    if (lock === null) throw new Disagreement(`The lock of ${server.address} is taken.`);
    const holders: WorkerConnection[] = [];
    this.probes.set(probe, {lock, holders});
    for (const {entry} of connections) {
      const holder = await connectWorker(address, options);
      holders.push(holder);
      const job = await holder.grab([this.realFunction(entry.function)]);
      const expected = FIRST_ID + entry.payload.jobId;
      const found = job && Number(JSON.parse(`${job.payload}`).id);
      if (found !== expected) throw new Disagreement(`A probe got job ${found}; expected: ${expected}.`);
      if (probe.kills !== null && entry === connections[0]!.entry) await holder.fail(job!.handle);
    }
    // Cancelled entries leave when a worker polls.
    const last = await connectWorker(address, options);
    if (await last.grab([this.realFunction(probe.function)]))
      throw new Disagreement(`A probe of ${probe.function} finds more than the model's.`);
    last.close();
  }

  private async endProbe({probe, serverForgot}: Extract<Operation, {does: 'end probe'}>): Promise<void> {
    const {lock, holders} = this.probes.get(probe)!;
    this.probes.delete(probe);
    const {connection: server} = this.gearmand(probe.server);
    for (const [index, holder] of holders.entries()) {
      holder.close();
      if (!server || serverForgot) continue;
      const {key} = this.realJob(probe.connections[index]!.entry);
      // gearmand queues it again a moment later; the order is kept only if this is waited for.
      await waitFor(
        async () => !(await server.statusOfUniqueKeys([key]))[0]!.running || undefined,
        () => `gearmand does not queue a job again that a probe gave back.`,
      );
    }
    await lock?.release();
  }
}
