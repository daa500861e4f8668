/** Names of jobs on a Gearman server that would be commands of their own if they were sent back to it. */
import {afterAll, beforeAll, expect, test} from 'vitest';
import {connectServer} from '../../src/gearman/server.ts';
import {
  type AtomSite,
  createSite,
  type GearmanProcess,
  runAtomctl,
  startGearmand,
  submitBackground,
  submitJob,
} from '../support/sandbox.ts';

let gearmand: GearmanProcess;
let site: AtomSite;

beforeAll(async () => {
  gearmand = await startGearmand();
  site = await createSite({gearman: [gearmand.endpoint]});
});

afterAll(async () => {
  await site?.drop();
  await gearmand?.kill();
});

test('other jobs stay, and the server goes on, beside keys and functions that are commands', async () => {
  const {endpoint, address} = gearmand;
  const own = site.functionName('arFindingAidJob');
  const victims = await Promise.all(
    [1, 2, 3].map((id) => submitBackground(endpoint, 'victim', `victim-${id}`, '{}')),
  );
  const commands = ['shutdown', 'drop function victim', ...victims.map((handle) => `cancel job ${handle}`)];
  for (const command of commands) {
    await submitBackground(endpoint, own, `x\n${command}\n`, '{"id":"1"}');
    await submitBackground(endpoint, `${own}\n${command}\n`, command, '{}');
    await submitBackground(endpoint, `victim\n${command}`, `victim ${command}`, '{}');
  }
  const {id} = await submitJob(site);
  for (const args of [
    ['jobs:list', '--probe'],
    ['queue:status', '--all-functions'],
    ['doctor'],
    ['jobs:kill', `${id}`, '-y'],
    ['jobs:clear', '-y', '--all-queued'],
  ])
    expect((await runAtomctl(args, {env: site.env})).stderr).not.toContain('Internal error');
  expect(await site.query('SELECT id FROM job WHERE id = ?', [id])).toEqual([]);
  const server = await connectServer(address, {timeoutSeconds: 5});
  const status = await server.status();
  expect(status.find((row) => row.function === 'victim')).toMatchObject({total: 3});
  const jobs = await server.jobs();
  expect(victims.map((handle) => jobs.find((job) => job.handle === handle)?.ignored)).toEqual([
    false,
    false,
    false,
  ]);
  server.close();
});
