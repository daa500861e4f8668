import {expect, onTestFinished, test} from 'vitest';
import {connectServers} from '../../../../src/gearman/server.ts';
import {later, live, realHost} from '../../../support/live.ts';
import {
  freePort,
  type GearmanProcess,
  startGearmand,
  startWorker,
  submitJob,
  until,
} from '../../../support/sandbox.ts';
import {createQueueSite, executeJob, insertLost, type QueueSite} from '../../../support/site/queue-site.ts';

const PARAMETERS = '{"name":"arFindingAidJob","id":"7"}';

async function startTwo(): Promise<{at: QueueSite; first: GearmanProcess; second: GearmanProcess}> {
  const [first, second] = [await startGearmand(), await startGearmand()];
  const at = await createQueueSite(first, second);
  onTestFinished(async () => {
    await at.drop();
    await first.kill();
    await second.kill();
  });
  return {at, first, second};
}

test('of two servers, one that only the old configuration names executes the job (T4)', async () => {
  const {at, second} = await startTwo();
  const waiting = await submitJob(at.site, {jobClass: 'arObjectMoveJob', server: second.endpoint});
  const job = await submitJob(at.site, {work: {seconds: 600}, server: second.endpoint});
  await startWorker(at.site, ['--abilities=arFindingAidJob']);
  const begun = 'SELECT COUNT(*) AS count FROM job WHERE output LIKE ?';
  await until(async () => (await at.site.query(begun, ['%Parameters: %']))[0].count === 1);
  const never = await insertLost(at.site);
  const {states, reasons} = await live(at, {probe: true});
  expect(states).toEqual({[waiting.id]: 'queued', [job.id]: 'executing', [never]: 'lost'});
  expect(reasons[job.id]).toBe(`${second.endpoint} assigned it to a worker.`);
});

test('one that does not answer makes lost impossible to claim, and takes no certainty from the others', async () => {
  const {at, first, second} = await startTwo();
  const closed = {host: '127.0.0.1', port: await freePort()};
  const servers = [...at.sources.servers, ...(await connectServers([closed], {timeoutSeconds: 2}))];
  const executing = await executeJob(at.site);
  const waiting = await submitJob(at.site, {jobClass: 'arFileImportJob', server: second.endpoint});
  const lost = await insertLost(at.site, PARAMETERS);
  const never = await insertLost(at.site);
  const {states, reasons, missing} = await live(at, {servers, probe: true});
  expect(states).toEqual({
    [executing.id]: 'executing',
    [waiting.id]: 'queued',
    [lost]: '?',
    [never]: '?',
  });
  expect(missing.map(({code}) => code)).toEqual(['GEARMAN_UNREACHABLE']);
  expect(reasons[lost]).toContain(`127.0.0.1:${closed.port}`);

  const host = realHost(at.site);
  expect((await live(at, {host, probe: true})).states).toEqual({
    [executing.id]: 'executing',
    [waiting.id]: 'queued',
    [lost]: 'lost',
    [never]: 'lost',
  });
  await second.kill();
  expect((await live(at, {host})).states).toEqual({
    [executing.id]: 'executing',
    [waiting.id]: '?',
    [lost]: '?',
    [never]: '?',
  });
  await first.kill();
  expect(new Set(Object.values((await live(at)).states))).toEqual(new Set(['?']));
});

test('one is restarted while a worker executes its job: the connection to the other does not account for the worker', async () => {
  const {at, first, second} = await startTwo();
  const {id, worker} = await executeJob(at.site);
  await first.kill();
  const again = await startGearmand([], {port: first.address.port});
  onTestFinished(async () => {
    await again.kill();
  });
  const connections = await live(at, {host: realHost(at.site), now: later(60)});
  expect(connections.evidence.workers.map(({pid, server}) => [pid, server])).toEqual([
    [worker.pid, second.endpoint],
  ]);
  expect([connections.states, connections.reasons[id]]).toEqual([
    {[id]: 'executing?'},
    `Worker process ${worker.pid} may be running it, because it is not connected to every Gearman server.`,
  ]);
});
