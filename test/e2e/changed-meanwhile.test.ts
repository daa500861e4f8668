/** Jobs that change after a plan was shown: what is done is what the question said, never more. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {createScratch, runAtomctl} from '../support/sandbox.ts';
import {startHookedProxy} from '../support/servers/hooked-proxy.ts';
import {executeJob} from '../support/site/queue-site.ts';
import {useQueueSite} from '../support/site/use-queue-site.ts';

const {at, workers} = await useQueueSite();

const statusOf = async (id: number) =>
  (await at.site.query('SELECT status_id FROM job WHERE id = ?', [id]))[0]?.status_id;

/** As a worker's last save of a row. */
async function complete(id: number): Promise<void> {
  await at.site.query("UPDATE job SET status_id = 184, completed_at = '2026-03-04 14:00:00' WHERE id = ?", [
    id,
  ]);
}

test('jobs:mark reads once if each job is refused: one that ends right after is not marked', async () => {
  const {id, worker} = await executeJob(at.site);
  workers.push(worker);
  let reads = 0;
  const {hostname, port, pathname, username, password} = new URL(at.site.databaseUrl);
  const proxy = await startHookedProxy(Number(port), (request) => {
    if (!request.includes(`job.id IN (${id})`) || ++reads !== 2) return undefined;
    return worker.kill().then(() => complete(id));
  });
  const log = join(createScratch('audit'), 'log');
  const url = `mysql://${username}:${password}@${hostname}:${proxy.port}${pathname}`;
  const args = ['jobs:mark', String(id), '--as', 'error', '--yes', '--database-url', url, '--audit-log', log];
  const {code, stdout} = await runAtomctl(args, {env: at.site.env});
  proxy.close();
  expect([code, stdout, reads]).toEqual([5, expect.stringContaining(`Job ${id} is executing.`), 1]);
  expect(await statusOf(id)).toBe(183);
  expect(() => readFileSync(log)).toThrow();
});
