import {afterAll, beforeAll, expect, test} from 'vitest';
import {expectSchema} from '../support/json-schema.ts';
import {freePort, type GearmanProcess, runAtomctl, runOnTerminal, startGearmand} from '../support/sandbox.ts';
import {
  createQueueSite,
  executeJob,
  handedOut,
  type QueueSite,
  submitJobs,
} from '../support/site/queue-site.ts';

let gearmand: GearmanProcess;
let at: QueueSite;

beforeAll(async () => {
  gearmand = await startGearmand();
  at = await createQueueSite(gearmand);
});

afterAll(async () => {
  await at.drop();
  await gearmand.kill();
});

test('jobs:why says who executes a job and with which process, and of one that waits its place after a probe', async () => {
  const {env} = at.site;
  const {id, worker} = await executeJob(at.site);
  const [first, second] = (await submitJobs(at, 2)) as [number, number];
  const executing = await runAtomctl(['jobs:why', String(id), '--json'], {env});
  expect([executing.code, executing.stderr]).toEqual([0, '']);
  expect(expectSchema('jobs-why', executing.stdout)).toMatchObject({
    state: 'executing',
    worker: {pid: worker.pid},
    process: {pid: worker.pid, command: 'php symfony jobs:worker --abilities=arFindingAidJob'},
  });

  const text = await runOnTerminal(['jobs:why', String(second)], {env, columns: 60});
  expect(text.code).toBe(0);
  expect(text.screen).toContain('uncertain');
  expect(text.screen).toContain(`executes job ${id}`);
  expect(text.screen).toContain(`atomctl jobs:why ${second} --probe`);

  const queued = await runAtomctl(['jobs:why', String(second), '--probe', '--json'], {env});
  expect(expectSchema('jobs-why', queued.stdout)).toMatchObject({
    state: 'queued',
    position: 2,
    ahead: [first],
  });
  const refused = await runAtomctl(['jobs:why', String(second), '--probe', '--read-only'], {env});
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('allows only reading')]);
  expect((await runAtomctl(['jobs:why', '9999999'], {env})).code).toBe(4);
  const server = `127.0.0.1:${await freePort()}`;
  for (const probe of [[], ['--probe']]) {
    const {code, stdout} = await runAtomctl(['jobs:why', String(second), '--gearman', server, ...probe], {
      env,
    });
    expect(code).toBe(0);
    expect(stdout).toContain(`Queue:        It is not known which queue has it: ${server} does not answer.`);
    expect(stdout).toMatch(/^ {2}What to do: +Gearman server .*\n +atomctl doctor --check gearman-servers$/m);
  }
  worker.killGroup();
  await worker.ended;
  expect((await handedOut(at.site)).slice(0, 2)).toEqual([first, second]);
});
