import {expect, test} from 'vitest';
import {killAt} from '../../../support/jobs/kill-site.ts';
import {startGearmand} from '../../../support/sandbox.ts';
import {
  controlOf,
  crash,
  createQueueSite,
  executeJob,
  handedOut,
  submitJobs,
} from '../../../support/site/queue-site.ts';

test.each([
  {limit: 1, returned: false, executing: 'refused', queued: 'refused'},
  {limit: 2, returned: false, executing: 'refused', queued: 'marked'},
  {limit: 2, returned: true, executing: 'refused', queued: 'refused'},
  {limit: 3, returned: false, executing: 'marked', queued: 'marked'},
  {limit: 3, returned: true, executing: 'refused', queued: 'marked'},
])(
  'retries limited to $limit, a job returned before: $returned; executing is $executing, queued $queued',
  async ({limit, returned, executing, queued}) => {
    const gearmand = await startGearmand([`--job-retries=${limit}`]);
    const at = await createQueueSite(gearmand);
    const others = await submitJobs(at, 1);
    if (returned) {
      const crashed = await executeJob(at.site, 'arObjectMoveJob');
      await crash(crashed.worker, crashed.unique, at.server);
    }
    const [target] = await submitJobs(at, 1);
    const busy = await executeJob(at.site, 'arUpdatePublicationStatusJob');
    const control = controlOf(at, busy.worker, ['--abilities=arUpdatePublicationStatusJob']);

    const restart = await killAt(at, [busy.id], {worker: control});
    if (executing === 'refused') {
      expect(restart).toMatchObject({
        first: {action: 'refused', gearman: 'remains'},
        exit: 5,
        workerRestarted: false,
      });
      expect([control.calls, restart.first.message]).toEqual([[], expect.stringContaining('limits retries')]);
    } else expect(restart).toMatchObject({first: {action: 'marked', gearman: 'removed'}, exit: 0});

    const {first, exit} = await killAt(at, [target!]);
    expect([first.action, first.gearman, exit]).toEqual(
      queued === 'refused' ? ['refused', 'remains', 5] : ['marked', 'removed', 0],
    );
    expect(await handedOut(at.site)).toEqual([...others, ...(queued === 'refused' ? [target] : [])]);
    if (returned) expect(await handedOut(at.site, 'arObjectMoveJob')).toHaveLength(1);
    await control.worker.kill();
    await at.drop();
    await gearmand.kill();
  },
);
