import {afterAll, expect, test} from 'vitest';
import {createKillSite} from '../../../support/jobs/kill-site.ts';
import {startGearmand} from '../../../support/servers/gearmand.ts';
import {asControl} from '../../../support/site/queue-site.ts';

const at = await createKillSite();
let {gearmand} = at;
afterAll(() => gearmand.kill());

/** It comes back on its port and knows no job. */
async function restartGearmand(): Promise<void> {
  await gearmand.kill();
  gearmand = await startGearmand([], {port: at.gearmand.address.port});
}

test.each([
  ['does not say that it finished: its worker may go on', 'More.', 'refused', 5],
  ['says that it finished', 'Job finished.', 'deleted', 0],
])(
  'gearmand is restarted before the worker of a job stops whose row was ended by hand, and the log %s',
  async (_says, message, action, exit) => {
    const {id} = await at.execute();
    await at.site.query('UPDATE job SET status_id = 185 WHERE id = ?', [id]);
    const calls: string[] = [];
    const stopping = asControl({stop: async () => void calls.push('stop'), start: async () => {}});
    const worker: typeof stopping = {
      async workersOf(...asked) {
        const stop = await stopping.workersOf(...asked);
        // For the plan first, and then right before the stop.
        if (calls.push('asked') === 2) {
          await restartGearmand();
          const line = `[info] [2026-03-04 13:05:02] Job ${id} "arFindingAidJob": ${message}\n`;
          await at.site.query('UPDATE job SET output = CONCAT(output, ?) WHERE id = ?', [line, id]);
        }
        return stop;
      },
    };
    const killed = await at.kill([id], {deleteRows: true, worker});
    expect([killed.first.action, killed.exit, calls]).toEqual([action, exit, ['asked', 'asked']]);
    expect(await at.statusOf(id)).toBe(action === 'refused' ? 185 : null);
    if (action === 'refused')
      expect(killed.first.message).toMatch(/no longer knows it.* its worker may continue/);
  },
);
