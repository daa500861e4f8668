/** The Debian package on a booted Debian without Node.js: installed, used, upgraded, removed, purged. */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, beforeEach, describe, expect, inject, test} from 'vitest';
import type {RunResult} from '../support/atomctl/run-atomctl.ts';
import {submitJob} from '../support/servers/submit-job.ts';
import {inRig, type RigAddress, writeInRig} from '../systemd/rig.ts';
import {createRigSite, type RigSite} from '../systemd/rig-site.ts';
import {DEB, run, TARBALL, VERSION} from './released.ts';

const provided = inject('rig');
const reason = 'skipped' in provided ? provided.skipped : null;
const rig = provided as RigAddress;

const TIMERS = ['atomctl-alert.timer', 'atomctl-metrics.timer', 'atomctl-prune.timer'];

let site: RigSite['site'];
let before: string;

const inside = (...command: string[]) => inRig(rig, ...command);

/** A command that has to succeed; returns what it printed. */
async function must(...command: string[]): Promise<string> {
  const {code, stdout, stderr} = await inside(...command);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

/** With an environment of these variables and an empty PATH. */
function bare(program: string, ...args: string[]): Promise<RunResult> {
  const env = ['PATH=', `ATOMCTL_ROOT=${site.root}`, 'ATOMCTL_AUDIT_LOG=/dev/null'];
  return inside('env', '-i', ...env, program, ...args);
}

/** What the machine itself changes. */
const CHANGING = [
  '/proc',
  '/sys',
  '/dev',
  '/run',
  '/tmp',
  '/var/tmp',
  '/var/log',
  '/var/lib/dpkg',
  '/var/lib/mysql',
];

/** All other files, and not what the prune saved. */
async function allFiles(): Promise<string> {
  const list = join(rig.scratch, 'files');
  const left = [...CHANGING, rig.scratch, '/var/backups/atomctl'].flatMap((path) => [
    '-path',
    path,
    '-prune',
    '-o',
  ]);
  await must('find', '/', ...left, '-fprint', list);
  return readFileSync(list, 'utf8');
}

describe.sequential('the package on a Debian without Node.js', () => {
  beforeAll(async () => {
    if (reason !== null) return;
    ({site} = await createRigSite(rig, 'archive'));
    expect((await inside('sh', '-c', 'command -v node')).code).not.toBe(0);
    before = await allFiles();
    await must('dpkg', '--install', DEB);
  });

  beforeEach(({skip}) => skip(reason !== null, reason ?? ''));
  afterAll(() => site?.drop());

  test('is installed with its timers not enabled and a configuration that says nothing', async () => {
    for (const timer of TIMERS) {
      expect((await inside('systemctl', 'is-enabled', timer)).stdout).toBe('disabled\n');
      expect((await inside('systemctl', 'is-active', timer)).stdout).toBe('inactive\n');
    }
    expect((await bare('/usr/bin/atomctl', '--version')).stdout).toMatch(
      new RegExp(`^atomctl/${VERSION} linux-x64 node-v24\\.\\d+\\.\\d+ \\(build [0-9a-f]{12}(-dirty)?\\)\n$`),
    );
    const {code, stdout} = await bare('/usr/bin/atomctl', 'config', '--json');
    expect([code, JSON.parse(stdout).functionPrefix.value]).toEqual([0, site.prefix]);
  });

  test('I9: lists, kills, exports and watches, with an empty PATH', async () => {
    const waiting = await submitJob(site, {});
    const list = await bare('/usr/bin/atomctl', 'jobs:list', '--running', '--json');
    expect(JSON.parse(list.stdout).jobs).toMatchObject([{id: waiting.id, likely: 'queued'}]);

    const watch = ['/usr/bin/atomctl', 'jobs:list', '--running', '--watch=0.5', '--json'];
    const watched = await inside(
      'timeout',
      '--signal=INT',
      '3',
      'env',
      '-i',
      'PATH=',
      `ATOMCTL_ROOT=${site.root}`,
      ...watch,
    );
    const polls = watched.stdout.trim().split('\n');
    expect(polls.length).toBeGreaterThan(1);
    for (const poll of polls) expect(JSON.parse(poll).jobs).toMatchObject([{id: waiting.id}]);

    const onTerminal = `exec env -i TERM=xterm PATH= ATOMCTL_ROOT=${site.root} /usr/bin/atomctl jobs:list --no-live`;
    const {stdout: screen} = await inside('script', '-qec', onTerminal, '/dev/null');
    expect(screen).toContain(`${waiting.id}`);

    const killed = await bare('/usr/bin/atomctl', 'jobs:kill', `${waiting.id}`, '--yes', '--json');
    expect(JSON.parse(killed.stdout).killed).toMatchObject([
      {id: waiting.id, action: 'marked', gearman: 'removed'},
    ]);

    const exported = await bare('/usr/bin/atomctl', 'jobs:export-csv');
    expect(exported).toMatchObject({code: 0, stderr: ''});
    expect(exported.stdout).toMatch(
      /^startDate,endDate,jobName,jobStatus,jobInfo,jobUser\n.*arFindingAidJob/,
    );
  });

  test('runs out of the tarball, from any directory and through a link', async () => {
    const directory = join(rig.scratch, 'tarball');
    mkdirSync(directory);
    await run('tar', ['-xzf', TARBALL, '-C', directory, '--strip-components=1']);
    await must('ln', '-s', join(directory, 'atomctl'), '/var/tmp/jobs');
    expect(await must('env', '-i', 'PATH=', '/var/tmp/jobs', 'completion', 'zsh')).toContain(
      '#compdef atomctl',
    );
    await must('rm', '/var/tmp/jobs');
  });

  test('completion and the manual page are found', async () => {
    const typed =
      'COMP_WORDS=(atomctl jobs:ki); COMP_CWORD=1; . /usr/share/bash-completion/completions/atomctl; complete -p atomctl';
    expect(await must('bash', '-c', typed)).toContain('atomctl');
    expect(await must('gzip', '-dc', '/usr/share/man/man1/atomctl.1.gz')).toContain(`atomctl ${VERSION}`);
  });

  test('the nightly prune saves and deletes old jobs, as www-data, and again on the same day', async () => {
    await writeInRig(rig, '/etc/default/atomctl', `ATOMCTL_ROOT=${site.root}\nPRUNE_OLDER_THAN=30d\n`);
    for (const name of ['one', 'two']) {
      await site.insertJob({name, startedAt: '2020-01-01 00:00:00'});
      await must('systemctl', 'start', 'atomctl-prune');
      expect(await site.query('SELECT id FROM job WHERE name = ?', [name])).toEqual([]);
    }
    const files = (await must('ls', '/var/backups/atomctl')).trim().split('\n');
    expect(files).toHaveLength(2);
    const exports = await must('sh', '-c', 'cat /var/backups/atomctl/*');
    for (const name of ['one', 'two']) expect(exports).toContain(`,${name},`);
    expect(await must('stat', '-c', '%U %a', '/var/backups/atomctl')).toBe('www-data 750\n');
  });

  test('the nightly prune deletes the downloads of a site below /usr', async () => {
    const root = '/usr/share/nginx/atom';
    const downloadPath = 'downloads/jobs/old.csv';
    await must('mkdir', '-p', root);
    await must('cp', '-r', `${site.root}/.`, root);
    await writeInRig(rig, `${root}/${downloadPath}`, 'data');
    await must('chown', '-R', 'www-data', `${root}/downloads`);
    const settings = [
      `ATOMCTL_ROOT=${root}`,
      'PRUNE_EXPORT=/var/tmp/jobs.csv',
      'PRUNE_OPTIONS=--delete-downloads',
    ];
    await writeInRig(rig, '/etc/default/atomctl', `${settings.join('\n')}\n`);
    await site.insertJob({downloadPath, startedAt: '2020-01-01 00:00:00'});
    await must('systemctl', 'start', 'atomctl-prune');
    expect((await inside('test', '-e', `${root}/${downloadPath}`)).code).toBe(1);
    await must('rm', '-r', '/usr/share/nginx', '/var/tmp/jobs.csv');
  });

  test('metrics are written where METRICS_DIRECTORY says, readable by the collector', async () => {
    const metrics = join(rig.scratch, 'metrics');
    await site.insertJob();
    mkdirSync(metrics);
    await writeInRig(
      rig,
      '/etc/default/atomctl',
      `ATOMCTL_ROOT=${site.root}\nMETRICS_DIRECTORY=${metrics}\n`,
    );
    await must('systemctl', 'start', 'atomctl-metrics');
    expect(await must('cat', `${metrics}/atom-queue.prom`)).toContain('gearman_up{');
    expect(await must('cat', `${metrics}/atom-jobs.prom`)).toContain('# TYPE');
    expect(await must('stat', '-c', '%a', `${metrics}/atom-jobs.prom`)).toBe('644\n');
  });

  test('the alert fails with what it found, and gives it to the command; without findings it is silent', async () => {
    const command = 'cat > /var/tmp/alert; cat /proc/self/status > /var/tmp/rights';
    const settings = `ATOMCTL_ROOT=${site.root}\nALERT_COMMAND='${command}'\n`;
    await writeInRig(rig, '/etc/default/atomctl', settings);
    await must('systemctl', 'start', 'atomctl-alert');
    expect((await inside('test', '-e', '/var/tmp/alert')).code).toBe(1);
    const name = String.raw`a\0033[31m\c%s`;
    const id = await site.insertJob({name, status: 'running', startedAt: '2020-01-01 00:00:00'});
    expect((await inside('systemctl', 'start', 'atomctl-alert')).code).toBe(1);
    expect(await must('cat', '/var/tmp/alert')).toContain(`${id} (${name}).\n`);
    expect(await must('journalctl', '-u', 'atomctl-alert', '-o', 'cat')).toContain(`${id} (${name}).\n`);
    // The command may be mail, which takes the rights of its mail server.
    expect(await must('cat', '/var/tmp/rights')).toMatch(/^NoNewPrivs:\t0$/m);
    await must('rm', '/var/tmp/alert', '/var/tmp/rights');
    await inside('systemctl', 'reset-failed');
    await site.query('DELETE FROM object WHERE id = ?', [id]);
  });

  test('a timer that is enabled starts its service', async () => {
    await must('mkdir', '-p', '/etc/systemd/system/atomctl-alert.timer.d');
    const soon = '[Timer]\nOnCalendar=\nOnCalendar=*-*-* *:*:00/2\nAccuracySec=100ms\n';
    await writeInRig(rig, '/etc/systemd/system/atomctl-alert.timer.d/soon.conf', soon);
    await must('systemctl', 'daemon-reload');
    const started = () =>
      must('systemctl', 'show', '--value', '-p', 'ExecMainStartTimestampMonotonic', 'atomctl-alert');
    const earlier = await started();
    await inside('systemctl', 'enable', '--now', ...TIMERS);
    await expect.poll(started, {timeout: 20_000}).not.toBe(earlier);
    await must('rm', '-r', '/etc/systemd/system/atomctl-alert.timer.d');
    await must('systemctl', 'daemon-reload');
  });

  test('an upgrade keeps the settings and the enabled timers', async () => {
    const next = join(rig.scratch, 'next');
    await run('dpkg-deb', ['--raw-extract', DEB, next]);
    const control = join(next, 'DEBIAN/control');
    writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, 'Version: 99'));
    await run('dpkg-deb', ['--root-owner-group', '-Znone', '--build', next, `${next}.deb`]);
    await must('dpkg', '--install', `${next}.deb`);
    expect(await must('dpkg-query', '-W', 'atomctl')).toBe('atomctl\t99\n');
    expect(await must('cat', '/etc/default/atomctl')).toContain('ALERT_COMMAND');
    expect(await must('systemctl', 'is-enabled', ...TIMERS)).toBe('enabled\n'.repeat(3));
    expect(await must('systemctl', 'is-active', ...TIMERS)).toBe('active\n'.repeat(3));
  });

  test('an upgrade succeeds although systemctl fails, as on Ubuntu 20.04 with a timer that was masked', async () => {
    await writeInRig(rig, '/usr/local/bin/systemctl', '#!/bin/sh\nexit 1\n');
    await must('chmod', '755', '/usr/local/bin/systemctl');
    await must('dpkg', '--install', `${join(rig.scratch, 'next')}.deb`);
    await must('rm', '/usr/local/bin/systemctl');
  });

  test('removed, it leaves its settings and no timer; purged, nothing but the exports', async () => {
    await must('dpkg', '--remove', 'atomctl');
    expect((await inside('systemctl', 'list-timers', '--all')).stdout).not.toContain('atomctl');
    expect((await inside('test', '-e', '/usr/bin/atomctl')).code).toBe(1);
    expect(await must('cat', '/etc/default/atomctl')).toContain('ALERT_COMMAND');
    await must('dpkg', '--purge', 'atomctl');
    expect(await allFiles()).toBe(before);
    expect((await must('ls', '/var/backups/atomctl')).trim().split('\n')).toHaveLength(2);
  });
});
