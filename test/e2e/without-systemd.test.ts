import {expect, type TestContext, test} from 'vitest';
import {BY_HAND, hostCommands} from '../../src/host-commands.ts';
import {insertLogged} from '../support/jobs/retry-site.ts';
import {freePort, runAtomctl, submitJob} from '../support/sandbox.ts';
import {connectGearman, TYPE} from '../support/servers/gearman-wire.mjs';
import {useQueueSite} from '../support/site/use-queue-site.ts';

const {gearmand, at} = await useQueueSite();

/** What works only where systemd runs. */
const NEEDS_SYSTEMD = /systemctl|atomctl worker:(?!run\b)|--restart-worker/;

/** The test says what holds without systemd only. */
function skipWithSystemd(context: TestContext): void {
  if (hostCommands() !== BY_HAND) context.skip('systemd runs on this machine');
}

async function output(...args: string[]): Promise<string> {
  const {stdout, stderr} = await runAtomctl(args, {env: at.site.env});
  return stdout + stderr;
}

test('without a worker, each command names the one that starts a worker here', async (context) => {
  skipWithSystemd(context);
  const {id} = await submitJob(at.site);
  const failed = await insertLogged(at.site);
  const status = await output('queue:status');
  const doctor = await output('doctor');
  const why = await output('jobs:why', String(id), '--probe');
  const retry = await output('jobs:retry', String(failed), '--dry-run');
  for (const text of [status, doctor, why, retry]) {
    expect(text).toContain('atomctl worker:run');
    expect(text).not.toMatch(NEEDS_SYSTEMD);
  }
  for (const text of [await output('jobs:show', String(id)), await output('jobs:list')])
    expect(text).not.toMatch(NEEDS_SYSTEMD);
});

test('a worker that hangs, and one without abilities: they say how workers are started again here', async (context) => {
  skipWithSystemd(context);
  const startedAt = at.sources.time.toWall(new Date(Date.now() - 3_600_000));
  const connections = await Promise.all([1, 2].map(() => connectGearman(gearmand.endpoint)));
  connections[0]!.send(TYPE.SET_CLIENT_ID, 'pid_3999999_65fa');
  connections[0]!.send(TYPE.CAN_DO, at.site.functionName('arFindingAidJob'));
  connections[1]!.send(TYPE.SET_CLIENT_ID, 'pid_3999998_65fa');
  for (let count = 0; count < 2; count += 1) await submitJob(at.site, {startedAt});
  for (const text of [
    await output('queue:status', '--json'),
    await output('doctor', '--json', '--check', 'stalled-workers,idle-workers'),
  ]) {
    expect(text).toContain(BY_HAND.restartWorker);
    expect(text).not.toMatch(NEEDS_SYSTEMD);
  }
  for (const connection of connections) connection.close();
});

test('a Gearman server that does not answer: they say to start it as this host does', async (context) => {
  skipWithSystemd(context);
  const gearman = ['--gearman', `127.0.0.1:${await freePort()}`];
  for (const args of [['queue:status'], ['doctor', '--check', 'gearman-servers']]) {
    const text = await output(...args, '--json', ...gearman);
    expect(text).toContain(BY_HAND.startGearmand);
    expect(text).not.toMatch(NEEDS_SYSTEMD);
  }
});
