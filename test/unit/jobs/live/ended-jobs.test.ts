import {beforeEach, expect, it, vi} from 'vitest';
import {endedJobsInGearman, executingEndedJobs} from '../../../../src/jobs/live/ended-jobs.ts';
import {PROBE_LOCK} from '../../../../src/queue/function-name.ts';
import {uniqueKey} from '../../../../src/queue/unique-key.ts';
import {prefixesOf} from '../../../support/quiet-host.ts';
import {FakeGearman} from '../../../support/servers/fake-gearman.ts';
import {nameOf, PREFIX} from '../health/a-queue.ts';

const FINDING_AID = nameOf('arFindingAidJob');
const PARAMETERS = '{"name":"arFindingAidJob","objectId":"7","id":"1"}';
const ROW = {id: 1, name: 'arFindingAidJob', parameters: PARAMETERS};

const waiting = vi.hoisted(() => ({meanwhile: () => {}, times: 0}));
vi.mock('node:timers/promises', () => ({
  setTimeout: async () => {
    waiting.times += 1;
    waiting.meanwhile();
  },
}));

beforeEach(() => {
  Object.assign(waiting, {meanwhile: () => {}, times: 0});
});

/** A server on which a worker executes the job of a function. */
function executing(name = FINDING_AID, key = uniqueKey(name, PARAMETERS)!) {
  const server = new FakeGearman();
  server.submit(name, key);
  const worker = server.work([name]);
  return {server, worker, job: worker.grab()!};
}

async function found(server: FakeGearman, ids = [1], rows: object[] = [ROW]): Promise<number[]> {
  const query = vi.fn(async () => rows);
  const jobs = await executingEndedJobs(ids, {
    database: {query} as never,
    servers: [{address: server.address, server}],
    prefixes: prefixesOf(PREFIX),
  });
  if (ids.length === 0) expect(query).not.toHaveBeenCalled();
  return [...jobs.keys()];
}

it('finds a job that executes although its row has ended, and asks twice', async () => {
  expect(await found(executing().server)).toEqual([1]);
  expect(waiting.times).toBe(1);
});

it('finds where else it waits, so that a kill takes it out of there too', async () => {
  const {server} = executing();
  const other = new FakeGearman({host: 'other'});
  other.submit(FINDING_AID, uniqueKey(FINDING_AID, PARAMETERS)!);
  const jobs = await executingEndedJobs([1], {
    database: {query: async () => [ROW]} as never,
    servers: [server, other].map((each) => ({address: each.address, server: each})),
    prefixes: prefixesOf(PREFIX),
  });
  expect(jobs.get(1)!.map((place) => [place.server, place.running])).toEqual([
    [server, true],
    [other, false],
  ]);
});

it('finds none whose worker tells Gearman of the end within a second', async () => {
  const {server, worker, job} = executing();
  waiting.meanwhile = () => worker.end(job);
  expect(await found(server)).toEqual([]);
});

it('finds one that waited and begins within the second: Gearman has had it all the time', async () => {
  const {server} = executing();
  const other = {...ROW, id: 2, parameters: '{"name":"arFindingAidJob","objectId":"8","id":"2"}'};
  server.submit(FINDING_AID, uniqueKey(FINDING_AID, other.parameters)!);
  waiting.meanwhile = () => server.work([FINDING_AID]).grab();
  expect(await found(server, [1, 2], [ROW, other])).toEqual([1, 2]);
});

it('asks for nothing without ids, and waits for nothing if no job executes', async () => {
  expect(await found(executing().server, [])).toEqual([]);
  const idle = new FakeGearman();
  idle.submit(FINDING_AID, uniqueKey(FINDING_AID, PARAMETERS)!);
  expect(await found(idle)).toEqual([]);
  expect(await found(executing().server, [1], [])).toEqual([]);
  expect(waiting.times).toBe(0);
});

it('finds none by another key, of another class, or under a prefix that is not the site own', async () => {
  expect(await found(executing(FINDING_AID, 'another').server)).toEqual([]);
  const move = nameOf('arObjectMoveJob');
  expect(await found(executing(move).server)).toEqual([]);
  expect(await found(executing(`${'e'.repeat(32)}-arFindingAidJob`).server)).toEqual([]);
});

it('finds none while another atomctl holds jobs of the server: what waits seems to execute', async () => {
  const {server} = executing();
  server.submit(PROBE_LOCK, PROBE_LOCK);
  server.work([PROBE_LOCK], 'atomctl-probe').grab();
  expect(await found(server)).toEqual([]);
});

it('tells what executes from what waits, and asks for what a worker gave back meanwhile', async () => {
  const {server, worker} = executing();
  const other = {...ROW, id: 2, parameters: '{"name":"arFindingAidJob","objectId":"8","id":"2"}'};
  server.submit(FINDING_AID, uniqueKey(FINDING_AID, other.parameters)!);
  const access = {
    database: {query: async () => [ROW, other]} as never,
    servers: [{address: server.address, server}],
    prefixes: prefixesOf(PREFIX),
  };
  const ids = async () => {
    const jobs = await endedJobsInGearman([1, 2], access);
    return [[...jobs.executing.keys()], [...jobs.waiting.keys()]];
  };
  expect(await ids()).toEqual([[1], [2]]);
  waiting.meanwhile = () => worker.leave();
  expect(await ids()).toEqual([[], [1, 2]]);
});
