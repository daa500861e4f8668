import {expect, test} from 'vitest';
import {takeLock} from '../../../../src/gearman/lock.ts';
import {PROBE_LOCK} from '../../../../src/queue/function-name.ts';
import {newProbeId} from '../../../../src/queue/probe/probe-id.ts';
import {createKillSite, killAt} from '../../../support/jobs/kill-site.ts';
import {startGearmand, startPerlGearmand} from '../../../support/sandbox.ts';
import {createQueueSite, insertLost, submitJobs} from '../../../support/site/queue-site.ts';

const at = await createKillSite();

test('with a server down, a lost job is uncertain and refused without --force', async () => {
  const down = await startGearmand();
  const site = await createQueueSite(down);
  const lost = await insertLost(site.site);
  await down.kill();
  const {first, exit} = await killAt(site, [lost]);
  expect([first, exit]).toEqual([
    {
      id: lost,
      was: 'uncertain',
      action: 'refused',
      gearman: 'remains',
      message: expect.stringContaining('cannot be reached'),
    },
    5,
  ]);
  expect((await killAt(site, [lost], {force: true})).first).toMatchObject({
    was: 'uncertain',
    action: 'marked',
    gearman: 'remains',
  });
  await site.drop();
});

test('while another atomctl probes the queue, a queued job is refused', async () => {
  const [id] = await at.submit(1);
  const lock = await takeLock(at.gearmand.address, PROBE_LOCK, {
    timeoutSeconds: 2,
    clientId: newProbeId(Date.now()),
  });
  const {first, exit} = await at.kill([id!], {timeoutSeconds: 0.1});
  expect([first.action, first.gearman, exit]).toEqual(['refused', 'remains', 5]);
  expect(first.message).toContain('Another atomctl');
  await lock!.release();
  expect((await at.kill([id!])).first).toMatchObject({action: 'marked', gearman: 'removed'});
});

test("on Perl's server a queued job is refused and stays; a lost one is killed", async () => {
  const perl = await startPerlGearmand();
  const site = await createQueueSite(perl);
  const lost = await insertLost(site.site, '{"name":"arFindingAidJob","id":7}');
  expect((await killAt(site, [lost])).first).toMatchObject({was: 'lost', action: 'marked'});
  const [queued] = await submitJobs(site, 1);
  const {first, exit} = await killAt(site, [queued!]);
  expect([first.action, first.gearman, exit]).toEqual(['refused', 'remains', 5]);
  expect(first.message).toContain('not gearmand');
  const [row] = (await site.server.status()).filter(({total}) => total > 0);
  expect(row).toMatchObject({total: 1, running: 0});
  await site.drop();
  await perl.kill();
});
