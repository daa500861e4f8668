import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {createSiteTime} from '../../src/atom/site-time.ts';
import {AtomctlError} from '../../src/errors.ts';
import {connectServers} from '../../src/gearman/server.ts';
import {clearSite} from '../../src/jobs/clear/clear.ts';
import {type ClearResult, clearJobs} from '../../src/jobs/clear/clear-rows.ts';
import {planClear} from '../../src/jobs/clear/plan.ts';
import {exportRows} from '../../src/jobs/export/export-csv.ts';
import {type Killed, killJobs} from '../../src/jobs/kill/kill.ts';
import {connectDatabase} from '../../src/mysql/connect.ts';
import type {DatabaseConfig} from '../../src/mysql/database.ts';
import {probeQueue} from '../../src/queue/probe/probe.ts';
import {killAt} from '../support/jobs/kill-site.ts';
import {PLAIN_CLEAR} from '../support/jobs/plain-clear.ts';
import {type GearmanProcess, startGearmand, submitJob, until} from '../support/sandbox.ts';
import {atEachStep} from '../support/servers/breaking-proxy.ts';
import {createQueueSite, handedOut, type QueueSite, submitJobs} from '../support/site/queue-site.ts';
import {everyTable} from '../support/site/whole-site.ts';

const TIMEOUT = {timeoutSeconds: 5};

let gearmand: GearmanProcess;
let at: QueueSite;
let config: DatabaseConfig;
let empty: Record<string, unknown[]>;

beforeAll(async () => {
  gearmand = await startGearmand();
  at = await createQueueSite(gearmand);
  config = at.site.config;
  empty = await everyTable(at.site);
});

beforeEach(() => at.site.query("DELETE FROM object WHERE class_name = 'QubitJob'"));

afterAll(async () => {
  await at?.drop();
  await gearmand?.kill();
});

/** What came of work that may be cut off: its result, or its error, which has to be one of ours. */
async function outcome<T>(work: Promise<T>): Promise<T | AtomctlError> {
  return work.catch((error: unknown) => {
    expect(error).toBeInstanceOf(AtomctlError);
    return error as AtomctlError;
  });
}

const countJobs = async () => (await at.site.query('SELECT id FROM job')).length;

describe.each(['request', 'reply'] as const)('the connection to MySQL is reset at each %s', (kind) => {
  test('of an export: all rows or an error, never fewer rows without one', async () => {
    await at.site.seedJobs(1500);
    const time = createSiteTime('UTC', process.env);
    async function exportAll(port: number): Promise<number> {
      const database = await connectDatabase({...config, port}, TIMEOUT);
      try {
        let count = 0;
        const what = {filter: {}, columns: ['id', 'info'], time, now: new Date(0)} as const;
        for await (const rows of exportRows({...what, database, columns: ['id', 'info']}))
          count += rows.length;
        return count;
      } finally {
        await database.close();
      }
    }
    const steps = await atEachStep(config.port, kind, async (port, _, broken) => {
      const result = await outcome(exportAll(port));
      if (!broken()) expect(result).toBe(1500);
      else expect(result).toMatchObject({exitStatus: 3});
    });
    expect(steps).toBeGreaterThan(4);
  });

  test('of a clear: what it counts is gone, whole, and a second run clears the rest', async () => {
    async function clear(port: number): Promise<ClearResult> {
      const database = await connectDatabase({...config, port}, TIMEOUT);
      try {
        const plan = await planClear({database, filter: {}, inactive: false});
        return await clearJobs({database, plan, ...PLAIN_CLEAR, batchSize: 2}, null);
      } finally {
        await database.close();
      }
    }
    const steps = await atEachStep(config.port, kind, async (port, _, broken) => {
      await at.site.seedJobs(6);
      const result = await outcome(clear(port));
      const gone = 6 - (await countJobs());
      if (result instanceof AtomctlError) expect([gone, result.exitStatus]).toEqual([0, 3]);
      else {
        expect(result.cleared).toBe(gone);
        if (broken() && result.failure !== null) expect(result.failure.exitStatus).toBe(3);
        else expect([result.cleared, result.failure]).toEqual([6, null]);
      }
      expect(await clear(config.port)).toMatchObject({cleared: 6 - gone, failure: null});
      expect(await everyTable(at.site)).toEqual(empty);
    });
    expect(steps).toBeGreaterThan(15);
  });

  test.each<[string, () => Promise<number>, RegExp]>([
    [
      'a lost job',
      () => at.site.insertJob({status: 'running'}),
      /was lost\..* Run the same command again to complete this\.$/,
    ],
    [
      'a queued job',
      async () => (await submitJob(at.site)).id,
      /is out of Gearman .* was lost\..* Run the same command again to complete this\.$/,
    ],
  ])(
    'of a kill of %s: the row is changed whole or not at all, and a second run completes it',
    async (_job, insert, refusal) => {
      async function kill(port: number, id: number) {
        const database = await connectDatabase({...config, port}, TIMEOUT);
        try {
          const options = {
            deleteRows: false,
            force: false,
            reason: null,
            by: 'a test',
            culture: 'en',
            worker: null,
            mayInterrupt: new Set<number>(),
            firstSeen: new Map<number, number>(),
          };
          const {signal} = new AbortController();
          return await killJobs({...at.sources, ...options, database, ids: [id], signal}, null);
        } finally {
          await database.close();
        }
      }
      const steps = await atEachStep(config.port, kind, async (port, _, broken) => {
        const id = await insert();
        const result = await outcome(kill(port, id));
        const [row] = await at.site.query(
          `SELECT status_id, completed_at IS NOT NULL AS ended,
           (SELECT COUNT(*) FROM note JOIN note_i18n USING (id) WHERE object_id = job.id) AS notes
         FROM job WHERE id = ?`,
          [id],
        );
        const whole = {status_id: 185, ended: 1, notes: 1};
        expect([whole, {status_id: 183, ended: 0, notes: 0}]).toContainEqual(row);
        if (result instanceof AtomctlError) expect([row.status_id, result.exitStatus]).toEqual([183, 3]);
        else {
          const [{action, message}] = result.killed as [Killed];
          if (action === 'marked') expect(row).toEqual(whole);
          else expect(message).toMatch(refusal);
          if (!broken()) expect(action).toBe('marked');
        }
        const {
          killed: [again],
        } = await kill(config.port, id);
        expect(again!.action).toBe(row.status_id === 183 ? 'marked' : 'refused');
        expect(await at.site.query('SELECT status_id FROM job WHERE id = ?', [id])).toEqual([
          {status_id: 185},
        ]);
        expect(await handedOut(at.site)).toEqual([]);
      });
      expect(steps).toBeGreaterThan(8);
    },
  );
});

describe.each(['request', 'reply'] as const)('the connection to Gearman is reset at each %s', (kind) => {
  test('of a clear: no job of a cleared row is left in the queue, and no other job is lost', async () => {
    const steps = await atEachStep(gearmand.address.port, kind, async (port) => {
      await submitJobs(at, 3);
      const kept = await submitJobs(at, 2, 'arFileImportJob');
      const servers = await connectServers([{host: '127.0.0.1', port}], TIMEOUT);
      const {database} = at.sources;
      const plan = await planClear({database, filter: {names: ['arFindingAidJob']}, inactive: false});
      const result = await clearSite({
        ...{database, plan, ...PLAIN_CLEAR, batchSize: 2, allQueued: false, worker: null},
        queue: {...at.sources, servers},
        mayInterrupt: new Set(),
      });
      expect([result.cleared, result.failure, result.queueIncomplete]).toEqual([3, null, false]);
      for (const connection of servers) if ('server' in connection) connection.server.close();
      await until(async () => (await at.server.status()).every(({running}) => running === 0));
      expect(await handedOut(at.site)).toEqual([]);
      expect(await handedOut(at.site, 'arFileImportJob')).toEqual(kept);
      await at.site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
    });
    expect(steps).toBeGreaterThan(30);
  });

  test.each([
    ['has begun, by its key', () => '2026-03-04 13:05:01'],
    // No job with such a log is called lost: a worker that nobody sees might have it.
    ['began a moment ago, by its key', () => at.sources.time.toWall(new Date())],
    ['never began, by its payload', null],
  ])(
    'of a kill of a queued job that %s: refused means untouched, and a second run completes it',
    async (_how, begunAt) => {
      const kill = async (port: number, id: number) => {
        const servers = await connectServers([{host: '127.0.0.1', port}], TIMEOUT);
        try {
          return await killAt({...at, sources: {...at.sources, servers}}, [id]);
        } finally {
          for (const connection of servers) if ('server' in connection) connection.server.close();
        }
      };
      const steps = await atEachStep(gearmand.address.port, kind, async (port) => {
        // The logged parameters of this class show the key exactly.
        const job = await submitJob(at.site, {parameters: {objectId: '512'}});
        const [other] = await submitJobs(at, 1);
        const log = async (wall: string) => {
          const line = `[info] [${wall}] Job ${job.id} "arFindingAidJob": `;
          const output = `${line}Job started.\n${line}Parameters: ${job.payload}\n`;
          await at.site.query('UPDATE job SET output = ? WHERE id = ?', [output, job.id]);
        };
        if (begunAt !== null) await log(begunAt());
        const {first} = await kill(port, job.id);
        const waits = (await at.server.jobs()).some(({handle, ignored}) => handle === job.handle && !ignored);
        const [row] = await at.site.query('SELECT status_id FROM job WHERE id = ?', [job.id]);
        if (first.action === 'marked') expect([waits, row]).toEqual([false, {status_id: 185}]);
        else if (first.action === 'refused')
          expect([waits, row, first.message]).toEqual([true, {status_id: 183}, expect.anything()]);
        if (begunAt !== null) await log('2026-03-04 13:05:01');
        await kill(gearmand.address.port, job.id);
        const [after] = await at.site.query('SELECT status_id FROM job WHERE id = ?', [job.id]);
        expect([after, await handedOut(at.site)]).toEqual([{status_id: 185}, [other]]);
      });
      expect(steps).toBeGreaterThan(10);
    },
  );

  test('of a probe that takes one job out: no other job is lost, and a second probe completes it', async () => {
    const name = at.site.functionName('arFindingAidJob');
    const steps = await atEachStep(gearmand.address.port, kind, async (port, _, broken) => {
      const ids: number[] = [];
      const uniques: string[] = [];
      for (let count = 0; count < 3; count++) {
        const {id, unique} = await submitJob(at.site);
        ids.push(id);
        uniques.push(unique);
      }
      const take = ({jobId}: {jobId: number | null}) => jobId === ids[1];
      const settled: unknown[] = [];
      const settle = async (removed: readonly {jobId: number | null}[]) => {
        settled.push(...removed.map(({jobId}) => jobId));
      };
      const look = (where: number) =>
        probeQueue({host: '127.0.0.1', port: where}, [name], {...TIMEOUT, take, settle});
      const result = await outcome(look(port));
      if (result instanceof AtomctlError) expect(result.code).toMatch(/^GEARMAN_/);
      else if (!broken()) expect(result.removed.map(({jobId}) => jobId)).toEqual([ids[1]]);
      const [key] = await at.server.statusOfUniqueKeys([uniques[1]!]);
      // It may be gone without a record only if the answer was lost.
      if (kind === 'request' || settled.length > 0) expect(key!.known).toBe(settled.length === 0);
      await look(gearmand.address.port);
      if (kind === 'request') expect(settled).toEqual([ids[1]]);
      const order = await handedOut(at.site);
      // Of a job that was handed out and whose handle never came, the place is not known.
      expect(kind === 'request' ? order : order.toSorted()).toEqual([ids[0], ids[2]]);
    });
    expect(steps).toBeGreaterThan(15);
  });
});
