import {type Connection, createConnection} from 'mysql2/promise';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {
  type AtomSite,
  freePort,
  type MariadbProcess,
  runAtomctl,
  startAtomctl,
  startMariadb,
  until,
} from '../support/sandbox.ts';
import {createAtomSite} from '../support/site/atom-site.ts';

const JOBS = 30;
/** A server reports its lag in whole seconds. */
const FURTHER_THAN_ALLOWED_MS = 2500;

let source: MariadbProcess;
let replica: MariadbProcess;
/** Connections as root, for the privileges and statements that set up a fault. */
let onSource: Connection;
let onReplica: Connection;
let site: AtomSite;
let named: string;

beforeAll(async () => {
  [source, replica] = await Promise.all([
    startMariadb(['--log-bin', '--server-id=1']),
    startMariadb(['--server-id=2', '--report-host=127.0.0.1']),
  ]);
  named = `127.0.0.1:${replica.port}`;
  onSource = await createConnection({user: 'root', socketPath: source.socketPath});
  onReplica = await createConnection({user: 'root', socketPath: replica.socketPath});
  await onSource.query("CREATE USER replicator IDENTIFIED BY 'r'");
  await onSource.query('GRANT REPLICATION SLAVE ON *.* TO replicator');
  await onSource.query(`GRANT REPLICATION MASTER ADMIN, REPLICA MONITOR ON *.* TO ${source.user}`);
  await onReplica.query(`GRANT REPLICA MONITOR ON *.* TO ${replica.user}`);
  // Without the accounts that both have already.
  const [[position]] = (await onSource.query('SELECT @@gtid_binlog_pos AS gtid')) as unknown as [
    [{gtid: string}],
  ];
  await onReplica.query('SET GLOBAL gtid_slave_pos = ?', [position.gtid]);
  await onReplica.query(
    `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${source.port}, MASTER_USER = 'replicator',
       MASTER_PASSWORD = 'r', MASTER_USE_GTID = slave_pos`,
  );
  await onReplica.query('START SLAVE');
  site = await createAtomSite(source);
}, 60_000);

afterAll(async () => {
  await Promise.all([onSource.end(), onReplica.end()]);
  await Promise.all([source.kill(), replica.kill()]);
});

beforeEach(() => site.seedJobs(JOBS));
afterEach(() => site.query("DELETE FROM object WHERE class_name = 'QubitJob'"));

const ARGS = ['jobs:clear', '--no-confirmation', '--keep-queue', '--batch-size', '10'];
const clear = (...args: string[]) => runAtomctl([...ARGS, ...args], {env: site.env});

async function jobsOn(connection: Connection): Promise<number> {
  const [rows] = await connection.query(`SELECT COUNT(*) AS jobs FROM ${site.databaseName}.job`);
  return (rows as {jobs: number}[])[0]!.jobs;
}

/** The replica does not know what it has not received yet. */
const jobsOnReplica = () => jobsOn(onReplica).catch(() => null);
const caughtUp = () => until(async () => (await jobsOnReplica()) === (await jobsOn(onSource)));

/** Blocks changes to the jobs on the replica, so that its lag grows by a second each second. */
async function whileReplicaIsBehind(work: (letGo: () => Promise<void>) => Promise<void>): Promise<void> {
  await caughtUp();
  const locker = await createConnection({user: 'root', socketPath: replica.socketPath});
  await locker.query(`LOCK TABLES ${site.databaseName}.job WRITE`);
  await onSource.query(`UPDATE ${site.databaseName}.job SET name = 'changed' LIMIT 1`);
  await new Promise((resolve) => setTimeout(resolve, FURTHER_THAN_ALLOWED_MS));
  await work(async () => void (await locker.query('UNLOCK TABLES')));
  await locker.end();
}

describe('a replica that is behind', () => {
  it.each([
    ['named', () => ['--replica', named]],
    ['found', () => []],
  ])('is waited for, %s', async (_, args) => {
    await whileReplicaIsBehind(async (letGo) => {
      const clearing = startAtomctl([...ARGS, '--max-lag', '1', ...args()], {env: site.env});
      await until(() => clearing.stderr().includes('Waiting'));
      expect(await jobsOn(onSource)).toBe(JOBS);
      await letGo();
      const {code, stdout, stderr} = await clearing.ended;
      expect(stderr).toMatch(
        new RegExp(`^Waiting: the replica at ${named} is \\d+ s behind the primary\\.\n`),
      );
      expect([code, stdout]).toEqual([0, expect.stringContaining(`${JOBS} jobs`)]);
      await caughtUp();
      expect(await jobsOn(onReplica)).toBe(0);
    });
  });

  it('is not waited for after an interruption', async () => {
    await whileReplicaIsBehind(async (letGo) => {
      const clearing = startAtomctl([...ARGS, '--max-lag', '1'], {env: site.env});
      await until(() => clearing.stderr().includes('Waiting'));
      clearing.child.kill('SIGINT');
      expect((await clearing.ended).code).toBe(130);
      expect(await jobsOn(onSource)).toBe(JOBS);
      await letGo();
    });
  });
});

describe('nothing is deleted', () => {
  afterEach(async () => expect(await jobsOn(onSource)).toBe(JOBS));

  it('if the replica does not replicate', async () => {
    await caughtUp();
    await onReplica.query('STOP SLAVE SQL_THREAD');
    const {code, stderr} = await clear('--max-lag', '1');
    await onReplica.query('START SLAVE SQL_THREAD');
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining(`Replication of the replica at ${named} does not run.`),
    ]);
  });

  it('if the named server is not a replica', async () => {
    const {code, stderr} = await clear('--max-lag', '1', '--replica', `127.0.0.1:${source.port}`);
    expect([code, stderr]).toEqual([1, expect.stringContaining('is not a replica')]);
  });

  it('if the replica cannot be reached', async () => {
    const {code, stderr} = await clear('--max-lag', '1', '--replica', `127.0.0.1:${await freePort()}`);
    expect([code, stderr]).toEqual([3, expect.stringContaining('127.0.0.1')]);
  });

  it('without the privilege to read the lag', async () => {
    await caughtUp();
    await onReplica.query(`REVOKE REPLICA MONITOR ON *.* FROM ${replica.user}`);
    const {code, stderr} = await clear('--max-lag', '1');
    await onReplica.query(`GRANT REPLICA MONITOR ON *.* TO ${replica.user}`);
    expect([code, stderr]).toEqual([1, expect.stringContaining('SLAVE MONITOR')]);
  });

  it.each(['db2:port', 'user@db2', 'db2/x', '', ':3306'])('if the replica is %j', async (address) => {
    const {code, stderr} = await clear('--max-lag', '1', '--replica', address);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining(`"${address}" (--replica) is not a valid server address.`),
    ]);
  });

  it('with --replica without --max-lag', async () => {
    expect((await clear('--replica', 'db2')).code).toBe(2);
  });
});
