import {afterAll, expect, test} from 'vitest';
import {clearSite} from '../../src/jobs/clear/clear.ts';
import {planClear} from '../../src/jobs/clear/plan.ts';
import {connectDatabase} from '../../src/mysql/connect.ts';
import {killAt} from '../support/jobs/kill-site.ts';
import {PLAIN_CLEAR} from '../support/jobs/plain-clear.ts';
import {startGearmand} from '../support/sandbox.ts';
import {createQueueSite, insertLost, submitJobs} from '../support/site/queue-site.ts';

const ROUNDS = 8;
const KILLED = 30;

const gearmand = await startGearmand();
const at = await createQueueSite(gearmand);
afterAll(async () => {
  await at.drop();
  await gearmand.kill();
});

/**
 * What AtoM does while a job executes, without a pause: each log line is an UPDATE of the job's row, each save updates object and job
 * in one transaction, and each web request inserts a job. Its locks wait three seconds at most; the driver does not try again.
 */
async function writeUntil(isDone: () => boolean): Promise<{writes: number; errors: string[]}> {
  const writer = await connectDatabase(at.site.config, {timeoutSeconds: 5});
  const result = {writes: 0, errors: [] as string[]};
  const executing = await at.site.insertJob({name: 'arFileImportJob', status: 'running'});
  await writer.execute('SET SESSION innodb_lock_wait_timeout = 3');
  const steps: [string, (number | string)[]][] = [
    ["UPDATE job SET output = CONCAT(COALESCE(output, ''), 'a line\\n') WHERE id = ?", [executing]],
    ['START TRANSACTION', []],
    ['UPDATE object SET updated_at = NOW() WHERE id = ?', [executing]],
    ['UPDATE job SET status_id = 183 WHERE id = ?', [executing]],
    ['COMMIT', []],
    ['START TRANSACTION', []],
    ["INSERT INTO object (class_name, created_at, updated_at) VALUES ('QubitJob', NOW(), NOW())", []],
    ["INSERT INTO job (id, name, status_id) VALUES (LAST_INSERT_ID(), 'arGenerateReportJob', 184)", []],
    ['COMMIT', []],
  ];
  for (let step = 0; !isDone(); step += 1) {
    const [statement, values] = steps[step % steps.length]!;
    try {
      await writeOnce(writer, statement, values);
      result.writes += 1;
    } catch (error) {
      result.errors.push(String((error as Error).message));
    }
  }
  await writer.close();
  return result;
}

/** Within a transaction of the database nothing is tried again; outside, it would be. */
function writeOnce(
  writer: Awaited<ReturnType<typeof connectDatabase>>,
  statement: string,
  values: (number | string)[],
): Promise<unknown> {
  return writer.visit(statement, values, () => {});
}

/** Some hundred jobs that have ended, beside those that the writer inserts. */
async function insertEnded(): Promise<void> {
  const {insertId: first} = (await at.site.query(
    "INSERT INTO object (class_name, created_at, updated_at) SELECT 'QubitJob', NOW(), NOW() FROM seq_1_to_500",
  )) as unknown as {insertId: number};
  await at.site.query(
    `INSERT INTO job (id, name, status_id) SELECT seq, 'arFindingAidJob', 184 FROM seq_${first}_to_${first + 499}`,
  );
}

test('a worker that writes its log beside kills and clears never waits three seconds and is no victim of a deadlock', async () => {
  let done = false;
  const writing = writeUntil(() => done);
  const {database} = at.sources;
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const queued = await submitJobs(at, KILLED);
      const lost: number[] = [];
      while (lost.length < KILLED) lost.push(await insertLost(at.site));
      const {killed} = await killAt(at, [...queued, ...lost]);
      expect(killed.filter(({action}) => action === 'failed')).toEqual([]);
      await insertEnded();
      const plan = await planClear({database, filter: {}, inactive: true});
      const cleared = await clearSite({
        ...{database, plan, ...PLAIN_CLEAR, queue: at.sources},
        ...{allQueued: false, worker: null, mayInterrupt: new Set()},
      });
      expect(cleared.failure).toBeNull();
    }
  } finally {
    done = true;
  }
  const {writes, errors} = await writing;
  expect(errors).toEqual([]);
  expect(writes).toBeGreaterThan(1000);
});
