import {once} from 'node:events';
import {join} from 'node:path';
import {type GroupProcess, spawnGroup} from '../../support/servers/server-process.ts';
import type {Phase} from '../worker.ts';
import type {StepSocket} from './step-socket.ts';
import {Disagreement, waitFor} from './wait-for.ts';

/** Where the worker of the sandbox waits before its next step; `null` is a worker without a job. */
const PLACES: Record<Exclude<Phase, 'child'>, string> = {
  grabbed: 'grabbed',
  started: 'started',
  waits: 'waits',
  working: 'working',
  saved: 'saved',
  failed: 'ends',
  finished: 'ends',
};

/** A worker process of the sandbox that is led step by step. */
export class RealWorker {
  private constructor(
    private readonly process: GroupProcess,
    private readonly steps: StepSocket,
  ) {}

  /** Starts one; resolves when it waits to be told the time. */
  static async start(root: string, steps: StepSocket): Promise<RealWorker> {
    const process_ = spawnGroup('php', ['symfony', 'jobs:worker'], {
      cwd: root,
      outputFile: join(root, 'sandbox/output'),
      env: {...process.env, SANDBOX_STEPS: steps.path, SANDBOX_CONNECT_SECONDS: '0.01'},
    });
    const worker = new RealWorker(process_, steps);
    await worker.arrives('starts');
    return worker;
  }

  get pid(): number {
    return this.process.pid;
  }

  /** Lets it go on; resolves when it has arrived where the model's worker is. */
  async step(what: string, to: string, phpSeconds: number): Promise<void> {
    this.steps.go(this.pid, what, phpSeconds);
    await this.arrives(to);
  }

  go(what: string, phpSeconds: number): void {
    this.steps.go(this.pid, what, phpSeconds);
  }

  get place(): string | undefined {
    return this.steps.placeOf(this.pid);
  }

  /** @throws Disagreement if it waits elsewhere, or ends */
  async arrives(expected?: string): Promise<string> {
    const place = await waitFor(
      () => this.place ?? (this.process.exited() ? 'its end' : undefined),
      () => `Worker ${this.pid} does not go on; expected at: ${expected}.`,
      (again) =>
        Promise.race([once(this.steps.arrivals, String(this.pid), {signal: again}), this.process.ended]),
    );
    if (expected !== undefined && place !== expected)
      throw new Disagreement(`Worker ${this.pid} is at: ${place}; expected: ${expected}. ${this.lastWords}`);
    return place;
  }

  private get lastWords(): string {
    return this.process.exited() ? this.process.output().trimEnd().split('\n').slice(-3).join(' / ') : '';
  }

  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    process.kill(this.pid, name);
  }

  async ends(): Promise<void> {
    await waitFor(
      () => this.process.exited() || undefined,
      () => `Worker ${this.pid} does not end; it is at: ${this.place ?? 'work'}.`,
    );
    this.steps.forget(this.pid);
  }

  async kill({group}: {group: boolean}): Promise<void> {
    if (group) this.process.killGroup();
    else void this.process.kill();
    await this.ends();
  }

  /** Whatever is left of it and its children. */
  killGroup(): void {
    this.process.killGroup();
  }
}

export function placeOf(phase: Exclude<Phase, 'child'>, realId: number): string {
  return phase === 'grabbed' ? `grabbed:${realId}` : PLACES[phase];
}
