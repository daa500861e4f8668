import {mkdir, rm, utimes, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {createConnection} from 'mysql2/promise';
import {afterAll, beforeAll, describe, expect, inject, it} from 'vitest';
import type {SiteAccess} from '../../../src/doctor/evidence.ts';
import {CHECK_IDS} from '../../../src/doctor/run-checks.ts';
import {usageError} from '../../../src/errors.ts';
import {takeLock} from '../../../src/gearman/lock.ts';
import {PROBE_LOCK} from '../../../src/queue/function-name.ts';
import {newProbeId} from '../../../src/queue/probe/probe-id.ts';
import {Secret} from '../../../src/secret.ts';
import {
  type AtomSite,
  createSite,
  freePort,
  type GearmanProcess,
  startGearmand,
  startWorker,
  submitJob,
  until,
  type WorkerProcess,
} from '../../support/sandbox.ts';
import {connectGearman} from '../../support/servers/gearman-wire.mjs';
import {startSearchServer} from '../../support/servers/search-server.ts';
import {spawnServer, startOnFreePort} from '../../support/servers/server-process.ts';
import {
  checkOnce,
  connect,
  connectAs,
  healthySite,
  managerWith,
  problemsOf,
} from '../../support/site/site-access.ts';

/** Gearman's packet types. */
const CAN_DO = 1;
const ECHO_REQ = 16;
const SET_CLIENT_ID = 22;

let gearmand: GearmanProcess;
let site: AtomSite;
let worker: WorkerProcess;
let access: SiteAccess;
let search: Awaited<ReturnType<typeof startSearchServer>>;

beforeAll(async () => {
  gearmand = await startGearmand();
  site = await createSite({gearman: [gearmand.endpoint]});
  worker = await startWorker(site);
  search = await startSearchServer();
  const server = {host: '127.0.0.1', port: search.port, tls: false, origin: 'search.yml'};
  access = {...(await healthySite(site)), searchServers: async () => [server]};
  const path = 'downloads/jobs/0123.zip';
  await writeFile(join(site.root, path), '');
  await site.insertJob({downloadPath: path, output: logOf(['Job started.', 'Job finished.'])});
  await site.insertJob({status: 'error', notes: [{text: 'No such file', error: true}], userToken: 'secret'});
});

afterAll(async () => {
  search?.close();
  await worker?.stop();
  await Promise.all([gearmand?.stop(), site?.drop()]);
});

/** A log as the worker writes it, in the morning of a day long gone. */
const logOf = (messages: readonly string[]) =>
  messages.map((message) => `[info] [2026-03-04 09:00:00] Job 1 "arX": ${message}\n`).join('');

const FULL_LOG = logOf(['Job started.', 'x'.repeat(70_000)]).slice(0, 65_534);

/** A row whose log, with its own id and name, says that the work is done. */
async function finishedRow(): Promise<SetUp> {
  const id = await site.insertJob({status: 'running'});
  const line = (message: string) => `[info] [2026-03-04 09:00:00] Job ${id} "arFindingAidJob": ${message}\n`;
  const log = line('Job started.') + line('Job finished.');
  await site.query('UPDATE job SET output = ? WHERE id = ?', [log, id]);
  return {undo: () => site.query('DELETE FROM object WHERE id = ?', [id])};
}

/** What a problem changes in the site, and how it is undone. */
interface SetUp {
  access?: Partial<SiteAccess>;
  undo?: () => Promise<unknown>;
}

const insert = (job: Parameters<AtomSite['insertJob']>[0]) => async (): Promise<SetUp> => {
  const id = await site.insertJob(job);
  return {undo: () => site.query('DELETE FROM object WHERE id = ?', [id])};
};

/** A job that ended a moment ago. */
const insertRecent = (job: Parameters<AtomSite['insertJob']>[0]) => async () =>
  insert({...job, finishedAt: access.time.toWall(new Date())})();

const file =
  (path: string, text = '') =>
  async (): Promise<SetUp> => {
    const full = join(site.root, path);
    await mkdir(dirname(full), {recursive: true});
    await writeFile(full, text);
    await utimes(full, 1, 1);
    return {undo: () => rm(full)};
  };

const unit =
  (fields: Parameters<typeof managerWith>[1], spoil = async (_: SiteAccess['manager']) => {}) =>
  async (): Promise<SetUp> => {
    const manager = await managerWith(site, fields);
    await spoil(manager);
    return {access: {manager}};
  };

const FAULTS: [fault: string, setUp: () => Promise<SetUp>, found: string | string[], evidence: RegExp][] = [
  [
    'no database server',
    async () => {
      const port = await freePort();
      return {access: {database: () => connectAs({...site.config, port})}};
    },
    'database: critical',
    /refused/,
  ],
  [
    "a database that is not AtoM's",
    async () => {
      await site.query('ALTER TABLE job RENAME COLUMN output TO old_output');
      return {undo: () => site.query('ALTER TABLE job RENAME COLUMN old_output TO output')};
    },
    'schema: critical',
    /older than 2\.4/,
  ],
  [
    'a user who may only read',
    async () => {
      const root = await createConnection({user: 'root', socketPath: inject('mariadb').socketPath});
      await root.query("CREATE USER reader IDENTIFIED BY 'r'");
      await root.query(`GRANT SELECT ON ${site.databaseName}.* TO reader`);
      const config = {...site.config, user: 'reader', password: new Secret('r')};
      const undo = () => root.query('DROP USER reader').finally(() => root.end());
      return {access: {database: () => connectAs(config)}, undo};
    },
    'privileges: warning',
    /lacks UPDATE on job, DELETE on job, UPDATE on object, DELETE on object, INSERT on note, INSERT on note_i18n, INSERT on object, INSERT on job, INSERT on property, INSERT on property_i18n\.$/,
  ],
  [
    'a Gearman server that does not answer',
    async () => {
      const endpoints = [gearmand.endpoint, `127.0.0.1:${await freePort()}`];
      return {access: {servers: () => connect(endpoints)}};
    },
    'gearman-servers: critical',
    /cannot be reached/,
  ],
  [
    'workers under another prefix',
    async () => ({access: {prefix: 'f'.repeat(32)}}),
    'site-workers: critical',
    /prefix f{32}\) is connected\. Workers with another function prefix are connected: [0-9a-f]{32}\./,
  ],
  [
    'a class without a worker',
    async () => ({
      access: {workerTypes: {general: ['arFindingAidJob', 'arPluginJob', 'qtSwordPluginWorker']}},
    }),
    'job-classes: critical',
    /has no worker for arPluginJob\.$/,
  ],
  [
    'a server without a worker',
    async () => {
      const second = await startGearmand();
      const endpoints = [gearmand.endpoint, second.endpoint];
      return {access: {servers: () => connect(endpoints)}, undo: second.stop};
    },
    'job-classes: warning',
    /has no worker for .* and 12 more\.$/,
  ],
  [
    'a client that keeps the probe lock and a queue for an hour (T22)',
    async () => {
      const clientId = newProbeId(Date.now() - 3_600_000);
      const lock = await takeLock(gearmand.address, PROBE_LOCK, {timeoutSeconds: 2, clientId});
      return {undo: () => lock!.release()};
    },
    'old-holds: warning',
    /^The client atomctl-probe-\S+ from 127\.0\.0\.1 has held the probe lock of 127\S+ since \d{4}-\S+ \S+, longer/,
  ],
  [
    'a worker that registered nothing',
    async () => {
      const idle = await connectGearman(gearmand.endpoint);
      idle.send(SET_CLIENT_ID, 'pid_77_65fa');
      idle.send(ECHO_REQ, 'here');
      await idle.receive();
      return {undo: async () => idle.close()};
    },
    'idle-workers: warning',
    /pid_77_65fa on 127/,
  ],
  [
    'a compiled configuration older than its source',
    file('cache/qubit/worker/config/config_gearman.yml.php'),
    'stale-cache: warning',
    /config_gearman\.yml\.php \(made from .*gearman\.yml\)/,
  ],
  [
    'a unit at its start limit',
    unit({restartPolicy: 'on-failure'}, async (manager) => {
      for (let crash = 0; crash < 3; crash++)
        (manager as Awaited<ReturnType<typeof managerWith>>).exit('atom-worker.service', 255);
    }),
    'worker-unit: critical',
    /start limit of 3 starts in 1d/,
  ],
  ['a unit that is not enabled', unit({enablement: 'disabled'}), 'worker-unit: warning', /not enabled/],
  [
    'a worker with a limit that runs into the start limit',
    unit({command: 'php symfony jobs:worker --max-job-count=50'}),
    'worker-renewal: warning',
    /111 at --max-job-count or --max-mem-usage, and systemd allows 3 starts in 1d/,
  ],
  [
    'a worker with a limit that nothing restarts',
    unit({command: 'php symfony jobs:worker --max-mem-usage=9', restartPolicy: 'no'}),
    'worker-renewal: warning',
    /not restarted after it \(Restart=no\)/,
  ],
  [
    'a unit that runs as root',
    unit({user: null}),
    'permissions: warning',
    /^atom-worker\.service runs as root\.$/,
  ],
  [
    'a worker whose user may not write',
    async () => ({
      access: {account: async (name: string) => ({name, uid: 4_000_000, gids: new Set<number>()})},
    }),
    'permissions: warning',
    /^The worker's user www-data may not (enter|write to) \/\S+\./,
  ],
  [
    'a search engine that does not answer',
    async () => {
      const server = {host: '127.0.0.1', port: await freePort(), tls: false, origin: 'config/search.yml'};
      return {access: {searchServers: async () => [server]}};
    },
    'search-engine: critical',
    /^The search engine at 127\.0\.0\.1:\d+: connection refused\.$/,
  ],
  [
    'a search engine under a name of a compose file',
    async () => {
      const server = {host: 'elasticsearch', port: 9200, tls: false, origin: 'config/search.yml'};
      return {access: {searchServers: async () => [server]}};
    },
    'search-engine: critical',
    /^The search engine at elasticsearch:9200: the (host name has no address|name servers do not answer)\.$/,
  ],
  [
    'a search.yml that names no server',
    async () => ({
      access: {
        searchServers: async () => {
          throw usageError('config/search.yml has no valid search server.', 'Give host and port.');
        },
      },
    }),
    'search-engine: warning',
    /has no valid search server/,
  ],
  [
    'a unit that does not wait for MySQL',
    unit({after: []}),
    'worker-ordering: warning',
    /after mysql\.service/,
  ],
  [
    'a lost job',
    insert({status: 'running', name: 'arFindingAidJob'}),
    'lost-jobs: warning',
    /No Gearman server has a job .*\(arFindingAidJob\)\./,
  ],
  [
    'a lost import',
    insert({status: 'running', name: 'arFileImportJob'}),
    ['serial-jobs: warning', 'lost-jobs: warning'],
    /\(arFileImportJob\) is lost, and no other move or import waits for it\./,
  ],
  [
    'a finished job that says Running',
    finishedRow,
    'finished-jobs: warning',
    /^The log of a running job says "Job finished\.", and no server has it: /,
  ],
  [
    'a job handed out again and again',
    insertRecent({status: 'error', output: logOf(Array(5).fill('Job started.'))}),
    'redelivered-jobs: warning',
    /\(arFindingAidJob\) 5 times/,
  ],
  ['a log at the cap', insertRecent({output: FULL_LOG}), 'full-logs: warning', /1 log .* reached 65,534/],
  [
    'a completed job with an error note',
    insert({notes: [{text: 'Row 12 failed', error: true}]}),
    'failed-completed-jobs: warning',
    /^1 completed job has error notes: \d+\.$/,
  ],
  [
    'the remains of DELETE FROM job',
    async () => {
      const id = await site.insertJob({notes: [{text: 'a'}, {text: 'b'}], userToken: 'secret'});
      await site.query('DELETE FROM job WHERE id = ?', [id]);
      return {undo: () => site.query('DELETE FROM object WHERE id = ?', [id])};
    },
    'orphans: warning',
    /^1 object with 2 notes and 1 property belong/,
  ],
  [
    'a download without its job',
    file('downloads/jobs/a87ff679a2f3e71d9181a67b7542122c.zip'),
    'stray-downloads: warning',
    /^1 file \(0 bytes\) in \S+\/downloads\/jobs belongs to no job: a87ff679a2f3e71d9181a67b7542122c\.zip\. Total: \d+ files? under downloads\/jobs \(/,
  ],
  [
    'a job without its download',
    insert({downloadPath: 'downloads/jobs/gone.zip'}),
    'missing-downloads: warning',
    /\d+ \(downloads\/jobs\/gone\.zip\)/,
  ],
];

describe('a healthy site', () => {
  it('is found well in every point', async () => {
    const findings = await checkOnce(access);
    expect(findings.filter(({state}) => state !== 'ok')).toEqual([]);
    expect(findings.map(({id}) => id)).toEqual(CHECK_IDS);
    expect(JSON.stringify(findings)).not.toContain('secret');
  });

  it.each(FAULTS)('with %s has this fault alone', async (_, setUp, faults, evidence) => {
    const found = [faults].flat();
    const {access: changed, undo} = await setUp();
    try {
      const findings = await checkOnce({...access, ...changed});
      expect(problemsOf(findings).sort()).toEqual(found.toSorted());
      const fault = findings.find(({id}) => found[0]!.startsWith(`${id}:`))!;
      expect(fault.evidence).toMatch(evidence);
      expect(fault.consequence && fault.remedy).toBeTruthy();
    } finally {
      await undo?.();
    }
  });
});

it('counts no client under the name of a probe as a worker (T22)', async () => {
  const second = await startGearmand();
  const name = site.functionName('arFindingAidJob');
  const holder = await connectGearman(second.endpoint);
  try {
    holder.send(SET_CLIENT_ID, 'atomctl-other');
    holder.send(CAN_DO, name);
    holder.send(ECHO_REQ, 'here');
    await holder.receive();
    const servers = () => connect([gearmand.endpoint, second.endpoint]);
    const workerTypes = {general: ['arFindingAidJob']};
    const findings = await checkOnce({...access, servers, workerTypes});
    expect(problemsOf(findings)).toEqual(['job-classes: warning', 'old-holds: warning']);
  } finally {
    holder.close();
    await second.kill();
  }
});

it('does not keep warning of the log of a job that ended long ago, but names it', async () => {
  const {undo} = await insert({output: FULL_LOG})();
  const redelivered = await insert({status: 'error', output: logOf(Array(5).fill('Job started.'))})();
  const findings = await checkOnce(access);
  expect(problemsOf(findings)).toEqual([]);
  for (const id of ['full-logs', 'redelivered-jobs'])
    expect(findings.find((one) => one.id === id)!.evidence).toMatch(
      / Older ones: \d+ \(arFindingAidJob\)\.$/,
    );
  await Promise.all([undo!(), redelivered.undo!()]);
});

it('calls no job lost, and none not lost, while another atomctl holds a server', async () => {
  const {undo} = await insert({status: 'running'})();
  const clientId = newProbeId(Date.now());
  const lock = await takeLock(gearmand.address, PROBE_LOCK, {timeoutSeconds: 2, clientId});
  const findings = await checkOnce(access).finally(async () => {
    await lock!.release();
    await undo!();
  });
  const [lostJobs, moves] = ['lost-jobs', 'serial-jobs'].map((id) => findings.find((one) => one.id === id));
  expect(lostJobs).toMatchObject({
    state: 'skipped',
    evidence: expect.stringContaining('another atomctl'),
  });
  expect(moves).toMatchObject({state: 'skipped'});
});

/** Ages the log of a job that is being executed; its parameters stay, so that its key does. */
const age = (id: number) =>
  site.query(
    "UPDATE job SET output = REGEXP_REPLACE(output, '\\\\[20[^]]*\\\\]', '[2026-03-04 09:00:00]') WHERE id = ?",
    [id],
  );

describe('a job that is being executed', () => {
  it.each([
    ['arFindingAidJob', 'silent-jobs', /\(arFindingAidJob\) for \d+d/],
    [
      'arObjectMoveJob',
      'serial-jobs',
      /\(arObjectMoveJob\) is silent for \d+d.*, and \d+ \(arFileImportJob\) waits for it\./,
    ],
  ])('%s that fell silent is found by %s alone', async (jobClass, id, evidence) => {
    const {id: stuck} = await submitJob(site, {jobClass, work: {seconds: 3600}});
    await until(() => worker.started().includes(stuck));
    const behind = await submitJob(site, {jobClass: 'arFileImportJob'});
    expect(problemsOf(await checkOnce(access))).toEqual([]);
    await age(stuck);
    const findings = await checkOnce(access);
    expect(problemsOf(findings)).toEqual([`${id}: warning`]);
    expect(findings.find((finding) => finding.id === id)!.evidence).toMatch(evidence);
    expect(problemsOf(await checkOnce({...access, stuckAfterSeconds: 10 * 365 * 86_400}))).toEqual([]);

    await site.query('DELETE FROM object WHERE id IN (?)', [[stuck, behind.id]]);
    await worker.kill();
    worker = await startWorker(site);
    await until(async () => (await site.query('SELECT id FROM job WHERE status_id = 183')).length === 0);
  });
});

describe("gearmand's own settings", () => {
  it('are remarked on, and open to every interface is a warning', async () => {
    const {server, port} = await startOnFreePort((free) =>
      spawnServer('/usr/sbin/gearmand', [
        '-p',
        String(free),
        '--log-file=stderr',
        '-j3',
        '--queue-type',
        'libsqlite3',
        '--libsqlite3-db=:memory:',
      ]),
    );
    const open = await createSite({gearman: [`127.0.0.1:${port}`]});
    const itsWorker = await startWorker(open);
    try {
      const {searchServers} = access;
      const findings = await checkOnce({...(await healthySite(open)), searchServers});
      expect(problemsOf(findings)).toEqual(['gearmand-network: warning']);
      const evidence = Object.fromEntries(findings.map((finding) => [finding.id, finding.evidence]));
      expect(evidence['gearmand-network']).toMatch(/every interface/);
      expect(evidence['gearmand-queue']).toMatch(/in libsqlite3\.$/);
      expect(evidence['gearmand-retries']).toMatch(/3 times at most\.$/);
    } finally {
      await itsWorker.stop();
      await server.stop();
      await open.drop();
    }
  });
});
