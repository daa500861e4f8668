import {expect, onTestFinished, test} from 'vitest';
import {takeFromSite} from '../../../../src/jobs/live/queue-payloads.ts';
import {live} from '../../../support/live.ts';
import {startPerlGearmand, submitJob} from '../../../support/sandbox.ts';
import {createQueueSite, executeJob, insertBegun, insertLost} from '../../../support/site/queue-site.ts';

/** It knows no keys and drops a job whose worker disconnects: counts and processes decide, and nothing is probed. */
test("Perl's server: counts show what executes and what is lost; what waits is only likely", async () => {
  const perl = await startPerlGearmand();
  const at = await createQueueSite(perl);
  onTestFinished(async () => {
    await at.drop();
    await perl.kill();
  });
  const never = await insertLost(at.site);
  expect((await live(at)).states).toEqual({[never]: 'lost'});
  await at.site.query('DELETE FROM object WHERE id = ?', [never]);

  const executing = await executeJob(at.site);
  expect((await live(at)).states).toEqual({[executing.id]: 'executing'});
  const begun = await insertBegun(at.site);
  expect((await live(at)).states).toEqual({[executing.id]: 'executing?', [begun]: 'executing?'});

  const queued = [(await submitJob(at.site)).id, (await submitJob(at.site)).id];
  const probe = await takeFromSite({
    ...at.sources,
    names: ['arFindingAidJob'],
    take: () => true,
    settle: async () => {},
  });
  expect(probe).toMatchObject({waiting: [], removed: [], problems: [{code: 'REFUSED'}]});
  expect((await live(at, {probe: true})).states).toEqual({
    [executing.id]: 'executing?',
    [begun]: 'executing?',
    [queued[0]!]: 'queued?',
    [queued[1]!]: 'queued?',
  });
  const name = at.site.functionName('arFindingAidJob');
  expect((await at.server.status()).find((row) => row.function === name)).toMatchObject({
    total: 3,
    running: 1,
  });
});
