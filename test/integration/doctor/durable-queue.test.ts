import {join} from 'node:path';
import {expect, test} from 'vitest';
import {connectWorker} from '../../../src/gearman/worker-connection.ts';
import {underProbeLock} from '../../../src/queue/probe/probe-lock.ts';
import {
  createScratch,
  createSite,
  startGearmand,
  submitBackground,
  submitJob,
} from '../../support/sandbox.ts';
import {checkOnce, healthySite} from '../../support/site/site-access.ts';

const CHOSEN = {only: ['gearmand-queue']};

test('of a queue in memory doctor says how many jobs of this site and of others a restart would lose now', async () => {
  const gearmand = await startGearmand();
  const site = await createSite({gearman: [gearmand.endpoint]});
  for (const id of [1, 2]) await submitJob(site, {parameters: {objectId: id}});
  await submitBackground(gearmand.endpoint, `${'a'.repeat(32)}-arFindingAidJob`, 'key', '{}');
  const [finding] = await checkOnce(await healthySite(site), CHOSEN);
  expect(finding).toMatchObject({
    state: 'ok',
    evidence: `${gearmand.endpoint} keeps its queue in memory. A restart now would lose 2 waiting jobs of this site and 1 of others; 0 are executing.`,
    remedy: expect.stringMatching(/--queue-type=libsqlite3.*atomctl queue:save/),
  });
  const worker = await connectWorker(gearmand.address, {timeoutSeconds: 5});
  await worker.grab([site.functionName('arFindingAidJob')]);
  const held = await underProbeLock(gearmand.address, {timeoutSeconds: 5}, async () =>
    checkOnce(await healthySite(site), CHOSEN),
  );
  expect(held[0]!.evidence).toMatch(
    /would lose 2 waiting jobs of this site and 1 of others; 0 are executing\. On \S+ another atomctl \(queue:hold,/,
  );
  worker.close();
  await gearmand.kill();
  const [gone] = await checkOnce(await healthySite(site), CHOSEN);
  expect(gone).toMatchObject({
    state: 'skipped',
    evidence: 'No Gearman server of this site runs on this host.',
  });
  await site.drop();
});

test('a queue that gearmand writes only when it is shut down is said not to outlive a crash', async () => {
  const file = join(createScratch('queue-file'), 'queue.db');
  const options = ['--queue-type=libsqlite3', `--libsqlite3-db=${file}`, '--store-queue-on-shutdown'];
  const gearmand = await startGearmand(options);
  const site = await createSite({gearman: [gearmand.endpoint]});
  const [finding] = await checkOnce(await healthySite(site), CHOSEN);
  expect(finding).toMatchObject({
    state: 'ok',
    evidence: expect.stringMatching(
      /keeps its queue in libsqlite3, but writes it only when it is shut down.*kill -9/,
    ),
    remedy: expect.stringContaining('--store-queue-on-shutdown'),
  });
  await site.drop();
  await gearmand.kill();
});
