import {afterAll, afterEach, beforeAll, describe, expect, test} from 'vitest';
import {type ClearResult, clearJobs} from '../../src/jobs/clear/clear-rows.ts';
import {planClear} from '../../src/jobs/clear/plan.ts';
import {connectDatabase} from '../../src/mysql/connect.ts';
import type {Database} from '../../src/mysql/database.ts';
import {askOnTerminal} from '../support/atomctl/ask-on-terminal.ts';
import {PLAIN_CLEAR} from '../support/jobs/plain-clear.ts';
import {
  type AtomSite,
  createSite,
  type GearmanProcess,
  startGearmand,
  startWorker,
  until,
} from '../support/sandbox.ts';
import {isDeleting} from '../support/site/is-deleting.ts';
import {crash, executeJob, sourcesOf} from '../support/site/queue-site.ts';

let gearmand: GearmanProcess;
let site: AtomSite;
let ours: Database;
let theirs: Database;

beforeAll(async () => {
  gearmand = await startGearmand();
  site = await createSite({gearman: [gearmand.endpoint]});
  [ours, theirs] = await Promise.all([
    connectDatabase(site.config, {timeoutSeconds: 5}),
    connectDatabase(site.config, {timeoutSeconds: 5}),
  ]);
});

afterEach(() => site.query("DELETE FROM object WHERE class_name = 'QubitJob'"));

afterAll(async () => {
  await Promise.all([ours?.close(), theirs?.close()]);
  await site?.drop();
  await gearmand?.kill();
});

async function clear(): Promise<ClearResult> {
  const plan = await planClear({database: ours, filter: {}, inactive: false});
  return clearJobs({database: ours, plan, ...PLAIN_CLEAR, batchSize: 10}, null);
}

const jobIds = async () =>
  (await site.query<{id: number}>('SELECT id FROM job ORDER BY id')).map(({id}) => id);

describe('a clear among the locks of others', () => {
  test('gives up if a lock remains, says so in a sentence, and clears the rest once it is released', async () => {
    const first = await site.seedJobs(30);
    await ours.execute('SET SESSION innodb_lock_wait_timeout = 0');
    const blocked = await theirs.transaction(async (tx) => {
      await tx.execute('UPDATE job SET output = NULL WHERE id = ?', [first + 15]);
      return clear();
    });
    expect(blocked).toMatchObject({cleared: 10, failure: {code: 'DATABASE_BUSY', exitStatus: 1}});
    expect(blocked.failure!.message).toMatch(
      /^Other sessions did not release their locks in database "\w+" in time\.$/,
    );
    expect(await jobIds()).toHaveLength(20);
    expect(await clear()).toMatchObject({cleared: 20, failure: null});
    await ours.execute('SET SESSION innodb_lock_wait_timeout = 5');
  });

  test('runs a batch again that the server sacrificed to end a deadlock', async () => {
    const first = await site.seedJobs(300);
    const cleared = await theirs.transaction(async (tx) => {
      // All but the first: the clear takes that and waits for the others. Having changed more, it is not we who are sacrificed.
      await tx.execute("UPDATE job SET output = 'changed' WHERE id > ?", [first]);
      const clearing = clear();
      await until(() => isDeleting(site));
      await tx.execute("UPDATE job SET output = 'changed' WHERE id = ?", [first]);
      return {clearing};
    });
    expect(await cleared.clearing).toMatchObject({cleared: 300, failure: null});
    expect(await jobIds()).toEqual([]);
  });
});

const askedAbout = (args: readonly string[]) => askOnTerminal(args, site.env);

describe('between the question and the act', () => {
  test('a job ends: its kill is refused, and its end stays as it was', async () => {
    const id = await site.insertJob({status: 'running'});
    const answer = await askedAbout(['jobs:kill', String(id)]);
    await site.query('UPDATE job SET status_id = 184, completed_at = ? WHERE id = ?', [
      '2026-03-04 14:00:00',
      id,
    ]);
    const {code, screen} = await answer('y');
    expect([code, screen]).toEqual([5, expect.stringContaining('it was running and is completed now')]);
    expect(await site.query('SELECT status_id, completed_at FROM job')).toEqual([
      {status_id: 184, completed_at: '2026-03-04 14:00:00'},
    ]);
  });

  test('a job that waited begins: a clear of queued jobs leaves it and says so', async () => {
    const {sources, close} = await sourcesOf(site);
    const [server] = sources.servers.flatMap((one) => ('server' in one ? one.server : []));
    const {id, unique, worker} = await executeJob(site);
    await crash(worker, unique, server!);
    await close();
    const answer = await askedAbout(['jobs:clear', '--live', 'queued']);
    const again = await startWorker(site, ['--abilities=arFindingAidJob']);
    await until(async () => {
      const [row] = await site.query<{output: string}>('SELECT output FROM job WHERE id = ?', [id]);
      return row!.output.split('Parameters: ').length === 3;
    });
    const {code, screen} = await answer('y');
    await again.kill();
    expect([code, screen]).toEqual([
      0,
      expect.stringContaining(`Warning: Kept 1 job that is no longer queued: ${id} (executing).`),
    ]);
    expect(await jobIds()).toEqual([id]);
  });

  test('jobs end, begin again and come: a clear takes what it asked about, and nothing else', async () => {
    const [ended, begun, asked] = [
      await site.insertJob({status: 'running'}),
      await site.insertJob({status: 'completed'}),
      await site.insertJob({status: 'completed'}),
    ];
    const answer = await askedAbout(['jobs:clear', '--inactive']);
    await site.query('UPDATE job SET status_id = 184 WHERE id = ?', [ended]);
    await site.query('UPDATE job SET status_id = 183 WHERE id = ?', [begun]);
    const come = await site.insertJob({status: 'completed'});
    const {code, screen} = await answer('y');
    expect([code, screen]).toEqual([0, expect.stringContaining('1 job cleared: 1 completed.')]);
    expect(await jobIds()).toEqual([ended, begun, come]);
    expect(asked).toBeLessThan(come);
  });
});
