import {expect, test} from 'vitest';
import type {ServerReport} from '../../../src/queue/server-report.ts';
import type {UnitState} from '../../../src/systemd/unit-state.ts';
import {restartWorker, type ServiceOptions, startWorker, stopWorker} from '../../../src/worker/service.ts';
import {startLimit} from '../../../src/worker/start-limit.ts';
import {workerStatus} from '../../../src/worker/status.ts';
import {FakeSystemd} from '../../support/workers/fake-systemd.ts';

const PREFIX = '0123456789abcdef0123456789abcdef';
const UNIT = 'atom-worker.service';
const CLASSES = ['arFindingAidJob', 'arObjectMoveJob'];

interface World {
  systemd: FakeSystemd;
  /** What the unit's worker registers once it runs, with each server; null for a server that does not answer. */
  registers: Record<string, string[] | null>;
  /** A connection that stays although the worker has gone. */
  lingers?: boolean;
}

/** Gearman as it looks while the fake unit runs; the worker's id changes with its process. */
async function answers({systemd, registers, lingers}: World): Promise<ServerReport[]> {
  const [unit] = await systemd.show([UNIT]);
  const pid = unit!.mainPid ?? (lingers ? 101 : null);
  return Object.entries(registers).map(([address, functions]) => ({
    address,
    reachable: functions !== null,
    version: null,
    error: functions === null ? `${address} did not answer.` : null,
    functions: [],
    skippedLines: 0,
    connections:
      pid === null || functions === null ? [] : [{fd: 9, ip: '::1', id: `pid_${pid}_6745a1b2`, functions}],
  }));
}

const named = (classes: readonly string[], prefix = PREFIX) => classes.map((name) => `${prefix}-${name}`);
const COMPLETE = {'a:4730': named(CLASSES), 'b:4730': named(CLASSES)};

async function world(registers: World['registers'], options: Partial<UnitState> & {lingers?: boolean} = {}) {
  const {lingers, ...fields} = options;
  const made: World = {systemd: new FakeSystemd(), registers, lingers};
  made.systemd.install(UNIT, fields);
  const service: ServiceOptions = {
    manager: made.systemd,
    units: await made.systemd.show([UNIT]),
    site: {prefix: PREFIX, workerTypes: {general: CLASSES, sword: ['qtSwordPluginWorker']}},
    askServers: () => answers(made),
    readLimit: async (unit) => startLimit(unit, null, new Date()),
    waitSeconds: 0,
  };
  return {...made, service, unit: async () => (await made.systemd.show([UNIT]))[0]!};
}

test.each([
  ['all abilities everywhere', COMPLETE, true, /registered 2 abilities with a:4730, b:4730/],
  [
    'none with one server',
    {...COMPLETE, 'b:4730': []},
    false,
    /registered nothing with b:4730: it runs no jobs/,
  ],
  [
    'one missing',
    {...COMPLETE, 'b:4730': named(['arObjectMoveJob'])},
    false,
    /not registered arFindingAidJob with b:4730/,
  ],
  [
    'a silent server',
    {...COMPLETE, 'b:4730': null},
    false,
    /does not know what it has registered with b:4730/,
  ],
  [
    'another prefix, as in a container or after workers_key changed',
    {'a:4730': named(CLASSES, 'f'.repeat(32))},
    false,
    /under another prefix \(f{32}\) than that of this site/,
  ],
])('start, with %s', async (_, registers, done, message) => {
  const {service, unit} = await world(registers);
  const [change] = await startWorker({...service, reset: false});
  expect(change).toMatchObject({unit: UNIT, done, message: expect.stringMatching(message), mainPid: 101});
  expect((await unit()).active).toBe('active');
});

test("only what the unit's own command asks for is expected of it", async () => {
  const some = {'a:4730': named(['arObjectMoveJob'])};
  for (const options of ['--abilities=arObjectMoveJob', '--abilities "arObjectMoveJob"']) {
    const {service} = await world(some, {command: `/usr/bin/php symfony jobs:worker ${options}`});
    expect(await startWorker({...service, reset: false})).toMatchObject([{done: true}]);
  }
  const {service} = await world(some, {command: '/usr/bin/php symfony jobs:worker --types=general'});
  expect(await startWorker({...service, reset: false})).toMatchObject([{done: false}]);
});

test('start at the start limit explains it; with reset it starts', async () => {
  const {service, systemd, unit} = await world(COMPLETE);
  await systemd.change('start', UNIT);
  for (let crash = 1; crash <= 3; crash++) systemd.exit(UNIT, 255);
  const [refused] = await startWorker({...service, reset: false});
  expect(refused).toMatchObject({
    done: false,
    message: expect.stringMatching(/exit status 255: PHP ended.*start limit of 3 starts in 1d.*--reset/),
  });
  expect(await restartWorker({...service, reset: true})).toMatchObject([{done: true}]);
  expect((await unit()).active).toBe('active');
});

test('a restart with all starts used leaves the worker running', async () => {
  const {service, systemd, unit} = await world(COMPLETE);
  await systemd.change('start', UNIT);
  const used = async (unit: UnitState) => ({...startLimit(unit, null, new Date()), startsUsed: 3});
  const [change] = await restartWorker({...service, readLimit: used, reset: false});
  expect(change).toMatchObject({done: false, message: expect.stringContaining('was not stopped')});
  expect((await unit()).mainPid).toBe(101);
});

test('a restart past the limit that no journal tells of clears the count: a worker that ran runs again', async () => {
  const {service, systemd, unit} = await world(COMPLETE);
  await systemd.change('start', UNIT);
  for (let restart = 1; restart < 3; restart++) await systemd.change('restart', UNIT);
  const [change] = await restartWorker({...service, reset: false});
  expect(change).toMatchObject({
    done: true,
    message: expect.stringMatching(
      /^All of its 3 starts in 1d were used, so their count was cleared\. .*registered/,
    ),
    mainPid: 104,
  });
  expect(await unit()).toMatchObject({active: 'active', mainPid: 104});
});

test('stop is done when the connections have gone, wherever Gearman could be asked', async () => {
  const {service, systemd} = await world(COMPLETE);
  await systemd.change('start', UNIT);
  expect(await stopWorker(service)).toMatchObject([
    {
      done: true,
      message: `${UNIT} is stopped, and its abilities are removed from a:4730, b:4730.`,
      mainPid: null,
    },
  ]);

  const lingering = await world(COMPLETE, {lingers: true});
  await lingering.systemd.change('start', UNIT);
  expect(await stopWorker(lingering.service)).toMatchObject([
    {done: false, message: expect.stringContaining('still connected')},
  ]);

  const silent = await world({...COMPLETE, 'b:4730': null});
  await silent.systemd.change('start', UNIT);
  expect(await stopWorker(silent.service)).toMatchObject([
    {done: false, message: expect.stringContaining('b:4730 did not answer')},
  ]);
});

test.each([
  ['healthy', COMPLETE, {enablement: 'enabled'}, 'ok', []],
  ['not enabled', COMPLETE, {}, 'warning', [/not enabled: it will not start/]],
  [
    'nothing registered',
    {'a:4730': []},
    {enablement: 'enabled'},
    'critical',
    [/active \(PID 101\), but it has registered nothing/],
  ],
  [
    'some missing',
    {'a:4730': named(['arObjectMoveJob'])},
    {enablement: 'enabled'},
    'warning',
    [/has not registered arFindingAidJob with a:4730/],
  ],
  [
    'a silent server',
    {...COMPLETE, 'b:4730': null},
    {enablement: 'enabled'},
    'critical',
    [/^b:4730 did not answer\.$/],
  ],
])('status: %s', async (_, registers, fields, status, problems) => {
  const {service, systemd} = await world(registers, fields);
  await systemd.change('start', UNIT);
  const report = await workerStatus({...service, units: await systemd.show([UNIT]), executing: []});
  expect(report.status).toBe(status);
  expect(report.problems).toEqual(problems.map((problem) => expect.stringMatching(problem)));
});

test('a worker without a unit is shown, and is not taken for one of a unit', async () => {
  const {service, systemd} = await world(COMPLETE, {enablement: 'enabled'});
  await systemd.change('start', UNIT);
  const askServers = async () => {
    const [first, ...rest] = await service.askServers();
    const stranger = {fd: 10, ip: '172.18.0.4', id: 'pid_7_6745ffff', functions: named(['arObjectMoveJob'])};
    const foreign = {...stranger, fd: 11, id: 'pid_8_6745eeee', functions: named(CLASSES, 'f'.repeat(32))};
    return [{...first!, connections: [...first!.connections, stranger, foreign]}, ...rest];
  };
  const report = await workerStatus({
    ...service,
    units: await systemd.show([UNIT]),
    askServers,
    executing: [],
  });
  expect(report.unmanaged).toEqual([
    {id: 'pid_7_6745ffff', pid: 7, ip: '172.18.0.4', abilities: ['arObjectMoveJob'], servers: ['a:4730']},
  ]);
});
