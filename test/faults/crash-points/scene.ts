import {createHash} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {connectServer} from '../../../src/gearman/server.ts';
import {connectWorker, type WorkerConnection} from '../../../src/gearman/worker-connection.ts';
import {readPayload} from '../../../src/queue/payload.ts';
import {uniqueKey} from '../../../src/queue/unique-key.ts';
import {createScratch} from '../../support/scratch.ts';
import {connectGearman, TYPE} from '../../support/servers/gearman-wire.mjs';
import {type GearmanProcess, startGearmand} from '../../support/servers/gearmand.ts';
import type {MariadbConnection} from '../../support/servers/mariadb.ts';
import {submitJob} from '../../support/servers/submit-job.ts';
import {type AtomSite, createAtomSite} from '../../support/site/atom-site.ts';
import {until} from '../../support/until.ts';
import {startWorker} from '../../support/workers/worker.ts';
import {createUnit, type Unit} from './unit.ts';
import {type WatchedServers, watchServers} from './watched-servers.ts';

const PLAIN = 'arFindingAidJob';
/** AtoM runs its jobs one at a time, oldest first. */
const SERIAL = 'arFileImportJob';
/** The one that the site's worker can do; only the job `executing` is of this class. */
const EXECUTED = 'arGenerateReportJob';
const CLASSES = [PLAIN, SERIAL, EXECUTED];
const TIMEOUT = {timeoutSeconds: 20};

/** What is true of a job before the command. */
export interface SceneJob {
  /** Its row; a job of another site or without a row has none. */
  id: number;
  label: string;
  function: string;
  /** Its name at the server; null if Gearman does not have it. */
  handle: string | null;
  hasRow: boolean;
}

export interface Row {
  id: number;
  status_id: number;
  notes: number;
  completed_at: string | null;
}

/** What the servers have: the rows by id, and the handles of the jobs that wait or execute. */
export interface Observation {
  rows: Map<number, Row>;
  queue: Set<string>;
  orphans: number;
}

export interface SceneOptions {
  /** A worker is connected and executes the job `executing`. */
  worker: boolean;
  /** A job in Gearman that no row has. */
  surplus: boolean;
  /** An object whose job row was deleted. */
  orphan: boolean;
  /** A failed and a lost job of the class that the worker can do. */
  repeatable: boolean;
}

/** A site, another site on the same gearmand, and the ways to its servers; every scene is set up on it anew. */
export interface Stage {
  site: AtomSite;
  servers: WatchedServers;
  /** For the command. */
  env: Record<string, string>;
  setUp(options: SceneOptions): Promise<SceneJob[]>;
  observe(): Promise<Observation>;
  /** Once the command has ended: what it left behind is gone, as if a little time had passed. */
  settle(): Promise<void>;
  /** Makes every log as old as the scene. */
  letLogsAge(): Promise<void>;
  /** Takes all that waits as a worker would: ids by function, in the order in which they are handed out. */
  drain(): Promise<Map<string, number[]>>;
  /** Whether the worker is connected. */
  hasWorker(): boolean;
  close(): Promise<void>;
}

export async function createStage(mariadb: MariadbConnection): Promise<Stage> {
  const gearmand = await startGearmand();
  const servers = await watchServers({mysql: mariadb.port, gearman: gearmand.address.port});
  const workerTypes = {general: CLASSES};
  const site = await createAtomSite(mariadb, {gearman: [`127.0.0.1:${servers.gearmanPort}`], workerTypes});
  const other = await createAtomSite(mariadb, {gearman: [gearmand.endpoint]});
  const server = await connectServer(gearmand.address, TIMEOUT);
  const scratch = createScratch('crash-points');
  const config = join(scratch, 'config.yml');
  const url = site.databaseUrl.replace(`:${mariadb.port}/`, `:${servers.mysqlPort}/`);
  // What listens on the way to gearmand is not gearmand's process: only this says that no worker runs elsewhere.
  const ours = `  ours:\n    root: ${site.root}\n    database: ${url}\n    workers: this-host\n`;
  writeFileSync(config, `sites:\n${ours}  other:\n    root: ${other.root}\n`, {mode: 0o600});
  const direct = {...site, gearman: [gearmand.endpoint]};
  const unit = createUnit({
    scratch,
    root: site.root,
    ability: EXECUTED,
    startWorker: () => startWorker(direct, [`--abilities=${EXECUTED}`]),
  });
  const functions = [...CLASSES.map(site.functionName), other.functionName(PLAIN)];

  /** The handle of the job that the worker executes. */
  let executing: string | null = null;
  const isAlone = async () => (await server.status()).reduce((sum, {running}) => sum + running, 0) === 1;

  async function settle(): Promise<void> {
    const left = await site.query<{id: number}>(
      'SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()',
    );
    for (const {id} of left) await site.query('KILL ?', [id]).catch(() => {});
    await until(
      async () =>
        (await site.query('SELECT id FROM information_schema.processlist WHERE db = DATABASE()')).length ===
        1,
    );
    const isIdle = async () => (await server.status()).every(({running}) => running === 0);
    const isBusy = async () => (await server.statusOfHandles([executing ?? '']))[0]!.running;
    await until(async () => (await isIdle()) || (unit.isRunning() && (await isBusy()) && (await isAlone())));
  }

  return {
    site,
    servers,
    env: {
      ATOMCTL_SITE: 'ours',
      ATOMCTL_CONFIG: config,
      PATH: unit.path,
    },
    settle,
    hasWorker: unit.isRunning,
    async setUp(options) {
      await unit.stop();
      await settle();
      await takeAll(gearmand, functions);
      await site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
      const jobs = await new SceneBuilder(site, other, gearmand).build(options, unit);
      executing = jobs.find(({label}) => label === 'executing')?.handle ?? null;
      return jobs;
    },
    async observe() {
      const rows = await site.query<Row>(
        'SELECT id, status_id, completed_at, (SELECT COUNT(*) FROM note WHERE note.object_id = job.id) AS notes FROM job',
      );
      const [orphans] = await site.query<{count: number}>(
        "SELECT COUNT(*) AS count FROM object LEFT JOIN job USING (id) WHERE class_name = 'QubitJob' AND job.id IS NULL",
      );
      const jobs = (await server.jobs()).filter(({ignored}) => !ignored);
      return {
        rows: new Map(rows.map((row) => [row.id, row])),
        queue: new Set(jobs.map(({handle}) => handle)),
        orphans: orphans!.count,
      };
    },
    async letLogsAge() {
      await site.query(
        "UPDATE job SET output = REGEXP_REPLACE(output, '[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}', '2026-03-04 13:05:01')",
      );
    },
    async drain() {
      await unit.stop();
      await settle();
      return takeAll(gearmand, functions);
    },
    async close() {
      await unit.close();
      server.close();
      await servers.close();
      await Promise.all([site.drop(), other.drop()]);
      await gearmand.kill();
    },
  };
}

async function takeAll(
  {address}: GearmanProcess,
  functions: readonly string[],
): Promise<Map<string, number[]>> {
  const worker: WorkerConnection = await connectWorker(address, TIMEOUT);
  const taken = new Map<string, number[]>(functions.map((name) => [name, []]));
  for (;;) {
    const jobs = await worker.grabMany(functions, 50);
    for (const job of jobs) {
      taken.get(job.function)!.push(readPayload(job.payload).jobId ?? 0);
      await worker.complete(job.handle);
    }
    if (jobs.length < 50) break;
  }
  worker.close();
  return taken;
}

class SceneBuilder {
  readonly #site: AtomSite;
  readonly #other: AtomSite;
  readonly #gearmand: GearmanProcess;
  readonly #jobs: SceneJob[] = [];

  constructor(site: AtomSite, other: AtomSite, gearmand: GearmanProcess) {
    this.#site = site;
    this.#other = other;
    this.#gearmand = gearmand;
  }

  async build({worker, surplus, orphan, repeatable}: SceneOptions, unit: Unit): Promise<SceneJob[]> {
    const connection = await connectGearman(this.#gearmand.endpoint);
    const submit = async (name: string, unique: string, payload: string): Promise<string> => {
      connection.send(TYPE.SUBMIT_JOB_BG, name, unique, payload);
      return (await connection.receive())!.fields[0]!;
    };
    const add = async (label: string, jobClass: string, ...has: ('log' | 'finished' | 'waits')[]) => {
      const id = await this.#site.insertJob({name: jobClass, status: 'running'});
      const payload = JSON.stringify({objectId: '512', name: jobClass, id: String(id)});
      const line = (message: string) => `[info] [2026-03-04 13:05:01] Job ${id} "${jobClass}": ${message}\n`;
      const messages = [
        'Job started.',
        `Parameters: ${payload}`,
        ...(has.includes('finished') ? ['Job finished.'] : []),
      ];
      if (has.includes('log'))
        await this.#site.query('UPDATE job SET output = ? WHERE id = ?', [messages.map(line).join(''), id]);
      const name = this.#site.functionName(jobClass);
      const handle = has.includes('waits') ? await submit(name, uniqueKey(name, payload)!, payload) : null;
      this.#jobs.push({id, label, function: name, handle, hasRow: true});
      return id;
    };
    if (worker) {
      const server = this.#gearmand.endpoint;
      const {id, handle} = await submitJob(this.#site, {jobClass: EXECUTED, work: {seconds: 600}, server});
      this.#jobs.push({
        id,
        label: 'executing',
        function: this.#site.functionName(EXECUTED),
        handle,
        hasRow: true,
      });
      await unit.start();
      const hasBegun = "SELECT id FROM job WHERE id = ? AND output LIKE '%Parameters:%'";
      await until(async () => (await this.#site.query(hasBegun, [id])).length === 1);
    }
    if (repeatable) {
      await add('lost report', EXECUTED, 'log');
      const failed = await add('failed', EXECUTED, 'log', 'finished');
      await this.#site.query('UPDATE job SET status_id = 185, completed_at = NOW() WHERE id = ?', [failed]);
    }
    await add('ended', PLAIN);
    await this.#site.query('UPDATE job SET status_id = 184, completed_at = NOW() WHERE id = ?', [
      this.#jobs.at(-1)!.id,
    ]);
    await add('lost', PLAIN, 'log');
    await add('finished', PLAIN, 'log', 'finished');
    await add('plain 1', PLAIN, 'waits');
    await add('plain begun', PLAIN, 'log', 'waits');
    await add('serial 1', SERIAL, 'waits');
    const never = await add('plain never begun', PLAIN, 'waits');
    await add('serial begun', SERIAL, 'log', 'waits');
    await add('serial never begun', SERIAL, 'waits');
    await add('plain last', PLAIN, 'waits');
    // Another site's jobs have the same ids.
    for (const id of [never, never + 1, never + 2]) {
      const name = this.#other.functionName(PLAIN);
      const payload = JSON.stringify({name: PLAIN, id: String(id)});
      const handle = await submit(name, createHash('md5').update(payload).digest('hex'), payload);
      this.#jobs.push({id, label: `other site's ${id}`, function: name, handle, hasRow: false});
    }
    if (surplus) {
      const name = this.#site.functionName(PLAIN);
      const handle = await submit(name, 'surplus', JSON.stringify({name: PLAIN, id: '999999'}));
      this.#jobs.push({id: 999_999, label: 'surplus', function: name, handle, hasRow: false});
    }
    if (orphan) {
      await this.#site.query(
        "INSERT INTO object (class_name, created_at, updated_at) VALUES ('QubitJob', '2026-03-04', '2026-03-04')",
      );
    }
    connection.close();
    return this.#jobs;
  }
}
