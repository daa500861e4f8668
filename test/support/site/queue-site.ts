import {createSiteTime} from '../../../src/atom/site-time.ts';
import {parseAddress} from '../../../src/gearman/address.ts';
import {connectServers, type GearmanServer} from '../../../src/gearman/server.ts';
import {connectWorker, type WorkerConnection} from '../../../src/gearman/worker-connection.ts';
import type {NamedJob, WorkerControl, WorkerStop} from '../../../src/jobs/model/worker-control.ts';
import {connectDatabase} from '../../../src/mysql/connect.ts';
import {readPayload} from '../../../src/queue/payload.ts';
import {NO_WAIT, quietFacts} from '../quiet-host.ts';
import {
  type AtomSite,
  type AtomSiteOptions,
  createSite,
  type GearmanProcess,
  startWorker,
  submitBackground,
  submitJob,
  until,
  type WorkerProcess,
} from '../sandbox.ts';

const TIMEOUT = {timeoutSeconds: 2};

/** A site on Gearman servers of its own, with what atomctl's functions need to look at it. */
export type QueueSite = Awaited<ReturnType<typeof createQueueSiteOn>>;

/** Connections of their own to a site's database and servers, as each atomctl has, and what else it knows. */
export async function sourcesOf(site: AtomSite) {
  const database = await connectDatabase(site.config, {timeoutSeconds: 5});
  const addresses = site.gearman.map((text) => parseAddress(text, 'the test'));
  const servers = await connectServers(addresses, TIMEOUT);
  const sources = {
    ...TIMEOUT,
    database,
    servers,
    time: createSiteTime(site.timezone, process.env),
    now: () => new Date(),
    ...quietFacts(site.prefix),
    wait: NO_WAIT,
  };
  async function close(): Promise<void> {
    for (const connection of servers) if ('server' in connection) connection.server.close();
    await database.close();
  }
  return {sources, close};
}

/** After a test: no worker runs, nothing waits in the queue, and the site has no jobs. Leaves `workers` empty. */
export async function emptyQueueSite(at: QueueSite, workers: WorkerProcess[]): Promise<void> {
  await Promise.all(workers.splice(0).map((worker) => worker.kill()));
  await until(async () => (await at.server.status()).every(({running}) => running === 0));
  await handedOut(at.site);
  await at.site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
}

/** Submits jobs that no worker takes: their ids in the order of the queue. */
export async function submitJobs(
  {site}: Pick<QueueSite, 'site'>,
  count: number,
  jobClass = 'arFindingAidJob',
): Promise<number[]> {
  const ids: number[] = [];
  while (ids.length < count) ids.push((await submitJob(site, {jobClass})).id);
  return ids;
}

/** Starts nothing: the servers run already. */
export function createQueueSite(...gearmands: Pick<GearmanProcess, 'endpoint'>[]) {
  return createQueueSiteOn(gearmands);
}

/** The same for a site with options of its own. */
export async function createQueueSiteOn(
  gearmands: readonly Pick<GearmanProcess, 'endpoint'>[],
  options: AtomSiteOptions = {},
) {
  const site = await createSite({...options, gearman: gearmands.map(({endpoint}) => endpoint)});
  const {sources, close} = await sourcesOf(site);
  const [server] = sources.servers.flatMap((connection) => ('server' in connection ? connection.server : []));
  return {
    site,
    sources,
    /** The first server, to ask it what it has. */
    server: server!,
    async drop() {
      await close();
      await site.drop();
    },
  };
}

/** A job that takes ten minutes, and a worker for its class that has begun to execute it. */
export async function executeJob(
  site: AtomSite,
  jobClass = 'arFindingAidJob',
): Promise<{id: number; unique: string; worker: WorkerProcess}> {
  const {id, unique} = await submitJob(site, {jobClass, work: {seconds: 600}});
  const worker = await startWorker(site, [`--abilities=${jobClass}`]);
  await until(async () => {
    const [row] = await site.query<{output: string | null}>('SELECT output FROM job WHERE id = ?', [id]);
    return row?.output?.includes('Parameters:') === true;
  });
  return {id, unique, worker};
}

/** Kills a worker and waits until gearmand has queued its job again. */
export async function crash(worker: WorkerProcess, unique: string, server: GearmanServer): Promise<void> {
  await worker.kill();
  await until(async () => (await server.statusOfUniqueKeys([unique]))[0]!.running === false);
}

/** Leaves a cancelled entry of another class in the server until a worker polls. */
export async function cancelOther(at: Pick<QueueSite, 'site' | 'server'>): Promise<void> {
  const name = at.site.functionName('arValidateCsvJob');
  await at.server.cancel(await submitBackground(at.site.gearman[0]!, name, 'cancelled', '{}'));
}

/** A row whose job no server knows; `parameters` if it has started once, which get the id of the row. */
export async function insertLost(site: AtomSite, parameters?: string): Promise<number> {
  const id = await site.insertJob({name: 'arFindingAidJob', status: 'running'});
  if (parameters === undefined) return id;
  const line = (message: string) => `[info] [2026-03-04 13:05:01] Job ${id} "arFindingAidJob": ${message}\n`;
  const own = parameters.replace(/"id":("?)\d+/, `"id":$1${id}`);
  const output = line('Job started.') + line(`Parameters: ${own}`);
  await site.query('UPDATE job SET output = ? WHERE id = ?', [output, id]);
  return id;
}

/** A row that a worker began on 2026-03-04 and of which no server knows; without parameters, as up to AtoM 2.6. */
export async function insertBegun(
  site: AtomSite,
  {name = 'arFindingAidJob', messages = []}: {name?: string; messages?: readonly string[]} = {},
): Promise<number> {
  const id = await site.insertJob({name, status: 'running'});
  const lines = ['Job started.', ...messages].map((message) => {
    const [level, text] = message.startsWith('[err] ') ? ['err', message.slice(6)] : ['info', message];
    return `[${level}] [2026-03-04 13:05:01] Job ${id} "${name}": ${text}\n`;
  });
  await site.query('UPDATE job SET output = ? WHERE id = ?', [lines.join(''), id]);
  return id;
}

/** Takes everything that waits, as a worker would: the ids in the order in which they are handed out. */
export function handedOut(site: AtomSite, jobClass = 'arFindingAidJob'): Promise<(number | null)[]> {
  return takeAll(site, site.functionName(jobClass));
}

/** The same for any function. */
export async function takeAll(site: AtomSite, name: string): Promise<(number | null)[]> {
  const worker: WorkerConnection = await connectWorker(parseAddress(site.gearman[0]!, 'the test'), TIMEOUT);
  const ids: (number | null)[] = [];
  for (let job = await worker.grab([name]); job; job = await worker.grab([name])) {
    ids.push(readPayload(job.payload).jobId);
    await worker.complete(job.handle);
  }
  worker.close();
  return ids;
}

/** A worker under test, and which calls it got. */
export interface StoppableWorker extends WorkerControl {
  worker: WorkerProcess;
  calls: string[];
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Workers that stop and start together and interrupt these other jobs. */
export function asControl(
  {stop, start}: Pick<WorkerStop, 'stop' | 'start'>,
  interrupts: readonly NamedJob[] = [],
): WorkerControl {
  return {workersOf: async () => ({stop, start, interrupts})};
}

/**
 * A worker with a job that ends while it is found out which worker has it; by then it executes another.
 * @param asked which time the workers are asked for it is: a kill asks for its plan, too
 * @returns the two jobs, and a control whose `calls` stay empty if the worker is left alone
 */
export async function endsMeanwhile(at: QueueSite, asked: number) {
  const {id: ending} = await submitJob(at.site, {jobClass: 'arFindingAidJob', work: {seconds: 3}});
  const worker = await startWorker(at.site, ['--abilities=arFindingAidJob']);
  await until(() => worker.started().includes(ending));
  const {id: next} = await submitJob(at.site, {jobClass: 'arFindingAidJob', work: {seconds: 600}});
  const control = controlOf(at, worker);
  let times = 0;
  const workersOf: WorkerControl['workersOf'] = async (ids, executing, options) => {
    times += 1;
    if (times === asked) await until(() => worker.started().includes(next));
    return control.workersOf(ids, executing, options);
  };
  return {ending, next, worker, calls: control.calls, control: {workersOf}};
}

/** What systemd is elsewhere: stops a worker's process and starts another, each verified at the server. */
export function controlOf(
  {site, server}: Pick<QueueSite, 'site' | 'server'>,
  worker: WorkerProcess,
  args: readonly string[] = [],
): StoppableWorker {
  const isConnected = async () =>
    (await server.connections()).some(({functions}) =>
      functions.some((name) => name.startsWith(site.prefix)),
    );
  return {
    worker,
    calls: [],
    async stop() {
      this.calls.push('stop');
      await this.worker.stop();
      await until(async () => !(await isConnected()));
    },
    async start() {
      this.calls.push('start');
      this.worker = await startWorker(site, args);
    },
    workersOf() {
      return asControl({stop: () => this.stop(), start: () => this.start()}).workersOf(new Set(), [], {
        goBack: true,
      });
    },
  };
}
