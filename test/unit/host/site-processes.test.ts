import {createHash} from 'node:crypto';
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import {isOtherDatabase, usesOtherDatabase} from '../../../src/atom/other-site.ts';
import {userIds} from '../../../src/host/accounts.ts';
import {foreignPrefixes} from '../../../src/host/foreign-prefixes.ts';
import {fileOwners, sortProcesses} from '../../../src/host/site-processes.ts';
import type {AtomProcess, ProcessReport} from '../../../src/processes/read-processes.ts';
import {createScratch} from '../../support/scratch.ts';
import {configPhp, createRoot, writeFiles} from '../../support/site/atom-files.ts';

const WWW = 33;
const process = (pid: number, root: string | null, uid = WWW, task = 'jobs:worker'): AtomProcess => ({
  pid,
  ppid: 1,
  uid,
  argv: ['php', 'symfony', task],
  startedAt: pid * 1000,
  task,
  cwd: root,
  root,
  connections: [{address: '127.0.0.1', port: 4730}],
});
const report = (workers: AtomProcess[], imports: AtomProcess[] = []): ProcessReport => ({
  incomplete: null,
  workers,
  imports,
  gearmands: [],
});
const sort = (given: ProcessReport, options: Partial<Parameters<typeof sortProcesses>[0]> = {}) =>
  sortProcesses({
    report: given,
    root: '/own',
    isOtherSite: async (root) => root === '/other',
    owners: new Set([WWW]),
    unitUsers: async () => new Set(),
    ...options,
  });
const pids = (list: readonly {pid: number}[]) => list.map(({pid}) => pid);

it('takes every worker and import for the site that is not known to be another site', async () => {
  const workers = [process(1, '/own'), process(2, '/other'), process(3, '/moved'), process(4, null)];
  const imports = [process(5, '/other', WWW, 'csv:import'), process(6, '/own', WWW, 'csv:import')];
  const found = await sort(report(workers, imports));
  expect([pids(found.workers), pids(found.imports), [...found.otherSites]]).toEqual([[1, 3, 4], [6], [2]]);
  expect(found.workers[0]).toEqual({pid: 1, startedMs: 1000, argv: ['php', 'symfony', 'jobs:worker']});
});

it('asks about each root once', async () => {
  const asked: string[] = [];
  const isOtherSite = async (root: string) => {
    asked.push(root);
    return true;
  };
  await sort(report([process(1, '/other'), process(2, '/other'), process(3, '/own')]), {isOtherSite});
  expect(asked).toEqual(['/other']);
});

it('counts processes of the owner, of root and of the unit’s user, and of nobody else', async () => {
  const given = report([
    process(1, '/own'),
    process(2, '/own', 0),
    process(3, '/own', 1001),
    process(4, '/other', 1001),
  ]);
  const strangers = await sort(given);
  expect([pids(strangers.workers), [...strangers.otherSites]]).toEqual([[1, 2], []]);
  const ofUnit = await sort(given, {unitUsers: async () => new Set([1001])});
  expect([pids(ofUnit.workers), [...ofUnit.otherSites]]).toEqual([[1, 2, 3], [4]]);
});

it('does not ask for units if every process is of the owner or of root', async () => {
  const unitUsers = async () => {
    throw new Error('asked');
  };
  const found = await sort(report([process(1, '/own'), process(2, '/own', 0)]), {unitUsers});
  expect(pids(found.workers)).toEqual([1, 2]);
});

it('counts everybody’s if the root is not known, and says what cannot be read', async () => {
  const given = {...report([process(3, '/x', 1001)]), incomplete: 'Hidden.'};
  const found = await sort(given, {root: null});
  expect([pids(found.workers), found.unreadable]).toEqual([[3], 'Hidden.']);
});

it('takes for owners those of the root and of what AtoM writes to', async () => {
  const root = createRoot();
  mkdirSync(join(root, 'downloads'));
  expect(await fileOwners(root)).toEqual(new Set([globalThis.process.getuid!()]));
  expect(await fileOwners('/nowhere')).toEqual(new Set());
});

it('knows the ids of users by name and by number', async () => {
  const passwd = join(createScratch('accounts'), 'passwd');
  writeFiles(join(passwd, '..'), {passwd: 'root:x:0:0:::\nwww-data:x:33:33:::\nbroken\n'});
  expect(await userIds(['www-data', '1000', 'ldap', 'broken'], passwd)).toEqual(new Set([33, 1000]));
});

it.each([
  ['other names', {database: 'a', host: 'h'}, {database: 'b', host: 'h'}, true],
  ['names that differ in case only', {database: 'Atom', host: 'h'}, {database: 'atom', host: 'h'}, false],
  [
    'one name on two hosts, which may be one',
    {database: 'a', host: 'db'},
    {database: 'a', host: '127.0.0.1'},
    false,
  ],
  [
    'a socket and a port, which may be one',
    {database: 'a', host: null},
    {database: 'a', host: '127.0.0.1'},
    false,
  ],
  [
    'two ports of one host, of which one may lead to the other',
    {database: 'a', host: 'h', port: 3306},
    {database: 'a', host: 'h', port: 3307},
    false,
  ],
])('tells databases apart: %s', (_, one, other, expected) => {
  expect(isOtherDatabase(one, other)).toBe(expected);
  expect(isOtherDatabase(other, one)).toBe(expected);
});

it('reads from config.php whether a root is another site’s, without running it', async () => {
  const dsn = (name: string) =>
    configPhp({dsn: `mysql:host=db;dbname=${name}`, username: 'u', password: 'p'});
  const root = createRoot({'config/config.php': dsn('other')});
  const own = {database: 'atom', host: 'db', port: 3306};
  expect(await usesOtherDatabase(root, own)).toBe(true);
  expect(await usesOtherDatabase(root, {...own, database: 'other'})).toBe(false);
  for (const text of [
    "<?php return array('all' => array('propel' => array('param' => array('dsn' => getenv('X') ?: 'mysql:dbname=other'))));",
    "<?php return include 'x.php';",
    'no php',
  ]) {
    writeFiles(root, {'config/config.php': text});
    expect([text, await usesOtherDatabase(root, own)]).toEqual([text, false]);
  }
  expect(await usesOtherDatabase('/removed', own)).toBe(false);
});

const md5 = (text: string) => createHash('md5').update(text).digest('hex');
const [OWN, NAMED, THEIRS, SHARED, UNKNOWN] = ['own', 'named', 'theirs', 'shared', 'unknown'].map(md5) as [
  string,
  string,
  string,
  string,
  string,
];
const connection = (pid: number, ip: string, ...prefixes: string[]) => ({
  fd: pid,
  ip,
  id: `pid_${pid}_abc`,
  functions: prefixes.map((prefix) => `${prefix}-arFindingAidJob`),
});

it('knows prefixes of named sites, and those that only workers of other sites have', async () => {
  const functions = [OWN, NAMED, THEIRS, SHARED, UNKNOWN, null].map((prefix) => ({prefix}));
  const options = {
    own: new Set([OWN]),
    namedSites: async () => [NAMED, OWN, md5('absent')],
    otherWorkers: async () => [process(2, '/other'), {...process(3, '/other'), connections: null}],
  };
  const seen = async (...connections: ReturnType<typeof connection>[]) =>
    [
      ...(await foreignPrefixes({functions, connections: new Map([['h:4730', connections]])}, options)),
    ].sort();
  const ofNamed = [NAMED];
  expect(await seen()).toEqual(ofNamed);
  expect(await seen(connection(2, '127.0.0.1', THEIRS, OWN))).toEqual([NAMED, THEIRS].sort());
  expect(await seen(connection(2, '::ffff:127.0.0.1', SHARED), connection(9, '127.0.0.1', SHARED))).toEqual(
    ofNamed,
  );
  // A process of the same id in a container or on another host; one whose connections cannot be read.
  expect(await seen(connection(2, '203.0.113.7', THEIRS))).toEqual(ofNamed);
  expect(await seen(connection(3, '127.0.0.1', THEIRS))).toEqual(ofNamed);
  const otherServer = new Map([['h:4731', [connection(2, '127.0.0.1', THEIRS)]]]);
  expect([...(await foreignPrefixes({functions, connections: otherServer}, options))]).toEqual(ofNamed);
});

it('asks nothing if the servers show only this site’s prefixes', async () => {
  const asked = async () => {
    throw new Error('asked');
  };
  const options = {own: new Set([OWN]), namedSites: asked, otherWorkers: asked};
  expect(await foreignPrefixes({functions: [{prefix: OWN}, {prefix: null}]}, options)).toEqual(new Set());
});
