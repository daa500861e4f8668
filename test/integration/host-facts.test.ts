/** What atomctl finds out about the host that it runs on, with real processes. */
import {utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, onTestFinished, test} from 'vitest';
import {createSiteTime} from '../../src/atom/site-time.ts';
import {Context} from '../../src/cli/context.ts';
import {jobFilter} from '../../src/cli/flags/filter-flags.ts';
import {hostFacts, sitePrefixes} from '../../src/cli/site/host-facts.ts';
import {formatAddress, parseAddress} from '../../src/gearman/address.ts';
import {listJobs} from '../../src/jobs/model/list.ts';
import {splitFunctionName} from '../../src/queue/function-name.ts';
import {
  type AtomSite,
  createScratch,
  createSite,
  type GearmanProcess,
  startGearmand,
  startWorker,
} from '../support/sandbox.ts';
import {spawnServer, startOnFreePort} from '../support/servers/server-process.ts';

let gearmand: GearmanProcess;
let site: AtomSite;
let neighbour: AtomSite;

beforeAll(async () => {
  gearmand = await startGearmand();
  const options = {gearman: [gearmand.endpoint], workerTypes: {general: ['arFindingAidJob']}};
  [site, neighbour] = [await createSite(options), await createSite(options)];
});

afterAll(() => Promise.all([gearmand?.kill(), site?.drop(), neighbour?.drop()]));

function contextOf(of: AtomSite, options: Partial<ConstructorParameters<typeof Context>[0]> = {}): Context {
  const context = new Context({
    site: {atomRoot: {value: of.root, origin: '--atom-root'}},
    timeoutSeconds: 5,
    env: {},
    cwd: '/',
    callerUid: process.getuid!(),
    php: undefined,
    now: () => new Date(),
    ...options,
  });
  onTestFinished(() => context.dispose());
  return context;
}

test("workers are this site's unless their root names another database", async () => {
  const [own, foreign] = [await startWorker(site), await startWorker(neighbour)];
  onTestFinished(async () => {
    await Promise.all([own.kill(), foreign.kill()]);
  });
  const {workers, otherSites, unreadable} = await (await hostFacts(contextOf(site))).processes();
  expect(unreadable).toBeNull();
  expect(workers.find(({pid}) => pid === own.pid)).toMatchObject({argv: ['php', 'symfony', 'jobs:worker']});
  expect([workers.some(({pid}) => pid === foreign.pid), otherSites.has(foreign.pid)]).toEqual([false, true]);
  expect(otherSites.has(own.pid)).toBe(false);

  const context = contextOf(site);
  const [connection] = await context.servers();
  if (!('server' in connection!)) throw new Error('No server.');
  const connections = new Map([[formatAddress(connection.address), await connection.server.connections()]]);
  const functions = (await connection.server.status()).map((row) => splitFunctionName(row.function));
  const prefixes = await sitePrefixes(context);
  expect([prefixes.own, prefixes.also]).toEqual([site.prefix, []]);
  expect([...(await prefixes.foreign({functions, connections}))]).toEqual([neighbour.prefix]);

  // A copy of the same site in another directory, as after a deploy.
  writeFileSync(
    join(neighbour.root, 'config/config.php'),
    `<?php return array('all' => array('propel' => array('param' => array('dsn' => 'mysql:host=elsewhere;dbname=${site.databaseName}'))));`,
  );
  const deployed = await (await hostFacts(contextOf(site))).processes();
  expect(deployed.workers.some(({pid}) => pid === foreign.pid)).toBe(true);
});

test('gearmand on loopback is known with its start', async () => {
  const facts = await hostFacts(contextOf(site));
  const {startedMs, onlyLoopback} = await facts.gearmand(parseAddress(gearmand.endpoint, 'test'));
  expect(onlyLoopback).toBe(true);
  expect(startedMs).toBeGreaterThan(Date.now() - 10 * 60_000);
  expect(startedMs).toBeLessThan(Date.now() + 2000);
  expect(await facts.gearmand({host: 'gearman.example', port: 4730})).toEqual({
    startedMs: null,
    onlyLoopback: false,
  });

  const {server, port} = await startOnFreePort((free) =>
    spawnServer('/usr/sbin/gearmand', ['--listen=0.0.0.0', `--port=${free}`, '--log-file=stderr']),
  );
  onTestFinished(async () => {
    await server.kill();
  });
  const found = await facts.gearmand({host: '127.0.0.1', port});
  expect([found.onlyLoopback, found.startedMs === null]).toEqual([false, false]);
});

test('the configuration file says where workers run, and files when they were changed', async () => {
  const config = join(createScratch('stated'), 'config.yml');
  writeFileSync(
    config,
    `sites:\n  here:\n    root: ${site.root}\n    workers: this-host\n  there:\n    root: ${site.root}\n`,
  );
  const named = (value: string) =>
    contextOf(site, {site: {config: {value: config, origin: '--config'}, site: {value, origin: '--site'}}});
  expect((await hostFacts(named('here'))).workersStatedHere).toBe(true);
  expect((await hostFacts(named('there'))).workersStatedHere).toBe(false);
  expect((await hostFacts(contextOf(site))).workersStatedHere).toBe(false);

  utimesSync(join(site.root, 'apps/qubit/config/gearman.yml'), 1_700_000_000, 1_700_000_000);
  utimesSync(join(site.root, 'apps/qubit/config/app.yml'), 1_700_000_100, 1_700_000_100);
  expect(await (await hostFacts(contextOf(site))).configChangedMs()).toBe(1_700_000_100_000);
});

test('the clock is not sure without a unit whose journal shows it', async () => {
  expect(await (await hostFacts(contextOf(site))).clock()).toEqual({
    uncertaintyMs: 26 * 3_600_000,
    aheadMs: null,
    reason:
      "PHP's clock could not be compared with the timezone America/Los_Angeles (no systemd unit of the worker was found on this host).",
  });
});

test('T11: in the hour that comes twice, a job of ten minutes is not older than an hour', async () => {
  const time = createSiteTime('America/Vancouver', process.env);
  const now = new Date('2025-11-02T01:40:00-08:00');
  const id = await site.insertJob({startedAt: '2025-11-02 01:30:00', status: 'running'});
  const earlier = await site.insertJob({startedAt: '2025-11-02 00:59:00', status: 'running'});
  const database = await contextOf(site).database();
  const context = {time: async () => time, now: () => now, database: async () => database};
  const olderThan = async (age: string) => {
    const filter = await jobFilter({'older-than': age}, context, {notice: () => {}});
    const sort = {key: 'id', descending: false} as const;
    const jobs = await listJobs({database, time, now, filter, sort, offset: 0, limit: 10});
    return jobs.map((job) => [job.id, job.durationSeconds]);
  };
  expect(await olderThan('1h')).toEqual([[earlier, 2 * 3600 - 19 * 60]]);
  expect(await olderThan('5m')).toEqual([
    [id, 600],
    [earlier, 2 * 3600 - 19 * 60],
  ]);
});
