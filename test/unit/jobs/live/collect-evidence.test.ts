import {beforeEach, describe, expect, it, vi} from 'vitest';
import type {SiteTime} from '../../../../src/atom/site-time.ts';
import {AtomctlError} from '../../../../src/errors.ts';
import {formatAddress} from '../../../../src/gearman/address.ts';
import type {ServerConnection} from '../../../../src/gearman/server.ts';
import {
  type CollectOptions,
  collectEvidence,
  type HostFacts,
} from '../../../../src/jobs/live/collect-evidence.ts';
import type {ProbedPayload} from '../../../../src/jobs/live/evidence.ts';
import type {EndedName, RunningRow} from '../../../../src/jobs/model/running-jobs.ts';
import type {Queryable} from '../../../../src/mysql/database.ts';
import {PROBE_LOCK} from '../../../../src/queue/function-name.ts';
import {uniqueKey} from '../../../../src/queue/unique-key.ts';
import {prefixesOf, QUIET_HOST} from '../../../support/quiet-host.ts';
import {FakeGearman} from '../../../support/servers/fake-gearman.ts';
import {nameOf, PREFIX} from '../health/a-queue.ts';

/*
 * The rows are given as the database tells them (test/integration/jobs/live reads real ones), the servers are fakes that
 * pass the contract test of gearmand.
 */
const table = vi.hoisted(() => ({
  rows: [] as RunningRow[],
  ended: [] as EndedName[],
  questions: [] as string[],
}));
vi.mock('../../../../src/jobs/model/running-jobs.ts', () => ({
  runningRows: async () => table.rows,
  endedNames: async () => {
    table.questions.push('ended rows');
    return table.ended;
  },
}));
/** Time passes only while atomctl waits. */
vi.mock('node:timers/promises', () => ({
  setTimeout: async (ms: number) => void vi.advanceTimersByTime(ms),
}));

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 2, 4, 12);
const FINDING_AID = nameOf('arFindingAidJob');
const MOVE = nameOf('arObjectMoveJob');
const IMPORT = nameOf('arFileImportJob');
const UNKNOWN = `${'e'.repeat(32)}-arFindingAidJob`;
const PARAMETERS = '{"name":"arFindingAidJob","objectId":"7"}';
const KEY = uniqueKey(FINDING_AID, PARAMETERS)!;
/** A logged float may have had another key. */
const DOUBTFUL = '{"name":"arFindingAidJob","scale":2}';

/** A row that no worker has begun. */
function aRow(id: number, more: Partial<RunningRow> = {}): RunningRow {
  return {
    id,
    name: 'arFindingAidJob',
    objectId: null,
    startedAt: '2026-03-04 11:00:00',
    parameters: null,
    begun: null,
    starts: 0,
    finished: false,
    finishedAt: null,
    failed: false,
    logLength: 0,
    lastActivity: null,
    ...more,
  };
}
/** A row that a worker has begun. */
function begun(id: number, more: Partial<RunningRow> = {}): RunningRow {
  const at = '2026-03-04 11:10:00';
  return aRow(id, {
    parameters: PARAMETERS,
    begun: {first: at, last: at},
    starts: 1,
    logLength: 100,
    lastActivity: at,
    ...more,
  });
}

/** A clock in UTC whose every time was there an hour before, too. */
const TIME = {
  toEpochMs: (wall: string) => Date.parse(`${wall.replace(' ', 'T')}Z`),
  toEarliestMs: (wall: string) => Date.parse(`${wall.replace(' ', 'T')}Z`) - HOUR,
} as SiteTime;

interface Given {
  rows: RunningRow[];
  servers?: (FakeGearman | AtomctlError)[];
  ended?: EndedName[];
  /** What the second read finds, other than the first. */
  second?: {id: number; length: number}[];
  readOnly?: number | string;
  /** The answer to each way to ask for a replica. */
  replica?: Partial<Record<'REPLICA' | 'SLAVE', unknown[]>>;
  host?: Partial<HostFacts>;
  foreign?: readonly string[];
  probed?: ProbedPayload[];
  seenBefore?: ReadonlySet<number>;
}

beforeEach(() => {
  vi.useFakeTimers({toFake: ['performance', 'setTimeout']});
  table.questions = [];
});

/** What atomctl saw, and what it asked for beside rows, counts and keys. */
async function collect(given: Given) {
  const {rows, servers = [new FakeGearman()], host, foreign = [], replica = {SLAVE: []}} = given;
  Object.assign(table, {rows, ended: given.ended ?? []});
  const query = async (sql: string): Promise<unknown[]> => {
    const [, word] = /^SHOW (REPLICA|SLAVE) STATUS$/.exec(sql) ?? [];
    if (word === undefined) {
      const second = given.second ?? rows.map(({id, logLength}) => ({id, length: logLength}));
      return second.map((row) => ({...row, readOnly: given.readOnly ?? 0}));
    }
    table.questions.push('replica');
    const answer = replica[word as 'REPLICA'];
    if (answer === undefined) throw new AtomctlError('DATABASE_ERROR', 'No such word.');
    return answer;
  };
  const asking = <T extends object>(facts: T, what: string): T =>
    new Proxy(facts, {
      get(target, name) {
        const value = Reflect.get(target, name) as unknown;
        if (typeof value === 'function') table.questions.push(what);
        return value;
      },
    });
  const connections = servers.map(
    (server, at): ServerConnection =>
      server instanceof FakeGearman
        ? {address: server.address, server}
        : {address: {host: `away-${at}`, port: 4730}, error: server},
  );
  const options: CollectOptions = {
    database: {query} as unknown as Queryable,
    servers: connections,
    prefixes: asking({...prefixesOf(PREFIX), foreign: async () => new Set(foreign)}, 'sites'),
    time: TIME,
    now: () => new Date(NOW),
    host: asking({...QUIET_HOST, ...host}, 'host'),
    ...(given.probed && {probe: async () => given.probed!}),
    ...(given.seenBefore && {seenBefore: given.seenBefore}),
  };
  const collected = await collectEvidence(options);
  return {...collected, ...collected.evidence, asked: new Set(table.questions)};
}

/** A server on which jobs wait: function to keys. */
function gearmand(jobs: Record<string, string[]> = {}, host = '127.0.0.1'): FakeGearman {
  const server = new FakeGearman({host});
  for (const [name, keys] of Object.entries(jobs)) for (const key of keys) server.submit(name, key);
  return server;
}
/** A server on which a worker executes the first of these jobs. */
function executing(jobs: Record<string, string[]>): FakeGearman {
  const server = gearmand(jobs);
  server.work(Object.keys(jobs)).grab();
  return server;
}

describe('a row', () => {
  it('has the times of its log and of its insert, and the earliest that they may mean', async () => {
    const {rows, evidence} = await collect({
      rows: [
        begun(1, {
          objectId: 7,
          begun: {first: '2026-03-04 11:10:00', last: '2026-03-04 11:20:00'},
          starts: 2,
          finished: true,
          failed: true,
          lastActivity: '2026-03-04 11:30:00',
        }),
      ],
      servers: [gearmand({[FINDING_AID]: ['x']})],
      seenBefore: new Set([1]),
    });
    const at = (time: string) => Date.parse(`2026-03-04T${time}:00Z`);
    expect(evidence.rows).toEqual([
      {
        id: 1,
        name: 'arFindingAidJob',
        objectId: 7,
        createdMs: at('11:00'),
        createdEarliestMs: at('10:00'),
        begun: {earliestMs: at('10:10'), lastMs: at('11:20')},
        begunAt: '2026-03-04 11:20:00',
        starts: 2,
        finished: true,
        failed: true,
        lastActivityMs: at('11:30'),
        logGrew: false,
        key: 'exact',
        keyAsked: true,
        known: null,
        importFile: null,
        queues: [`${FINDING_AID} 127.0.0.1:4730`],
        arrived: false,
      },
    ]);
    expect(rows).toHaveLength(1);
    expect([...evidence.seenBefore]).toEqual([1]);
  });

  it('has no time that is not stored, or is not a date', async () => {
    const {evidence} = await collect({
      rows: [
        aRow(1, {startedAt: null}),
        aRow(2, {startedAt: '0000-00-00 00:00:00'}),
        begun(3, {begun: {first: '2026-03-04 11:10:00', last: null}, lastActivity: null}),
      ],
    });
    const [one, two, three] = evidence.rows;
    expect([one!.createdMs, one!.createdEarliestMs, one!.begun, one!.begunAt]).toEqual(Array(4).fill(null));
    expect([two!.createdMs, two!.createdEarliestMs]).toEqual([null, null]);
    expect(three).toMatchObject({
      begun: {earliestMs: Date.UTC(2026, 2, 4, 10, 10), lastMs: null},
      begunAt: '2026-03-04 11:10:00',
      lastActivityMs: null,
    });
    expect([...evidence.seenBefore]).toEqual([]);
  });

  it.each([
    ['exact', PARAMETERS],
    ['doubtful', DOUBTFUL],
    ['cut', '{"name":"arFindi'],
    ['none', null],
  ])('has a key that is %s with the parameters %s', async (key, parameters) => {
    const {evidence} = await collect({rows: [begun(1, {parameters})]});
    expect(evidence.rows[0]!.key).toBe(key);
  });

  it.each([
    ['/tmp/up.csv', 'arFileImportJob', '{"file":{"tmp_name":"/tmp/up.csv"}}'],
    // A name that is not AtoM's may be stored for any class.
    ['/tmp/up.csv', 'Importer', '{"file":{"tmp_name":"/tmp/up.csv"}}'],
    [null, 'arFindingAidJob', '{"file":{"tmp_name":"/tmp/up.csv"}}'],
    [null, 'arFileImportJob', null],
    [null, 'arFileImportJob', '{"file":{"tmp_name":"/tmp/up'],
    [null, 'arFileImportJob', '{"file":{"tmp_name":""}}'],
    [null, 'arFileImportJob', '{"file":{"tmp_name":7}}'],
    [null, 'arFileImportJob', '{"file":null}'],
    [null, 'arFileImportJob', '{"name":"arFileImportJob"}'],
  ])('imports the file %s if its name is %s and its parameters are %s', async (file, name, parameters) => {
    const {evidence} = await collect({rows: [begun(1, {name, parameters})]});
    expect(evidence.rows[0]!.importFile).toBe(file);
  });

  it('may be in each queue with jobs that may be of its class, on each server', async () => {
    const one = gearmand({[FINDING_AID]: ['a'], [MOVE]: ['b'], [UNKNOWN]: ['c']}, 'one');
    one.work([IMPORT]);
    const {evidence} = await collect({
      rows: [aRow(1), aRow(2, {name: 'Mein Auftrag'}), aRow(3, {name: 'arFileImportJob'}), aRow(4)],
      servers: [one, gearmand({[FINDING_AID]: ['d']}, 'two')],
    });
    const [finding, free, imported, again] = evidence.rows.map(({queues}) => queues);
    expect(finding).toEqual([`${FINDING_AID} one:4730`, `${UNKNOWN} one:4730`, `${FINDING_AID} two:4730`]);
    expect(free).toEqual([
      `${FINDING_AID} one:4730`,
      `${MOVE} one:4730`,
      `${UNKNOWN} one:4730`,
      `${FINDING_AID} two:4730`,
    ]);
    expect([imported, again]).toEqual([[], finding]);
  });

  it('is known as running or waiting where a server has its key', async () => {
    const server = executing({[FINDING_AID]: [KEY]});
    const {evidence, found} = await collect({rows: [begun(1), aRow(2)], servers: [server]});
    const queue = `${FINDING_AID} 127.0.0.1:4730`;
    expect(evidence.rows.map(({known}) => known)).toEqual([{queue, running: true}, null]);
    expect(found.get(1)).toMatchObject([{queue, function: FINDING_AID, unique: KEY}]);
    const {evidence: later} = await collect({rows: [begun(1)], servers: [gearmand({[FINDING_AID]: [KEY]})]});
    expect(later.rows[0]!.known).toEqual({queue, running: false});
  });

  it('that two servers know executes if it does so on one, and waits where no entry is cancelled', async () => {
    const [one, two] = [gearmand({[FINDING_AID]: [KEY]}, 'one'), gearmand({[FINDING_AID]: [KEY]}, 'two')];
    const known = async () => {
      const {evidence, found} = await collect({rows: [begun(1)], servers: [one, two]});
      expect(found.get(1)!.map(({server}) => server)).toEqual([one, two]);
      return evidence.rows[0]!.known;
    };
    expect(await known()).toEqual({queue: `${FINDING_AID} one:4730`, running: false});
    await one.cancel((await one.jobs())[0]!.handle);
    expect(await known()).toEqual({queue: `${FINDING_AID} two:4730`, running: false});
    two.work([FINDING_AID]).grab();
    expect(await known()).toEqual({queue: `${FINDING_AID} two:4730`, running: true});
  });
});

describe('the second read', () => {
  it('leaves out a row that has ended, which is a change', async () => {
    const {evidence} = await collect({rows: [aRow(1), aRow(2)], second: [{id: 2, length: 0}]});
    expect([evidence.rows.map(({id}) => id), evidence.unchanged]).toEqual([[2], false]);
  });

  it('may find a new row, which is a change', async () => {
    const second = [1, 2].map((id) => ({id, length: 0}));
    const {evidence} = await collect({rows: [aRow(1)], second});
    expect([evidence.rows.map(({id}) => id), evidence.unchanged]).toEqual([[1], false]);
  });

  it('may find another row in the place of one that ended', async () => {
    const {evidence} = await collect({rows: [aRow(1)], second: [{id: 2, length: 0}]});
    expect([evidence.rows, evidence.unchanged]).toEqual([[], false]);
  });

  it('shows a log that grew, and one that has begun to exist: a worker has the job', async () => {
    const second = [
      {id: 1, length: 101},
      {id: 2, length: 100},
      {id: 3, length: 60},
      {id: 4, length: 0},
    ];
    const {evidence} = await collect({rows: [begun(1), begun(2), aRow(3), aRow(4)], second});
    expect(evidence.rows.map((row) => row.logGrew)).toEqual([true, false, true, false]);
    const at = {earliestMs: Date.UTC(2026, 2, 4, 10, 10), lastMs: Date.UTC(2026, 2, 4, 11, 10)};
    expect(evidence.rows.map((row) => row.begun)).toEqual([at, at, {earliestMs: null, lastMs: null}, null]);
    expect(evidence.unchanged).toBe(true);
  });
});

describe('the database', () => {
  it.each([
    [true, 0],
    [true, '0'],
    [true, 'OFF'],
    [false, 1],
    [false, 'ON'],
  ])('is writable: %s if read_only is %s', async (writable, readOnly) => {
    expect((await collect({rows: [aRow(1)], readOnly})).writable).toBe(writable);
  });

  it.each<[boolean, string, Given['replica']]>([
    [true, 'no replica', {REPLICA: []}],
    [true, 'no replica, in the old words', {SLAVE: []}],
    [true, 'does not tell', {}],
    [false, 'a replica', {REPLICA: [{}]}],
    [false, 'a replica, in the old words', {SLAVE: [{}]}],
  ])('is taken for writable: %s if it says: %s', async (writable, _, replica) => {
    expect((await collect({rows: [aRow(1)], replica})).writable).toBe(writable);
  });
});

describe('the queues', () => {
  it("are the site's own, and those under a prefix that may be the site's, with jobs in them", async () => {
    const server = executing({[FINDING_AID]: ['a', 'b'], [UNKNOWN]: ['c'], reverse: ['d']});
    server.work([MOVE]);
    const {queues} = await collect({rows: [aRow(1)], servers: [server]});
    const at = {server: '127.0.0.1:4730'};
    expect(queues).toEqual([
      {
        ...at,
        queue: `${FINDING_AID} ${at.server}`,
        function: FINDING_AID,
        owner: 'site',
        total: 2,
        running: 1,
      },
      {...at, queue: `${UNKNOWN} ${at.server}`, function: UNKNOWN, owner: 'unknown', total: 1, running: 0},
    ]);
  });

  it("are not those of a site that is known to be another's", async () => {
    const server = gearmand({[FINDING_AID]: ['a'], [UNKNOWN]: ['b']});
    const {queues, evidence} = await collect({
      rows: [aRow(1)],
      servers: [server],
      foreign: ['e'.repeat(32)],
    });
    expect(queues.map((each) => each.function)).toEqual([FINDING_AID]);
    expect(evidence.rows[0]!.queues).toHaveLength(1);
  });

  /** Whether nothing has changed for these rows if this happens before the jobs of the server are counted again. */
  async function unchangedAfter(act: (server: FakeGearman) => unknown, rows = [aRow(1)]): Promise<boolean> {
    const server = gearmand({[FINDING_AID]: ['a', 'b'], [IMPORT]: ['c']});
    let times = 0;
    const {status} = server;
    server.status = () => {
      times += 1;
      if (times === 2) act(server);
      return status();
    };
    return (await collect({rows, servers: [server]})).unchanged;
  }
  const arrive = (server: FakeGearman) => server.submit(FINDING_AID, 'd');

  it('changed if a job came, left or was taken before they were counted again', async () => {
    expect(await unchangedAfter(() => {})).toBe(true);
    expect(await unchangedAfter(arrive)).toBe(false);
    expect(await unchangedAfter((server) => server.work([FINDING_AID]).grab())).toBe(false);
    const execute = (server: FakeGearman) => {
      const worker = server.work([FINDING_AID]);
      worker.end(worker.grab()!);
    };
    expect(await unchangedAfter(execute)).toBe(false);
    // A queue that was empty holds none of the rows that were read.
    expect(await unchangedAfter((server) => server.submit(MOVE, 'd'))).toBe(true);
  });

  it.each<[boolean, string, RunningRow[]]>([
    [false, 'its key decides', [begun(1)]],
    [false, 'no queue may hold it', [aRow(1, {name: 'arObjectMoveJob'})]],
    [false, 'counts decide for another', [begun(1), aRow(2)]],
  ])('are taken as unchanged: %s for a job if %s', async (unchanged, _, rows) => {
    expect(await unchangedAfter(arrive, rows)).toBe(unchanged);
  });

  it('changed if a server did not answer the second time', async () => {
    const server = gearmand({[FINDING_AID]: ['a']});
    const {status} = server;
    let times = 0;
    server.status = () => {
      times += 1;
      if (times === 2) server.failure = new AtomctlError('GEARMAN_TIMEOUT', 'No answer.');
      return status();
    };
    expect((await collect({rows: [aRow(1)], servers: [server]})).unchanged).toBe(false);
  });
});

describe('a job that comes to Gearman while the processes are read', () => {
  const FOREIGN = UNKNOWN.slice(0, 32);

  /** The rows that it may be of. */
  async function arrived(
    rows: RunningRow[],
    act: (server: FakeGearman) => unknown,
    {jobs = {}, foreign = []}: {jobs?: Record<string, string[]>; foreign?: readonly string[]} = {},
  ): Promise<number[]> {
    const processes = async () => {
      act(server);
      return QUIET_HOST.processes();
    };
    const server = gearmand(jobs);
    const {evidence} = await collect({rows, servers: [server], host: {processes}, foreign});
    return evidence.rows.filter((row) => row.arrived).map(({id}) => id);
  }

  it('is of a row whose key it has', async () => {
    const rows = [begun(1), begun(2, {parameters: '{"name":"arFindingAidJob","objectId":"8"}'})];
    expect(await arrived(rows, () => {})).toEqual([]);
    expect(await arrived(rows, (server) => server.submit(FINDING_AID, KEY))).toEqual([1]);
    expect(await arrived(rows, (server) => server.submit(FINDING_AID, 'another'))).toEqual([]);
    expect(await arrived(rows, (server) => server.submit(MOVE, KEY))).toEqual([]);
  });

  it('may be of a row without a sure key if it is of its class, in a queue that had no job', async () => {
    const rows = [aRow(1), begun(2, {parameters: DOUBTFUL}), aRow(3, {name: 'arObjectMoveJob'})];
    expect(await arrived(rows, (server) => server.submit(FINDING_AID, 'x'))).toEqual([1, 2]);
    expect(await arrived(rows, (server) => server.submit(MOVE, 'x'))).toEqual([3]);
    expect(await arrived(rows, (server) => server.submit(UNKNOWN, 'x'))).toEqual([1, 2]);
    // Of one that had jobs the counts tell.
    const jobs = {[FINDING_AID]: ['a']};
    expect(await arrived([aRow(1)], (server) => server.submit(FINDING_AID, 'x'), {jobs})).toEqual([]);
  });

  it('is none if only a worker comes, or a job of another site', async () => {
    expect(await arrived([aRow(1)], (server) => server.work([FINDING_AID]))).toEqual([]);
    const other = {jobs: {[UNKNOWN]: ['a']}, foreign: [FOREIGN]};
    expect(await arrived([aRow(1)], (server) => server.submit(UNKNOWN, 'x'), other)).toEqual([]);
  });

  it('is not known of a server that does not answer any more: it is missing, once', async () => {
    const server = gearmand();
    const processes = async () => {
      server.failure = new AtomctlError('GEARMAN_TIMEOUT', 'No answer.');
      return QUIET_HOST.processes();
    };
    const {servers, missing} = await collect({rows: [begun(1)], servers: [server], host: {processes}});
    expect([servers[0]!.error, missing.map(({message}) => message)]).toEqual(['No answer.', ['No answer.']]);
  });
});

describe('a server', () => {
  const silent = new AtomctlError('GEARMAN_TIMEOUT', 'It did not answer.');

  it('that cannot be reached has its error, and the others answer', async () => {
    const {servers, missing} = await collect({rows: [begun(1)], servers: [silent, gearmand({}, 'two')]});
    expect(servers.map(({address, error}) => [address, error])).toEqual([
      ['away-0:4730', 'It did not answer.'],
      ['two:4730', null],
    ]);
    expect(missing).toEqual([silent]);
  });

  it('that counts but does not answer for keys is missing too', async () => {
    const server = gearmand({[FINDING_AID]: ['x']});
    server.statusOfUniqueKeys = () => Promise.reject(silent);
    const {servers, missing, evidence} = await collect({rows: [begun(1)], servers: [server]});
    expect([servers[0]!.error, missing]).toEqual(['It did not answer.', [silent]]);
    expect(evidence.rows[0]).toMatchObject({key: 'exact', keyAsked: false});
  });

  it('has the facts of its process if a job that began is in no queue', async () => {
    const gearmandFacts = async () => ({startedMs: NOW - HOUR, onlyLoopback: true});
    const {servers} = await collect({rows: [begun(1)], host: {gearmand: gearmandFacts}});
    const facts = {address: '127.0.0.1:4730', error: null, probing: false, ignored: 0};
    expect(servers).toEqual([{...facts, startedMs: NOW - HOUR, onlyLoopback: true}]);
    const never = await collect({rows: [aRow(1)], host: {gearmand: gearmandFacts}});
    expect(never.servers).toEqual([{...facts, startedMs: null, onlyLoopback: false}]);
  });
});

describe('cancelled entries', () => {
  /** Calls `act` when the server lists its jobs, after their keys were asked for. */
  function meanwhile(server: FakeGearman, act: () => void): FakeGearman {
    const {jobs} = server;
    server.jobs = () => {
      act();
      return jobs();
    };
    return server;
  }

  it('that wait are counted, by server, if a key is known as waiting', async () => {
    const [one, two] = [gearmand({[FINDING_AID]: [KEY]}, 'one'), gearmand({[MOVE]: ['x', 'y', 'z']}, 'two')];
    // The one that runs goes with its worker.
    two.work([MOVE]).grab();
    for (const job of await two.jobs()) await two.cancel(job.handle);
    const {servers} = await collect({rows: [begun(1)], servers: [one, two]});
    expect(servers.map(({ignored}) => ignored)).toEqual([0, 2]);
    const none = await collect({rows: [aRow(1)], servers: [one, two]});
    expect(none.servers.map(({ignored}) => ignored)).toEqual([0, 0]);
  });

  it('beside a server that cannot be reached are counted all the same', async () => {
    const server = gearmand({[FINDING_AID]: [KEY], [MOVE]: ['x']});
    await server.cancel((await server.jobs())[1]!.handle);
    const refused = new AtomctlError('GEARMAN_UNREACHABLE', 'Refused.');
    const {servers, missing} = await collect({rows: [begun(1)], servers: [refused, server]});
    expect(servers.map(({ignored}) => ignored)).toEqual([0, 1]);
    expect(missing).toEqual([refused]);
  });

  it('make atomctl ask again: a worker took the job meanwhile', async () => {
    const server = gearmand({[FINDING_AID]: [KEY]});
    meanwhile(server, () => server.work([FINDING_AID]).grab());
    const {evidence} = await collect({rows: [begun(1)], servers: [server]});
    expect(evidence.rows[0]!.known).toEqual({queue: `${FINDING_AID} 127.0.0.1:4730`, running: true});
  });

  it('make atomctl ask again: the entry is gone', async () => {
    const server = gearmand({[FINDING_AID]: [KEY]});
    meanwhile(server, () => {
      const worker = server.work([FINDING_AID]);
      worker.end(worker.grab()!);
    });
    const {evidence} = await collect({rows: [begun(1)], servers: [server]});
    expect(evidence.rows[0]).toMatchObject({known: null, keyAsked: true});
  });

  it('make atomctl ask again each server for its own jobs alone', async () => {
    const other = '{"name":"arFindingAidJob","objectId":"8"}';
    const [one, two] = [gearmand({[FINDING_AID]: [KEY]}, 'one'), gearmand({[FINDING_AID]: []}, 'two')];
    two.submit(FINDING_AID, uniqueKey(FINDING_AID, other)!);
    const {evidence} = await collect({rows: [begun(1), begun(2, {parameters: other})], servers: [one, two]});
    expect(evidence.rows.map(({known}) => known?.queue)).toEqual([
      `${FINDING_AID} one:4730`,
      `${FINDING_AID} two:4730`,
    ]);
  });

  it('that cannot be listed leave what waits unknown, and what runs known', async () => {
    const silent = new AtomctlError('GEARMAN_TIMEOUT', 'It did not answer.');
    const running = '{"name":"arFindingAidJob","objectId":"8"}';
    const server = executing({[FINDING_AID]: [uniqueKey(FINDING_AID, running)!, KEY]});
    server.jobs = () => Promise.reject(silent);
    const {evidence, servers, missing} = await collect({
      rows: [begun(1), begun(2, {parameters: running})],
      servers: [server],
    });
    expect(evidence.rows.map(({known, keyAsked}) => [known?.running, keyAsked])).toEqual([
      [undefined, false],
      [true, true],
    ]);
    expect([servers[0]!.error, missing]).toEqual(['It did not answer.', [silent]]);
  });

  it('show that another atomctl began to hold jobs meanwhile', async () => {
    const server = gearmand({[FINDING_AID]: [KEY]});
    meanwhile(server, () => holdLock(server));
    const {servers} = await collect({rows: [begun(1)], servers: [server]});
    expect(servers[0]!.probing).toBe(true);
  });
});

/** As an atomctl that probes now. */
function holdLock(server: ReturnType<typeof gearmand>): void {
  server.submit(PROBE_LOCK, PROBE_LOCK);
  server.work([PROBE_LOCK], `atomctl-probe-ab-${Math.floor(NOW / 1000)}`).grab();
}

describe('another atomctl that holds jobs', () => {
  const seconds = Math.floor(NOW / 1000);

  it('is waited for, a second at most', async () => {
    const server = gearmand({[FINDING_AID]: ['a']});
    holdLock(server);
    const begin = performance.now();
    const {servers} = await collect({rows: [aRow(1)], servers: [server]});
    expect(servers[0]!.probing).toBe(true);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(1000);
    expect(performance.now() - begin).toBeLessThan(1100);
  });

  it('is gone after a moment', async () => {
    const server = gearmand({[FINDING_AID]: ['a'], [PROBE_LOCK]: [PROBE_LOCK]});
    const holder = server.work([PROBE_LOCK], `atomctl-probe-ab-${seconds}`);
    const lock = holder.grab()!;
    const {status} = server;
    server.status = () => {
      if (performance.now() - begin > 50) holder.end(lock);
      return status();
    };
    const begin = performance.now();
    const {servers} = await collect({rows: [aRow(1)], servers: [server]});
    expect(servers[0]!.probing).toBe(false);
    expect(performance.now() - begin).toBeLessThan(200);
  });

  it('is not waited for if there is no row', async () => {
    const server = gearmand({});
    holdLock(server);
    const begin = performance.now();
    const {servers} = await collect({rows: [], servers: [server]});
    expect([servers[0]!.probing, performance.now() - begin]).toEqual([true, 0]);
  });

  it('is noticed only when the keys are asked for, if it began then', async () => {
    const server = gearmand({[FINDING_AID]: ['a']});
    const {statusOfUniqueKeys} = server;
    server.statusOfUniqueKeys = async (keys) => {
      const answers = await statusOfUniqueKeys(keys);
      return answers.map((answer, at) => (at === answers.length - 1 ? {known: true, running: true} : answer));
    };
    expect((await collect({rows: [begun(1)], servers: [server]})).servers[0]!.probing).toBe(true);
  });

  it('is a client that never leaves, if it has held the lock for longer than a probe lasts', async () => {
    const server = gearmand({[FINDING_AID]: [KEY], [PROBE_LOCK]: [PROBE_LOCK]});
    server.work([PROBE_LOCK], `atomctl-probe-ab-${seconds - 3600}`).grab();
    const begin = performance.now();
    const {servers} = await collect({rows: [begun(1)], servers: [server]});
    expect([servers[0]!.probing, performance.now() - begin]).toEqual([false, 0]);
  });
});

describe('the payloads that a probe read', () => {
  const read = (server: FakeGearman, handle: string): ProbedPayload => ({
    queue: `${FINDING_AID} ${formatAddress(server.address)}`,
    server: formatAddress(server.address),
    handle,
    jobId: 1,
    name: null,
    objectId: null,
  });

  it('count as long as their jobs wait', async () => {
    const server = gearmand({}, 'one');
    const [taken, ended, waiting] = ['a', 'b', 'c'].map((key) => server.submit(FINDING_AID, key));
    const worker = server.work([FINDING_AID]);
    worker.grab();
    worker.end(worker.grab()!);
    const probed = [taken, ended, waiting].map((handle) => read(server, handle!));
    const {payloads} = await collect({rows: [aRow(1)], servers: [gearmand({}, 'two'), server], probed});
    expect(payloads).toEqual([read(server, waiting!)]);
  });

  it('do not count if their server does not answer any more', async () => {
    const [one, two] = [gearmand({}, 'one'), gearmand({}, 'two')];
    const probed = [one, two].map((server) => read(server, server.submit(FINDING_AID, 'a')));
    one.statusOfHandles = () => Promise.reject(new AtomctlError('GEARMAN_TIMEOUT', 'No answer.'));
    const {payloads} = await collect({rows: [aRow(1)], servers: [one, two], probed});
    expect(payloads).toEqual([probed[1]]);
    const gone = {...read(two, 'H:1'), server: 'away-1:4730'};
    const away = new AtomctlError('GEARMAN_UNREACHABLE', 'Refused.');
    expect((await collect({rows: [aRow(1)], servers: [two, away], probed: [gone]})).payloads).toEqual([]);
  });
});

describe('ended rows', () => {
  const uploaded = (file: string) => `{"file":{"tmp_name":"${file}"}}`;

  it('are read if one of their jobs can be taken for one that a row began', async () => {
    const latest = '2026-03-04 11:50:00';
    const {ended} = await collect({
      rows: [begun(1, {parameters: null}), aRow(2)],
      ended: [
        {name: 'arFileImportJob', latest, atWork: true, imports: [uploaded('/a'), '{', uploaded('/b')]},
        {name: 'arObjectMoveJob', latest: null, atWork: false, imports: [uploaded('/c')]},
      ],
    });
    expect(ended).toEqual([
      {
        name: 'arFileImportJob',
        latestMs: Date.UTC(2026, 2, 4, 11, 50),
        atWork: true,
        importFiles: ['/a', '/b'],
      },
      {name: 'arObjectMoveJob', latestMs: null, atWork: false, importFiles: []},
    ]);
  });

  it.each<[boolean, string, RunningRow]>([
    [true, 'counts may decide, as it logged no parameters', begun(1, {parameters: null})],
    [true, 'counts may decide, as its key may be another one', begun(1, {parameters: DOUBTFUL})],
    [
      true,
      'a process may import its file',
      begun(1, {name: 'arFileImportJob', parameters: '{"file":{"tmp_name":"/tmp/up.csv"}}'}),
    ],
    [false, 'its key decides', begun(1)],
    [false, 'it never began', aRow(1)],
  ])('are asked for: %s of a row if %s', async (asks, _, row) => {
    const ended = [{name: 'arObjectMoveJob', latest: null, atWork: false, imports: []}];
    const found = await collect({rows: [row], ended});
    expect([found.ended.length > 0, found.asked.has('ended rows')]).toEqual([asks, asks]);
  });
});

describe('what this host can tell', () => {
  const busy = (total: number, active: number, name = FINDING_AID) => {
    const server = gearmand({[name]: Array.from({length: total}, (_, at) => `other-${at}`)});
    const worker = server.work([name]);
    for (let count = 0; count < active; count += 1) worker.grab();
    return server;
  };
  const importing = {
    name: 'arFileImportJob',
    parameters: '{"name":"arFileImportJob","file":{"tmp_name":"/tmp/up.csv"}}',
  };

  it.each<[boolean, string, Given]>([
    [true, 'it is in no queue', {rows: [aRow(1)]}],
    [true, 'its key is known nowhere', {rows: [begun(1)], servers: [busy(1, 1)]}],
    [true, 'another may be the one that runs', {rows: [begun(1, {parameters: null})], servers: [busy(1, 1)]}],
    [true, 'its file may be imported', {rows: [begun(1, importing)], servers: [busy(1, 0, IMPORT)]}],
    [
      true,
      'one of two is in no queue',
      {rows: [begun(1), aRow(2, {name: 'arObjectMoveJob'})], servers: [executing({[FINDING_AID]: [KEY]})]},
    ],
    [
      false,
      'a server knows its key as running',
      {rows: [begun(1)], servers: [executing({[FINDING_AID]: [KEY]})]},
    ],
    [
      false,
      'a server knows its key as waiting',
      {rows: [begun(1)], servers: [gearmand({[FINDING_AID]: [KEY]})]},
    ],
    [
      false,
      'it began, and jobs that may be it wait',
      {rows: [begun(1, {parameters: null})], servers: [busy(1, 0)]},
    ],
    [false, 'it never began, and a job that may be it runs', {rows: [aRow(1)], servers: [busy(1, 1)]}],
    [
      false,
      'a server knows its key as running, and its file is imported',
      {
        rows: [begun(1, importing)],
        servers: [executing({[IMPORT]: [uniqueKey(IMPORT, importing.parameters)!]})],
      },
    ],
    [false, 'no job is running', {rows: []}],
  ])('is asked for: %s of a job if %s', async (asks, _, given) => {
    const {host, asked} = await collect(given);
    expect([host !== null, asked.has('host'), asked.has('replica')]).toEqual([asks, asks, asks]);
  });

  it('is not asked for of a job whose payload was seen', async () => {
    const server = gearmand({[FINDING_AID]: ['a']});
    const {handle} = (await server.jobs())[0]!;
    const at = {queue: `${FINDING_AID} 127.0.0.1:4730`, server: '127.0.0.1:4730'};
    const probed = [{...at, handle, jobId: 1, name: null, objectId: null}];
    expect((await collect({rows: [aRow(1)], servers: [server], probed})).host).toBeNull();
  });

  it('is in the evidence as it is told', async () => {
    const facts = {
      processes: async () => ({unreadable: 'Hidden.', workers: [], imports: [], otherSites: new Set([7])}),
      configChangedMs: async () => 5,
      serversNotAsked: async () => ['b:4730'],
      serversDoubt: async () => 'It is not known.',
      clock: async () => ({uncertaintyMs: 8, reason: 'Not observed.'}),
    };
    const {host} = await collect({rows: [aRow(1)], host: {...facts, workersStatedHere: true}});
    expect(host).toEqual({
      processes: {unreadable: 'Hidden.', workers: [], imports: [], otherSites: new Set([7])},
      workersStatedHere: true,
      configChangedMs: 5,
      serversNotAsked: ['b:4730'],
      serversDoubt: 'It is not known.',
      clock: {nowMs: NOW, uncertaintyMs: 8, reason: 'Not observed.'},
    });
  });
});

describe('the workers', () => {
  function connected(...functions: string[]): FakeGearman {
    const server = gearmand();
    server.work(functions, 'pid_1234_5f');
    return server;
  }

  it('are the connections that can do jobs of the site, with what they can do beside', async () => {
    const server = connected(FINDING_AID, MOVE);
    server.work([FINDING_AID, 'reverse'], 'other');
    server.work(['reverse'], 'pid_1_5f');
    const {workers} = await collect({rows: [aRow(1)], servers: [server]});
    const at = {ip: '127.0.0.1', server: '127.0.0.1:4730', fromHere: true};
    const [finding, move] = [FINDING_AID, MOVE].map((name) => `${name} ${at.server}`);
    expect(workers).toEqual([
      {...at, id: 'pid_1234_5f', pid: 1234, queues: [finding, move], doesOthers: false},
      {...at, id: 'other', pid: null, queues: [finding], doesOthers: true},
    ]);
  });

  it('are from this host as far as it says so, which is asked only if a job is in no queue', async () => {
    const server = connected(FINDING_AID);
    const asked: string[][] = [];
    const comesFromHere = async (...connection: string[]) => {
      asked.push(connection);
      return asked.length > 1;
    };
    const first = await collect({rows: [aRow(1)], servers: [server], host: {comesFromHere}});
    const second = await collect({rows: [aRow(1)], servers: [server], host: {comesFromHere}});
    expect([first, second].map(({workers}) => workers[0]!.fromHere)).toEqual([false, true]);
    expect(asked).toEqual(Array(2).fill(['127.0.0.1', '127.0.0.1:4730']));
    server.submit(FINDING_AID, KEY);
    const third = await collect({rows: [begun(1)], servers: [server], host: {comesFromHere}});
    expect([third.workers[0]!.fromHere, asked.length]).toEqual([false, 2]);
  });

  it.each<[string, Record<string, string[]>]>([
    ['a job is in no queue', {}],
    ['jobs wait under its prefix', {[FINDING_AID]: [KEY], [UNKNOWN]: ['x']}],
  ])("are not those of a site that is known to be another's, if %s", async (_, jobs) => {
    const server = gearmand(jobs);
    server.work([UNKNOWN], 'pid_7_5f');
    const ids = async (foreign: readonly string[]) =>
      (await collect({rows: [begun(1)], servers: [server], foreign})).workers.map(({id}) => id);
    expect(await ids([])).toEqual(['pid_7_5f']);
    expect(await ids(['e'.repeat(32)])).toEqual([]);
  });

  it('are found without the other sites if every job is known, as nothing rests on them', async () => {
    const {asked} = await collect({rows: [begun(1)], servers: [gearmand({[FINDING_AID]: [KEY]})]});
    expect(asked.has('sites')).toBe(false);
  });
});
