import {afterAll, afterEach, beforeAll} from 'vitest';
import {logOf} from './live.ts';
import {
  freePort,
  type GearmanProcess,
  type SubmittedJob,
  startGearmand,
  startWorker,
  until,
  type WorkerProcess,
} from './sandbox.ts';
import type {AtomSiteOptions} from './site/atom-site.ts';
import {createQueueSiteOn, executeJob, type QueueSite, takeAll} from './site/queue-site.ts';

/** A site on a gearmand of its own that can be restarted, with workers that end with each test. */
export class LiveRig {
  at!: QueueSite;
  #gearmand!: GearmanProcess;
  readonly #workers: WorkerProcess[] = [];

  get site() {
    return this.at.site;
  }

  get gearmand(): GearmanProcess {
    return this.#gearmand;
  }

  async open(options: AtomSiteOptions): Promise<void> {
    this.#gearmand = await startGearmand([], {port: await freePort()});
    this.at = await createQueueSiteOn([this.#gearmand], options);
  }

  async close(): Promise<void> {
    await this.at.drop();
    await this.#gearmand.kill();
  }

  /** gearmand dies with its queue in memory and comes back on the same port. */
  async restartGearmand(): Promise<void> {
    await this.#gearmand.kill();
    this.#gearmand = await startGearmand([], {port: this.#gearmand.address.port});
  }

  async start(...args: string[]): Promise<WorkerProcess> {
    const worker = await startWorker(this.site, args);
    this.#workers.push(worker);
    return worker;
  }

  /** A job of ten minutes, and a worker for its class that executes it. */
  async execute(jobClass?: string) {
    const job = await executeJob(this.site, jobClass);
    this.#workers.push(job.worker);
    return job;
  }

  /** Waits until a worker has logged a message for the job. */
  async logged({id}: Pick<SubmittedJob, 'id'>, message: string): Promise<void> {
    await until(async () => (await logOf(this.site, id)).includes(message));
  }

  /** Ends what the test left: workers with their children, jobs, rows. */
  async clean(): Promise<void> {
    for (const worker of this.#workers.splice(0)) {
      worker.killGroup();
      await worker.ended;
    }
    const functions = (await this.at.server.status()).filter((row) => !row.function.startsWith('atomctl-'));
    for (const {function: name, total} of functions) {
      if (total === 0) continue;
      await until(async () => {
        const row = (await this.at.server.status()).find((each) => each.function === name);
        return (row?.running ?? 0) === 0;
      });
      await takeAll(this.site, name);
    }
    await this.site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
  }
}

/** One rig for the tests of a file or of a `describe`. */
export function useLiveRig(options: AtomSiteOptions = {}): LiveRig {
  const rig = new LiveRig();
  beforeAll(() => rig.open(options));
  afterEach(() => rig.clean());
  afterAll(() => rig.close());
  return rig;
}
