/** Another user of the host starts processes that look like AtoM's worker of this site. */

import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {afterAll, beforeAll, expect, onTestFinished, test} from 'vitest';
import {
  type AtomSite,
  createSite,
  type GearmanProcess,
  runAtomctl,
  startGearmand,
} from '../support/sandbox.ts';
import {insertLost} from '../support/site/queue-site.ts';

const NOBODY = 65534;
const HOSTILE = '\u001b]0;owned\u0007\n';
const RAW = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

let gearmand: GearmanProcess;
let site: AtomSite;

beforeAll(async () => {
  gearmand = await startGearmand();
  site = await createSite({gearman: [gearmand.endpoint]});
});

afterAll(async () => {
  await site?.drop();
  await gearmand?.kill();
});

async function plant(task: string): Promise<void> {
  // bash reads a line and then ends; what /proc shows is php with an option, the script and the task.
  const args = ['-c', 'echo; read -r', `${site.root}/symfony`, task, HOSTILE];
  const child = spawn('bash', args, {argv0: 'php', cwd: '/', uid: NOBODY, gid: NOBODY});
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
}

test('they prove no job to be executing, end nothing, and their names reach no terminal', async ({skip}) => {
  skip(process.geteuid!() !== 0, 'only root can start processes of other users');
  const id = await insertLost(site, '{"objectId":512}');
  const list = async () => {
    const {stdout} = await runAtomctl(['jobs:list', '--running', '--json'], {env: site.env});
    return JSON.parse(stdout).jobs[0];
  };
  const before = await list();
  for (const task of ['jobs:worker', 'csv:import', `jobs:worker${HOSTILE}`]) await plant(task);
  const after = await list();
  expect([before.live, after.live]).toEqual(['lost', 'lost']);
  for (const args of [
    ['doctor'],
    ['jobs:list'],
    ['queue:status'],
    ['jobs:kill', `${id}`, '--dry-run', '--force'],
  ]) {
    const {stdout, stderr} = await runAtomctl(args, {env: site.env});
    expect([args, RAW.test(stdout + stderr), (stdout + stderr).includes('Internal error')]).toEqual([
      args,
      false,
      false,
    ]);
  }
});
