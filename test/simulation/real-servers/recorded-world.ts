import type {Row} from '../atom-site.ts';
import {EVENTS} from '../events.ts';
import type {Entry, Gearmand, Payload} from '../gearmand.ts';
import type {Execution, ImportChild, Phase, Worker} from '../worker.ts';
import {type Probe, type Setup, World} from '../world.ts';

/** Something that happened in the model and that real parts can do too. */
export type Operation = {atMs: number} & (
  | {does: 'insert row'; row: Row}
  | {does: 'save row'; id: number; status: Row['status']}
  | {does: 'delete row'; id: number}
  | {does: 'submit'; server: Gearmand; function: string; payload: Payload}
  | {does: 'cancel'; server: Gearmand; entry: Entry}
  | {does: 'stop server' | 'start server'; server: Gearmand}
  | {does: 'start worker'; worker: Worker}
  | ({does: 'step'; worker: Worker} & WorkerStep)
  | {does: 'end worker'; worker: Worker; how: 'SIGKILL' | 'SIGKILL of the group' | 'SIGTERM' | 'by itself'}
  | {does: 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'; worker: Worker}
  | {does: 'end child'; child: ImportChild}
  | {does: 'probe'; probe: Probe}
  | {does: 'end probe'; probe: Probe; serverForgot: boolean}
);

/** What a worker does next: see step in worker.ts. */
export interface WorkerStep {
  /** What the job is told to do; the order of workInSteps in test/support/php/job.php. */
  order: string;
  from: Phase | null;
  to: Phase | null;
  /** The job that it has, or had before. */
  execution: Execution | null;
  /** The import that it has started; the execution forgets it as that ends. */
  child: ImportChild | null;
  /** It was assigned a job and failed it at once. */
  refused: boolean;
  /** It asked its servers, all of which it knows as connected, and none had a job. */
  noEffect: boolean;
  died: boolean;
}

type Recorded<T = Operation> = T extends unknown ? Omit<T, 'atMs'> : never;

/** As the model's worker decides in the phase `working`. */
function orderOf({job}: Execution, choice: number, linesBefore: number): string {
  if (job?.verbose && linesBefore === 1) return 'fill';
  if (choice % 5 < 2) return 'log';
  if (choice % 5 === 4) return choice % 2 === 0 ? 'throw' : 'fail';
  return job?.fault === 'forgets' ? 'forget' : 'complete';
}

/** The model, which notes what happens in it, in order. */
export class RecordedWorld extends World {
  private operations: Operation[] | undefined;
  private signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL';
  /** What is done by a worker or its import, and not to it. */
  private inStep = false;
  private byItself = false;

  constructor(setup: Setup) {
    super(setup);
    this.operations = [];
    for (const server of this.servers) this.watchServer(server);
    this.watchRows();
  }

  /** What happened since the last call; of polls without effect that follow each other, one for each worker. */
  take(): Operation[] {
    const taken: Operation[] = [];
    let polls = new Map<Worker, Operation>();
    for (const operation of this.operations!) {
      if (operation.does === 'step' && operation.noEffect) {
        polls.set(operation.worker, operation);
        continue;
      }
      taken.push(...polls.values(), operation);
      polls = new Map();
    }
    this.operations = [];
    return [...taken, ...polls.values()];
  }

  /** An event of the model; null if it could not happen. */
  happen(kind: string, a: number, b: number): string | null {
    const before = new Map(this.workers.map((worker) => [worker, {...worker}]));
    const probes = new Set(this.probes);
    this.signal = kind === 'terminateWorker' ? 'SIGTERM' : 'SIGKILL';
    const said = EVENTS[kind]!.happens(this, a, b);
    for (const worker of this.workers) {
      const was = before.get(worker);
      if (was && !was.hung && worker.hung) this.record({does: 'SIGSTOP', worker});
      if (was && was.endsAfterChild !== worker.endsAfterChild) this.record({does: 'SIGTERM', worker});
    }
    for (const probe of this.probes) if (!probes.has(probe)) this.record({does: 'probe', probe});
    return said;
  }

  override stepWorker(worker: Worker, choice: number): string | null {
    const before = worker.execution;
    const from = before?.phase ?? null;
    const linesBefore = before?.lines ?? 0;
    const lost = worker.retryAtMs.size;
    this.inStep = true;
    const said = super.stepWorker(worker, choice);
    this.inStep = false;
    if (worker.hung || from === 'child') return said;
    const to = worker.execution?.phase ?? null;
    const died = !this.workers.includes(worker);
    this.record({
      does: 'step',
      worker,
      order: from === 'working' ? orderOf(before!, choice, linesBefore) : 'go',
      from,
      to,
      execution: worker.execution ?? before,
      child: worker.execution?.child ?? null,
      noEffect: from === null && said === null && lost === 0 && worker.retryAtMs.size === 0,
      refused: said?.includes('fails it at once') ?? false,
      died,
    });
    return said;
  }

  override startWorker(...of: Parameters<World['startWorker']>): string | null {
    const said = super.startWorker(...of);
    if (said !== null) this.record({does: 'start worker', worker: this.workers.at(-1)!});
    return said;
  }

  override endWorker(worker: Worker, withChild: boolean): void {
    super.endWorker(worker, withChild);
    if (this.inStep) return;
    const killed = withChild ? 'SIGKILL of the group' : this.signal;
    this.record({does: 'end worker', worker, how: this.byItself ? 'by itself' : killed});
  }

  override endChild(child: ImportChild): void {
    this.record({does: 'end child', child});
    this.byItself = true;
    super.endChild(child);
    this.byItself = false;
  }

  override goOn(worker: Worker): void {
    this.record({does: 'SIGCONT', worker});
    this.byItself = true;
    super.goOn(worker);
    this.byItself = false;
  }

  override endProbe(probe: Probe): void {
    const serverForgot = probe.connections.some(({connection}) => connection.broken);
    super.endProbe(probe);
    this.record({does: 'end probe', probe, serverForgot});
  }

  private record(operation: Recorded): void {
    this.operations?.push({atMs: this.clock.nowMs, ...operation} as Operation);
  }

  private watchServer(server: Gearmand): void {
    const {submit, cancel, stop, start} = server;
    server.submit = (name, key, payload) => {
      this.record({does: 'submit', server, function: name, payload});
      return submit.call(server, name, key, payload);
    };
    server.cancel = (entry) => {
      this.record({does: 'cancel', server, entry});
      cancel.call(server, entry);
    };
    server.stop = () => {
      this.record({does: 'stop server', server});
      stop.call(server);
    };
    server.start = (nowMs) => {
      this.record({does: 'start server', server});
      start.call(server, nowMs);
    };
  }

  private watchRows(): void {
    const {own} = this;
    const {insert, save} = own;
    own.insert = (...of) => {
      const row = insert.apply(own, of);
      this.record({does: 'insert row', row});
      return row;
    };
    own.save = (id, status) => {
      if (!this.inStep && own.rows.has(id)) this.record({does: 'save row', id, status});
      save.call(own, id, status);
    };
    own.rows.delete = (id) => {
      this.record({does: 'delete row', id});
      return Map.prototype.delete.call(own.rows, id);
    };
    own.rows.clear = () => {
      for (const id of [...own.rows.keys()]) own.rows.delete(id);
    };
  }
}
