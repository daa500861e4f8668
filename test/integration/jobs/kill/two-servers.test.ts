import {afterAll, afterEach, beforeAll, describe, expect, test} from 'vitest';
import {killAt} from '../../../support/jobs/kill-site.ts';
import {type GearmanProcess, startGearmand, submitJob} from '../../../support/sandbox.ts';
import {submitBackground} from '../../../support/servers/submit-job.ts';
import {createQueueSite, type QueueSite} from '../../../support/site/queue-site.ts';

/** One job on two servers, under one key: somebody submitted it again, to the other. */
let first: GearmanProcess;
let second: GearmanProcess;
let at: QueueSite;

beforeAll(async () => {
  [first, second] = [await startGearmand(), await startGearmand()];
  at = await createQueueSite(first, second);
});

afterEach(() => at.site.query("DELETE FROM object WHERE class_name = 'QubitJob'"));

afterAll(async () => {
  await at?.drop();
  await first?.kill();
  await second?.kill();
});

type Submitted = Awaited<ReturnType<typeof submitJob>>;

function submitTo({endpoint}: GearmanProcess, {unique, payload}: Submitted) {
  return submitBackground(endpoint, at.site.functionName('arFindingAidJob'), unique, payload);
}

async function handles(): Promise<number[]> {
  const servers = at.sources.servers.flatMap((one) => ('server' in one ? one.server : []));
  return Promise.all(
    servers.map(async (server) => (await server.jobs()).filter(({ignored}) => !ignored).length),
  );
}

async function statusOf(id: number): Promise<unknown> {
  const [row] = await at.site.query('SELECT status_id FROM job WHERE id = ?', [id]);
  return row?.status_id;
}

describe('a job that waits on two servers and never began', () => {
  test.each([false, true])('is killed on both, and its row changed once; deleted: %s', async (deleteRows) => {
    const job = await submitJob(at.site, {jobClass: 'arFindingAidJob'});
    await submitTo(second, job);
    const other = await submitJob(at.site, {jobClass: 'arFindingAidJob', server: second.endpoint});
    const waiting = await handles();
    const {first: killed, exit} = await killAt(at, [job.id], {deleteRows});
    expect([killed.action, killed.gearman, exit]).toEqual([deleteRows ? 'deleted' : 'marked', 'removed', 0]);
    expect(await handles()).toEqual(waiting.map((count) => count - 1));
    expect([await statusOf(job.id), await statusOf(other.id)]).toEqual([deleteRows ? undefined : 185, 183]);
  });
});
