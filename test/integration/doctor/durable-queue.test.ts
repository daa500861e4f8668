import {expect, test} from 'vitest';
import {createSite, startGearmand, submitBackground, submitJob} from '../../support/sandbox.ts';
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
  await gearmand.kill();
  const [gone] = await checkOnce(await healthySite(site), CHOSEN);
  expect(gone).toMatchObject({
    state: 'skipped',
    evidence: 'No Gearman server of this site runs on this host.',
  });
  await site.drop();
});
