import {createSiteTime} from '../../../src/atom/site-time.ts';
import {collectSiteEvidence, type SiteAccess} from '../../../src/doctor/evidence.ts';
import type {Finding} from '../../../src/doctor/finding.ts';
import {runChecks, type Selection} from '../../../src/doctor/run-checks.ts';
import {parseAddress} from '../../../src/gearman/address.ts';
import {connectServers, type ServerConnection} from '../../../src/gearman/server.ts';
import {BY_SYSTEMD} from '../../../src/host-commands.ts';
import {connectDatabase} from '../../../src/mysql/connect.ts';
import type {Database, DatabaseConfig} from '../../../src/mysql/database.ts';
import {startLimit} from '../../../src/worker/start-limit.ts';
import {NO_WAIT, quietFacts} from '../quiet-host.ts';
import {type AtomSite, WORKER_CLASSES} from '../sandbox.ts';
import {FakeSystemd} from '../workers/fake-systemd.ts';

/** A sandbox site whose worker runs by a unit, healthy in systemd's eyes. */
export async function healthySite(site: AtomSite): Promise<SiteAccess> {
  return {
    database: () => connectDatabase(site.config, {timeoutSeconds: 5}),
    databaseConfig: async () => site.config,
    servers: () => connect(site.gearman),
    manager: await managerWith(site, {}),
    commands: BY_SYSTEMD,
    readLimit: async (unit) => startLimit(unit, null, new Date()),
    time: createSiteTime(site.timezone, process.env),
    now: () => new Date(),
    ...quietFacts(site.prefix),
    recheck: {wait: NO_WAIT, firstSeen: new Map()},
    prefixOrigin: site.root,
    otherPrefixes: [],
    foreignPrefixes: async () => new Set(),
    zoneOrigin: 'settings.yml',
    clock: async () => ({uncertaintyMs: 0, reason: 'It was observed.', aheadMs: 0}),
    systemOffsetMs: async () => null,
    root: site.root,
    prefix: site.prefix,
    workerTypes: {general: WORKER_CLASSES},
    rootOfOtherDatabase: async () => false,
    searchServers: async () => [],
    account: async (name) => ({name, uid: process.geteuid!(), gids: new Set()}),
    timeoutSeconds: 2,
    downloads: `${site.root}/downloads`,
    stuckAfterSeconds: 3600,
  };
}

/** A systemd with MySQL and one worker unit, which runs. */
export async function managerWith(
  site: AtomSite,
  unit: Parameters<FakeSystemd['install']>[1],
): Promise<FakeSystemd> {
  const manager = new FakeSystemd();
  const fields = {
    workingDirectory: site.root,
    enablement: 'enabled',
    user: 'www-data',
    after: ['mysql.service'],
    ...unit,
  };
  manager.install('atom-worker.service', fields);
  manager.install('mysql.service', {command: '/usr/sbin/mariadbd', active: 'active'});
  await manager.change('start', 'atom-worker.service');
  return manager;
}

export const connect = (endpoints: readonly string[]) =>
  connectServers(
    endpoints.map((endpoint) => parseAddress(endpoint, 'test')),
    {timeoutSeconds: 5},
  );

export const connectAs = (config: DatabaseConfig) => connectDatabase(config, {timeoutSeconds: 5});

/** Examines with connections of its own and closes them. */
export async function checkOnce(access: SiteAccess, selection: Selection = {}): Promise<Finding[]> {
  const opened: {databases: Promise<Database>[]; servers: Promise<ServerConnection[]>[]} = {
    databases: [],
    servers: [],
  };
  const remembering: SiteAccess = {
    ...access,
    database: () => remember(opened.databases, access.database()),
    servers: once(() => remember(opened.servers, access.servers())),
  };
  try {
    return await runChecks(collectSiteEvidence(remembering), selection);
  } finally {
    for (const database of await Promise.allSettled(opened.databases)) {
      if (database.status === 'fulfilled') await database.value.close();
    }
    for (const connection of (await Promise.all(opened.servers)).flat()) {
      if ('server' in connection) connection.server.close();
    }
  }
}

function remember<T>(list: Promise<T>[], made: Promise<T>): Promise<T> {
  list.push(made);
  return made;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** What is not well, as `id: state`. */
export const problemsOf = (findings: readonly Finding[]) =>
  findings
    .filter(({state}) => state === 'warning' || state === 'critical')
    .map(({id, state}) => `${id}: ${state}`);
