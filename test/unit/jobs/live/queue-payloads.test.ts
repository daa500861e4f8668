import {beforeEach, describe, expect, it, vi} from 'vitest';
import {AtomctlError} from '../../../../src/errors.ts';
import {formatAddress, type ServerAddress} from '../../../../src/gearman/address.ts';
import {
  isJobOfRow,
  probeSite,
  type QueueOptions,
  takeFromSite,
} from '../../../../src/jobs/live/queue-payloads.ts';
import type {ProbedJob} from '../../../../src/queue/probe/held-jobs.ts';
import type {LeftFunction} from '../../../../src/queue/probe/hold-waiting.ts';
import type {ProbeOptions} from '../../../../src/queue/probe/probe.ts';
import {prefixesOf} from '../../../support/quiet-host.ts';
import {FakeGearman} from '../../../support/servers/fake-gearman.ts';
import {nameOf, PREFIX} from '../health/a-queue.ts';

const FINDING_AID = nameOf('arFindingAidJob');
const MOVE = nameOf('arObjectMoveJob');
const IMPORT = nameOf('arFileImportJob');
const OTHER = 'e'.repeat(32);
const LEFT = new AtomctlError('REFUSED', 'A worker for them is free.');
const UNKNOWN = `${OTHER}-arFindingAidJob`;

/** What a probe of a server does (test/integration/queue/probe): one job of each function waits, one was taken. */
const probe = vi.hoisted(() => ({
  asked: [] as [string, readonly string[], ProbeOptions][],
  fails: new Map<string, Error>(),
  left: new Map<string, LeftFunction[]>(),
  /** Hosts in the order in which their locks are released. */
  ended: [] as string[],
}));
vi.mock('../../../../src/queue/probe/probe.ts', () => ({
  probeQueue: async (address: ServerAddress, functions: readonly string[], options: ProbeOptions) => {
    probe.asked.push([formatAddress(address), functions, options]);
    const error = probe.fails.get(address.host);
    if (error) throw error;
    const removed = functions.map((name) => aJob({function: name, handle: 'H:taken'}));
    const left = probe.left.get(address.host) ?? [];
    await options.settle?.(removed, left);
    probe.ended.push(address.host);
    return {
      jobs: functions.map((name) => aJob({function: name, handle: 'H:waits'})),
      removed,
      refused: [new AtomctlError('REFUSED', `${address.host} limits retries.`)],
      left,
    };
  },
}));

beforeEach(() => {
  probe.asked = [];
  probe.ended = [];
  probe.fails.clear();
  probe.left.clear();
});

function aJob(more: Partial<ProbedJob>): ProbedJob {
  return {handle: 'H:1', unique: 'k', function: FINDING_AID, jobId: 1, name: null, objectId: null, ...more};
}

/** A server with a job in each of these functions. */
function gearmand(host: string, ...functions: string[]): FakeGearman {
  const server = new FakeGearman({host});
  for (const name of functions) server.submit(name, 'k');
  return server;
}

function options(...servers: FakeGearman[]): QueueOptions {
  return {
    servers: servers.map((server) => ({address: server.address, server})),
    prefixes: prefixesOf(PREFIX),
    timeoutSeconds: 5,
  };
}
const asked = () => probe.asked.map(([server, functions]) => [server, functions]);

describe('a probe of the site', () => {
  it("asks each server once for the functions with jobs that are the site's, or may be", async () => {
    const one = gearmand('one', FINDING_AID, UNKNOWN, MOVE, 'reverse');
    one.work([IMPORT]);
    await probeSite(options(one, gearmand('two', MOVE), gearmand('three')));
    expect(asked()).toEqual([
      ['one:4730', [FINDING_AID, UNKNOWN, MOVE]],
      ['two:4730', [MOVE]],
    ]);
  });

  it('reads jobs that execute too: another atomctl may hold them', async () => {
    const server = gearmand('one', FINDING_AID);
    server.work([FINDING_AID]).grab();
    await probeSite(options(server));
    expect(asked()).toEqual([['one:4730', [FINDING_AID]]]);
  });

  it("leaves the functions of a site that is known to be another's", async () => {
    const site = options(gearmand('one', FINDING_AID, UNKNOWN));
    await probeSite({...site, prefixes: {...site.prefixes, foreign: async () => new Set([OTHER])}});
    expect(asked()).toEqual([['one:4730', [FINDING_AID]]]);
  });

  it('says of each job in which queue and on which server it is', async () => {
    const {waiting, removed, problems} = await probeSite(
      options(gearmand('one', FINDING_AID), gearmand('two', MOVE)),
    );
    const at = (name: string, server: string, handle: string) => ({
      ...aJob({function: name, handle}),
      queue: `${name} ${server}`,
      server,
    });
    const byServer = (jobs: readonly {server: string}[]) =>
      [...jobs].sort((one, other) => one.server.localeCompare(other.server));
    expect(byServer(waiting)).toEqual([
      at(FINDING_AID, 'one:4730', 'H:waits'),
      at(MOVE, 'two:4730', 'H:waits'),
    ]);
    expect(byServer(removed)).toEqual([
      at(FINDING_AID, 'one:4730', 'H:taken'),
      at(MOVE, 'two:4730', 'H:taken'),
    ]);
    expect(problems.map(({message}) => message).sort()).toEqual([
      'one limits retries.',
      'two limits retries.',
    ]);
  });

  it('goes on with the next server if one fails, and says why', async () => {
    const failure = new AtomctlError('LOCKED', 'Another atomctl probes.');
    probe.fails.set('one', failure);
    const {waiting, problems} = await probeSite(
      options(gearmand('one', FINDING_AID), gearmand('two', FINDING_AID)),
    );
    expect([waiting.length, problems.length, problems[0]]).toEqual([1, 2, failure]);
  });

  it('does not hide a mistake of its own', async () => {
    probe.fails.set('one', new TypeError('A mistake.'));
    await expect(probeSite(options(gearmand('one', FINDING_AID)))).rejects.toThrow('A mistake.');
  });
});

describe('jobs are taken', () => {
  const taking = {take: () => true, settle: async () => {}};

  it("from the site's own functions alone that may hold rows of these names", async () => {
    const servers = [gearmand('one', FINDING_AID, UNKNOWN, MOVE, IMPORT)];
    await takeFromSite({...options(...servers), ...taking, names: ['arFindingAidJob', 'arFileImportJob']});
    await takeFromSite({...options(...servers), ...taking, names: ['Mein Auftrag']});
    await takeFromSite({...options(...servers), ...taking, names: []});
    expect(asked()).toEqual([
      ['one:4730', [FINDING_AID, IMPORT]],
      ['one:4730', [FINDING_AID, MOVE, IMPORT]],
    ]);
  });

  it('by the given choice, within the given time, until the signal', async () => {
    const {signal} = new AbortController();
    await takeFromSite({
      ...options(gearmand('one', FINDING_AID)),
      ...taking,
      signal,
      names: ['arFindingAidJob'],
    });
    expect(probe.asked[0]![2]).toMatchObject({timeoutSeconds: 5, signal});
    expect(probe.asked[0]![2].take!(aJob({}))).toBe(true);
  });
});

it('jobs that were taken from several servers are settled once, while all of these are locked', async () => {
  const settled: unknown[] = [];
  probe.fails.set('three', new AtomctlError('GEARMAN_TIMEOUT', 'No answer.'));
  for (const host of ['one', 'two']) probe.left.set(host, [{function: MOVE, reason: LEFT}]);
  const hosts = ['one', 'two', 'three', 'four'];
  await takeFromSite({
    ...options(...hosts.map((host) => gearmand(host, FINDING_AID))),
    names: ['arFindingAidJob'],
    take: () => true,
    settle: async (jobs, unread) => {
      settled.push([jobs.map(({server}) => server), [...probe.ended]]);
      expect(unread).toEqual([
        {server: 'one:4730', jobClass: 'arObjectMoveJob', reason: LEFT},
        {server: 'two:4730', jobClass: 'arObjectMoveJob', reason: LEFT},
        {server: 'three:4730', jobClass: null, reason: expect.objectContaining({message: 'No answer.'})},
      ]);
    },
  });
  expect(settled).toEqual([[['one:4730', 'two:4730', 'four:4730'], []]]);
  expect(probe.ended).toEqual(['four', 'two', 'one']);
});

describe("a payload in one of the site's functions", () => {
  it.each<[boolean, string, Partial<ProbedJob>]>([
    [true, 'of the same class and name', {name: 'arFindingAidJob'}],
    [false, 'of another class', {function: MOVE}],
    [false, 'of another name', {name: 'arObjectMoveJob'}],
    [false, 'of another object', {objectId: 8}],
  ])("is the row's: %s if it is %s", (isIts, _, job) => {
    const row = {name: 'arFindingAidJob', objectId: 7};
    expect(isJobOfRow(aJob({objectId: 7, ...job}), row)).toBe(isIts);
  });
});
