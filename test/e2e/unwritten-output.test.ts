/** A change whose output nobody reads, or that cannot be written, is made, recorded, and has its exit status. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {expect, test} from 'vitest';
import {insertLogged} from '../support/jobs/retry-site.ts';
import {ATOMCTL, cleanEnvironment, createScratch, startWorker, until} from '../support/sandbox.ts';
import {insertLost} from '../support/site/queue-site.ts';
import {useQueueSite} from '../support/site/use-queue-site.ts';

const {at, workers} = await useQueueSite();

/** Runs it with these redirections, and `| true` ends before anything is printed. */
async function run(args: readonly string[], redirection: string) {
  const log = join(createScratch('audit'), 'log');
  const script = `"$@" ${redirection}; exit \${PIPESTATUS[0]}`;
  const child = spawn('bash', ['-c', script, 'bash', ...ATOMCTL, ...args, '--audit-log', log], {
    env: cleanEnvironment(at.site.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdout.resume();
  const [code] = await once(child, 'close');
  return {code, stderr, changes: readFileSync(log, 'utf8').split('\n').length - 1};
}

const statusOf = async (id: number) =>
  (await at.site.query('SELECT status_id FROM job WHERE id = ?', [id]))[0]?.status_id;

const COMMANDS: [command: string, status: number, becomes: number | undefined][] = [
  ['doctor --fix --yes --check lost-jobs', 0, 185],
  ['jobs:kill ID --yes', 0, 185],
  ['jobs:kill ID 999999 --yes', 1, 185],
  ['jobs:mark ID --as error --yes', 0, 185],
  ['jobs:clear --yes', 0, undefined],
];

const WAYS = [
  ['a closed pipe', '| true'],
  ['a closed pipe, with stderr', '2>&1 | true'],
  ['a full disk', '>/dev/full'],
] as const;

test.each(COMMANDS.flatMap((one) => WAYS.map((way) => [...one, ...way] as const)))(
  'of %s, with exit status %i, the change (%s) is made and recorded if stdout is %s',
  async (command, status, becomes, way, redirection) => {
    const id = await insertLost(at.site);
    const args = command.replace('ID', String(id)).split(' ');
    const {code, stderr, changes} = await run(args, redirection);
    const isFull = way === 'a full disk';
    expect([code, changes, await statusOf(id)]).toEqual([isFull ? 1 : status, 1, becomes]);
    if (isFull) expect(stderr).toContain('Error: Cannot write to stdout: the disk is full.\n');
  },
);

test('jobs:retry --wait waits for the end of the job although nobody reads what it says', async () => {
  const worker = await startWorker(at.site, ['--abilities=arFindingAidJob']);
  workers.push(worker);
  const id = await insertLogged(at.site);
  process.kill(worker.pid, 'SIGSTOP');
  const ended = run(['jobs:retry', String(id), '--yes', '--wait'], '| true');
  await until(async () => (await statusOf(id + 1)) === 183);
  await Promise.race([ended, sleep(1000)]);
  const before = await statusOf(id + 1);
  process.kill(worker.pid, 'SIGCONT');
  const {code, changes} = await ended;
  expect([code, changes, before, await statusOf(id + 1)]).toEqual([0, 1, 183, 184]);
});
