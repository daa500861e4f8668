/** SIGKILL at the steps of queue:save, queue:restore and queue:hold. QUEUE_CRASH_POINTS=all strikes at every step. */
import {once} from 'node:events';
import {existsSync, readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {EXIT} from '../../src/errors.ts';
import {functionName} from '../../src/queue/function-name.ts';
import {readSavedQueue} from '../../src/queue/saved/saved-queue.ts';
import {uniqueKey} from '../../src/queue/unique-key.ts';
import {startAtomctl} from '../support/atomctl/start-atomctl.ts';
import {createScratch, type GearmanProcess, startGearmand, until} from '../support/sandbox.ts';
import {createQueueSite, handedOut, type QueueSite, submitJobs, takeAll} from '../support/site/queue-site.ts';
import {readsOnly} from './crash-points/messages.ts';
import {type Moment, type WatchedServers, watchServers} from './crash-points/watched-servers.ts';

const PLAIN = 'arFindingAidJob';
const SERIAL = 'arFileImportJob';
/** The steps at which npm test strikes, of each command. */
const STRUCK = 2;

let gearmand: GearmanProcess;
let at: QueueSite;
let servers: WatchedServers;
let file: string;

beforeAll(async () => {
  gearmand = await startGearmand();
  at = await createQueueSite(gearmand);
  servers = await watchServers({mysql: at.site.config.port, gearman: gearmand.address.port});
  file = join(createScratch('queue-crash'), 'queue.json');
});

afterAll(async () => {
  await servers.close();
  await at.drop();
  await gearmand.kill();
});

async function run(
  args: readonly string[],
  watch: (moment: Moment) => boolean = () => false,
): Promise<number | null> {
  const {databaseUrl, config, env} = at.site;
  const ways = {
    ATOMCTL_GEARMAN: `127.0.0.1:${servers.gearmanPort}`,
    ATOMCTL_DATABASE_URL: databaseUrl.replace(`:${config.port}/`, `:${servers.mysqlPort}/`),
  };
  const {child, ended} = startAtomctl(args, {env: {...env, ...ways}});
  servers.watch(async (moment) => {
    if (!watch(moment)) return true;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    return false;
  });
  return (await ended).code;
}

/** The numbers of the requests before which the servers have something new: in between a SIGKILL leaves the same. */
async function stepsOf(args: readonly string[]): Promise<number[]> {
  let steps: number[] = [];
  let code: number | null = null;
  // The lock of a run that was killed may outlive it for a moment.
  await until(async () => {
    let count = 0;
    let changed = true;
    steps = [];
    code = await run(args, ({step, at: moment}) => {
      if (moment === 'reply') return false;
      if (changed) steps.push(count);
      changed = !readsOnly(step.name);
      count += 1;
      return false;
    });
    return code !== EXIT.refused;
  });
  expect(code).toBe(0);
  if (process.env.QUEUE_CRASH_POINTS === 'all') return steps;
  return Array.from(
    {length: STRUCK},
    (_, index) => steps[Math.floor(((index + 0.7) * steps.length) / STRUCK)]!,
  );
}

async function killAt(step: number, args: readonly string[]): Promise<void> {
  let count = 0;
  const code = await run(args, ({at: moment}) => moment === 'request' && count++ === step);
  // A hold asks again and again: it may end with fewer questions than the run that was counted.
  if (args[0] !== 'queue:hold') expect(code).toBeNull();
  // gearmand gives back what the process held.
  await until(async () => (await at.server.status()).every(({running}) => running === 0));
}

async function submitBoth(): Promise<number[]> {
  return [...(await submitJobs(at, 4, PLAIN)), ...(await submitJobs(at, 3, SERIAL))];
}

const drain = async () => [...(await handedOut(at.site, PLAIN)), ...(await handedOut(at.site, SERIAL))];
const sorted = (ids: readonly (number | null)[]) => [...ids].sort((one, other) => one! - other!);

test('SIGKILL during a save: every job waits once, and the copy is whole or not there', async () => {
  const args = ['queue:save', file, '--force'];
  let ids = await submitBoth();
  const steps = await stepsOf(args);
  for (const step of steps) {
    rmSync(file, {force: true});
    await killAt(step, args);
    if (existsSync(file)) expect(readSavedQueue(readFileSync(file, 'utf8'), file).jobs).toHaveLength(7);
    expect(await run(args), `after step ${step}`).toBe(0);
    const {jobs} = readSavedQueue(readFileSync(file, 'utf8'), file);
    expect(sorted(jobs.map(({payload}) => Number(JSON.parse(`${payload}`).id))), `step ${step}`).toEqual(ids);
    expect(sorted(await drain()), `step ${step}`).toEqual(ids);
    ids = await submitBoth();
  }
  await drain();
});

test('SIGKILL during a restore: the same command again submits the rest, each job once and in its order', async () => {
  const args = ['queue:restore', file, '--yes'];
  const ids = await submitBoth();
  expect(await run(['queue:save', file, '--force'])).toBe(0);
  await drain();
  const steps = await stepsOf(args);
  for (const step of steps) {
    await drain();
    await killAt(step, args);
    // MySQL frees the lock as it notices the end of the connection.
    await until(async () => (await run(args)) === 0);
    expect(await drain(), `step ${step}`).toEqual(ids);
  }
});

test('SIGKILL during a hold: every job waits once', async () => {
  const args = ['queue:hold', '--', 'true'];
  let ids = await submitBoth();
  for (const step of await stepsOf(args)) {
    await killAt(step, args);
    expect(sorted(await drain()), `step ${step}`).toEqual(ids);
    ids = await submitBoth();
  }
  await drain();
});

test('SIGKILL while a hold moves jobs to another prefix: the same command again moves the rest, and each job waits once', async () => {
  const old = 'f'.repeat(32);
  const args = ['queue:hold', '--from-prefix', old, '--re-prefix', '--', 'true'];
  const submitOld = async () => {
    const ids: number[] = [];
    for (let count = 0; count < 4; count += 1) {
      const id = await at.site.insertJob({name: PLAIN, status: 'running'});
      const name = functionName(old, PLAIN);
      const payload = JSON.stringify({objectId: '512', name: PLAIN, id: String(id)});
      await at.server.submitBackground({function: name, unique: uniqueKey(name, payload)!, payload});
      ids.push(id);
    }
    return ids;
  };
  let ids = await submitOld();
  const steps = await stepsOf(args);
  expect(await drain()).toEqual(ids);
  for (const step of steps) {
    ids = await submitOld();
    await killAt(step, args);
    await until(async () => (await run(args)) === 0);
    expect(await takeAll(at.site, functionName(old, PLAIN)), `step ${step}`).toEqual([]);
    expect(sorted(await drain()), `step ${step}`).toEqual(ids);
  }
});
