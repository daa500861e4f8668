import {afterEach, expect, test, vi} from 'vitest';
import {createKillSite} from '../../../support/jobs/kill-site.ts';
import {asControl, controlOf, crash} from '../../../support/site/queue-site.ts';

/** What comes between the cancel of a job in Gearman and the change of its row. */
const at = await createKillSite();

afterEach(() => {
  vi.restoreAllMocks();
});

/** Something happens right after the server has answered a request for the last of so many times. */
function afterRequest(method: 'cancel' | 'statusOfHandles', happens: () => unknown, times = 1): void {
  const request = at.server[method].bind(at.server) as (...args: unknown[]) => Promise<unknown>;
  let asked = 0;
  vi.spyOn(at.server, method).mockImplementation(async (...args: unknown[]) => {
    const answer = await request(...args);
    asked += 1;
    if (asked === times) await happens();
    return answer as never;
  });
}

test.each(['cancel', 'statusOfHandles'] as const)(
  'a job that ends while it is cancelled has failed, not been refused: Gearman was touched (after %s)',
  async (request) => {
    const {id, unique, worker} = await at.execute();
    afterRequest(request, async () => {
      await crash(worker, unique, at.server);
      await at.site.query('UPDATE job SET status_id = 184 WHERE id = ?', [id]);
    });
    const {first, exit} = await at.kill([id], {worker: controlOf(at, worker)});
    expect([first.action, exit, await at.statusOf(id)]).toEqual(['failed', 1, 184]);
    expect(first.message).toMatch(/ended/);
  },
);

test('a cancelled job goes on although its row was deleted: its worker is stopped, and it is not called ended', async () => {
  const [one, other] = [await at.execute(), await at.execute()];
  await at.site.query('UPDATE job SET status_id = 185 WHERE id = ?', [one.id]);
  afterRequest(
    'statusOfHandles',
    async () => {
      await at.site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
      await crash(other.worker, other.unique, at.server);
    },
    2,
  );
  let stops = 0;
  const stop = async () => {
    stops += 1;
    await crash(one.worker, one.unique, at.server);
  };
  const {killed, exit} = await at.kill([one.id, other.id], {
    worker: asControl({stop, start: async () => {}}),
  });
  expect(killed.map(({action, gearman}) => [action, gearman])).toEqual([
    ['failed', 'removed'],
    ['failed', 'cancelled'],
  ]);
  expect([stops, exit]).toEqual([1, 1]);
  expect(killed[0]!.message).toMatch(/removed from Gearman.*it was deleted by something else/);
});

test('a forced kill that is interrupted once the job is cancelled changes its row', async () => {
  const {id} = await at.execute();
  const controller = new AbortController();
  afterRequest('cancel', () => controller.abort());
  const {first, exit} = await at.kill([id], {force: true, signal: controller.signal});
  expect([first.action, first.gearman, exit, await at.statusOf(id)]).toEqual(['marked', 'cancelled', 0, 185]);
});
