import {once} from 'node:events';
import {afterAll, beforeAll, beforeEach, describe, expect, inject, test} from 'vitest';
import {expectSchema} from '../support/json-schema.ts';
import {submitJob} from '../support/servers/submit-job.ts';
import {until} from '../support/until.ts';
import {atomctlCommand, inRig, type RigAddress, spawnInRig, writeInRig} from './rig.ts';
import {createRigSite, overrideUnit, type RigSite} from './rig-site.ts';

const provided = inject('rig');
const reason = 'skipped' in provided ? provided.skipped : null;
const rig = provided as RigAddress;

let number = 0;
const sites: RigSite[] = [];

/** A site of its own for each test, whose unit is installed and starts again quickly. */
async function siteWithUnit(...flags: string[]): Promise<RigSite> {
  number += 1;
  const made = await createRigSite(rig, `worker-${number}`);
  sites.push(made);
  const {code, stderr} = await made.atomctl(
    'worker:unit',
    '--install',
    '--name',
    `worker-${number}`,
    ...flags,
  );
  expect(stderr).toBe('');
  expect(code).toBe(0);
  await overrideUnit(rig, made.unit, '[Service]\nRestartSec=200ms\n');
  return made;
}

async function statusOf({atomctl}: RigSite) {
  const {code, stdout} = await atomctl('worker:status', '--json');
  return {code, status: expectSchema('worker-status', stdout)};
}

async function jobRow({site}: RigSite, id: number) {
  const [row] = await site.query('SELECT status_id, output FROM job WHERE id = ?', [id]);
  return {...row, starts: (row.output ?? '').split('Job started.').length - 1};
}

describe('the worker on a real systemd', () => {
  beforeAll(async () => {
    if (reason !== null) return;
    const rule = 'www-data ALL=(ALL) NOPASSWD: /usr/bin/systemctl, /usr/bin/tee\n';
    await writeInRig(rig, '/etc/sudoers.d/worker', rule);
  });

  beforeEach(({skip}) => skip(reason !== null, reason ?? ''));

  afterAll(async () => {
    for (const {site, unit} of sites) {
      await inRig(rig, 'systemctl', 'stop', unit);
      await site.drop();
    }
  });

  test('installed, started, enabled, restarted, stopped, disabled, reset: each as systemctl shows it', async () => {
    const worker = await siteWithUnit();
    const {atomctl, show, site, unit} = worker;
    expect(await show('LoadState', 'WorkingDirectory', 'User', 'Restart', 'StartLimitBurst')).toEqual({
      LoadState: 'loaded',
      WorkingDirectory: site.root,
      User: 'www-data',
      Restart: 'on-failure',
      StartLimitBurst: '3',
    });
    expect((await show('After')).After).toMatch(
      /mariadb\.service.*gearman-job-server\.service|gearman-job-server\.service.*mariadb\.service/,
    );

    const started = await atomctl('worker:start', '--json');
    const {MainPID} = await show('MainPID');
    expect(started.code).toBe(0);
    expect(expectSchema('worker-service', started.stdout)).toMatchObject({
      done: true,
      units: [
        {unit, mainPid: Number(MainPID), servers: rig.gearman.map((server) => ({server, missing: []}))},
      ],
    });
    expect(await statusOf(worker)).toMatchObject({
      code: 1,
      status: {status: 'warning', units: [{enabled: false}]},
    });

    const enabled = await atomctl('worker:enable', '--json');
    expect(enabled.code).toBe(0);
    expect(expectSchema('worker-setting', enabled.stdout)).toMatchObject({done: true, units: [{unit}]});
    expect((await show('UnitFileState')).UnitFileState).toBe('enabled');
    const {code, status} = await statusOf(worker);
    expect(status).toMatchObject({
      status: 'ok',
      problems: [],
      units: [
        {
          unit,
          active: 'active',
          sub: 'running',
          mainPid: Number(MainPID),
          startLimit: {burst: 3, startsUsed: 1},
        },
      ],
      unmanaged: [],
    });
    expect(status.units[0].servers.map(({abilities}: {abilities: string[]}) => abilities.length)).toEqual([
      17, 17,
    ]);
    expect(code).toBe(0);

    expect((await atomctl('worker:restart', '--yes')).code).toBe(0);
    const restarted = await show('ActiveState', 'MainPID');
    expect(restarted.ActiveState).toBe('active');
    expect(restarted.MainPID).not.toBe(MainPID);

    const stopped = await atomctl('worker:stop', '--yes');
    expect(stopped).toMatchObject({code: 0, stdout: expect.stringContaining('removed from')});
    expect(await show('ActiveState', 'MainPID')).toEqual({ActiveState: 'inactive', MainPID: '0'});
    expect(JSON.parse((await atomctl('queue:workers', '--json')).stdout)).toMatchObject({workers: []});

    expect((await atomctl('worker:disable')).code).toBe(0);
    expect((await show('UnitFileState')).UnitFileState).toBe('disabled');
    expect((await atomctl('worker:reset')).code).toBe(0);
  });

  test('crashes up to the start limit: status and start explain it, restart --reset brings it back', async () => {
    const worker = await siteWithUnit();
    const {atomctl, show, signal} = worker;
    expect((await atomctl('worker:start')).code).toBe(0);
    let last = '0';
    while ((await show('ActiveState')).ActiveState !== 'failed') {
      const {MainPID, ActiveState} = await show('MainPID', 'ActiveState');
      if (ActiveState === 'active' && MainPID !== last) await signal('KILL');
      last = MainPID!;
    }

    const {code, status} = await statusOf(worker);
    expect(code).toBe(1);
    expect(status).toMatchObject({
      status: 'critical',
      units: [
        {
          active: 'failed',
          restarts: 3,
          startLimit: {burst: 3, intervalSeconds: 86_400, startsUsed: 3, hit: true},
        },
      ],
    });
    expect(status.units[0].startLimit.secondsLeft).toBeGreaterThan(86_000);
    expect(status.problems[0]).toMatch(
      /ended by SIGKILL.*start limit of 3 starts in 1d.*another (23h 59m|1d)/,
    );

    const refused = await atomctl('worker:start');
    expect(refused.code).toBe(1);
    expect(refused.stdout).toMatch(/did not start.*start limit of 3 starts in 1d.*--reset/);
    expect((await show('ActiveState')).ActiveState).toBe('failed');

    const restarted = await atomctl('worker:restart', '--reset');
    expect(restarted).toMatchObject({code: 0, stdout: expect.stringContaining('registered 17 abilities')});
    expect(await show('ActiveState', 'NRestarts')).toEqual({ActiveState: 'active', NRestarts: '0'});
  });

  test('a restart that would reach the start limit leaves the worker running; a reload of systemd clears the count', async () => {
    const worker = await siteWithUnit();
    const {atomctl, show, signal} = worker;
    for (let start = 1; start <= 3; start++) expect((await atomctl('worker:restart')).code).toBe(0);
    const {MainPID} = await show('MainPID');
    const left = await atomctl('worker:restart');
    expect(left).toMatchObject({code: 1, stdout: expect.stringContaining('was not stopped')});
    expect(await show('ActiveState', 'MainPID')).toEqual({ActiveState: 'active', MainPID});

    await inRig(rig, 'journalctl', '--rotate', '--vacuum-size=1');
    const past = await atomctl('worker:restart');
    expect(past).toMatchObject({code: 0, stdout: expect.stringContaining('so their count was cleared')});
    for (let start = 1; start <= 2; start++) expect((await atomctl('worker:restart')).code).toBe(0);

    await signal('KILL');
    await until(async () => (await show('ActiveState')).ActiveState === 'failed');
    expect((await statusOf(worker)).status.units[0].startLimit.hit).toBe(true);
    await inRig(rig, 'systemctl', 'daemon-reload');
    expect((await statusOf(worker)).status.units[0].startLimit.hit).toBe(false);
    expect((await atomctl('worker:start')).code).toBe(0);
  });

  test('active, but nothing registered: a problem, and start says so', async () => {
    const worker = await siteWithUnit();
    await overrideUnit(
      rig,
      worker.unit,
      "[Service]\nExecStart=\nExecStart=/bin/sh -c 'exec sleep 600' jobs:worker\n",
    );
    const {code, stdout} = await worker.atomctl('worker:start', '--wait', '0.5');
    expect(code).toBe(1);
    expect(stdout).toContain('has registered nothing');
    expect((await worker.show('ActiveState')).ActiveState).toBe('active');
    expect(await statusOf(worker)).toMatchObject({
      code: 1,
      status: {
        status: 'critical',
        problems: expect.arrayContaining([expect.stringContaining('has registered nothing')]),
      },
    });
  });

  test('SIGTERM from outside: status says that it will not come back by itself', async () => {
    const worker = await siteWithUnit();
    await worker.atomctl('worker:start');
    await worker.signal('TERM');
    await until(async () => (await worker.show('ActiveState')).ActiveState === 'inactive');
    const {status} = await statusOf(worker);
    expect(status.problems[0]).toMatch(/by a SIGTERM\. systemd will not start it again/);
    expect(status.units[0]).toMatchObject({active: 'inactive', mainPid: null});
  });

  test('a job limit: exit status 111 is no failure, and a new worker comes', async () => {
    const worker = await siteWithUnit('--max-job-count', '1');
    await worker.atomctl('worker:start');
    const {MainPID} = await worker.show('MainPID');
    await submitJob(worker.site);
    await until(async () => {
      const now = await worker.show('ActiveState', 'MainPID');
      return now.ActiveState === 'active' && now.MainPID !== MainPID;
    });
    const {status} = await statusOf(worker);
    expect(status.units[0]).toMatchObject({restarts: 1, startLimit: {burst: 10, intervalSeconds: 3600}});
  });

  test('a job that executes: stop and restart ask, status names it, logs show its lines alone', async () => {
    const worker = await siteWithUnit();
    await worker.atomctl('worker:start');
    const before = await submitJob(worker.site);
    await until(async () => (await jobRow(worker, before.id)).status_id === 184);
    const {id} = await submitJob(worker.site, {work: {seconds: 300}});
    await until(async () => (await jobRow(worker, id)).output?.includes('Parameters: '));

    const {status} = await statusOf(worker);
    expect(status.executing).toEqual([{id, name: 'arFindingAidJob', unit: worker.unit}]);
    for (const verb of ['stop', 'restart']) {
      expect(await worker.atomctl(`worker:${verb}`)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('--yes'),
      });
    }
    expect((await worker.show('ActiveState')).ActiveState).toBe('active');

    const {stdout} = await worker.atomctl('worker:logs', '--job', String(id), '--json');
    const {entries} = expectSchema('worker-logs', stdout);
    expect(entries.map(({message}: {message: string}) => message)).toEqual([
      expect.stringMatching(/> Job started\.$/),
      expect.stringMatching(new RegExp(`> Parameters: .*"id":"${id}"\\}$`)),
    ]);
    expect((await worker.atomctl('worker:logs', '--lines', '500')).stdout).toContain(`"id":"${before.id}"}`);

    expect((await worker.atomctl('worker:stop', '--yes')).code).toBe(0);
  });

  test('jobs:kill --restart-worker: the executing job never runs again, the next one does', async () => {
    const worker = await siteWithUnit();
    await worker.atomctl('worker:start');
    const killed = await submitJob(worker.site, {work: {seconds: 300}});
    const next = await submitJob(worker.site);
    await until(async () => (await jobRow(worker, killed.id)).starts === 1);

    const {code, stdout, stderr} = await worker.atomctl(
      'jobs:kill',
      String(killed.id),
      '--restart-worker',
      '--yes',
      '--json',
    );
    expect(JSON.parse(stdout), stderr).toMatchObject({
      killed: [{id: killed.id, was: 'executing', action: 'marked', gearman: 'removed'}],
      workerRestarted: true,
    });
    expect(code).toBe(0);
    await until(async () => (await jobRow(worker, next.id)).status_id === 184);
    expect(await jobRow(worker, killed.id)).toMatchObject({status_id: 185, starts: 1});
    expect((await worker.show('ActiveState')).ActiveState).toBe('active');
    const {status} = await statusOf(worker);
    expect(status.units[0].servers).toMatchObject([{missing: []}, {missing: []}]);
  });

  test('K2: jobs:kill --restart-worker stops the unit that executes the job, and no other', async () => {
    const worker = await createRigSite(rig, 'two');
    sites.push(worker);
    const units = ['two@1', 'two@2'].flatMap((name) => ['--unit', name]);
    await worker.atomctl('worker:unit', '--install', '--template', '--name', 'two');
    await worker.atomctl('worker:start', ...units);
    const killed = await submitJob(worker.site, {work: {seconds: 300}});
    const other = await submitJob(worker.site, {jobClass: 'arGenerateReportJob', work: {seconds: 300}});
    for (const {id} of [killed, other]) await until(async () => (await jobRow(worker, id)).starts === 1);
    // The journal shows which unit has which job a moment later.
    await until(async () => {
      const {status} = await statusOf(worker);
      return (
        JSON.stringify(status).includes(String(killed.id)) &&
        JSON.stringify(status).includes(String(other.id))
      );
    });

    const planned = await Promise.all(
      ['two@1', 'two@2'].map((unit) =>
        worker.atomctl('jobs:kill', String(killed.id), '--restart-worker', '--unit', unit, '--dry-run'),
      ),
    );
    expect(planned.map(({code: exit}) => exit).sort()).toEqual([0, 5]);
    expect(planned.map((each) => each.stderr).join('')).toMatch(
      /is executed by two@\d\.service, which --unit leaves out/,
    );
    expect(planned.map((each) => each.stdout).join('')).not.toContain(String(other.id));

    const {code, stdout, stderr} = await worker.atomctl(
      ...['jobs:kill', String(killed.id), '--restart-worker', '--yes', '--json'],
    );
    expect(JSON.parse(stdout), stderr).toMatchObject({
      killed: [{id: killed.id, was: 'executing', action: 'marked', gearman: 'removed'}],
      workerRestarted: true,
      interrupted: [],
    });
    expect(code).toBe(0);
    expect(await jobRow(worker, killed.id)).toMatchObject({status_id: 185, starts: 1});
    expect(await jobRow(worker, other.id)).toMatchObject({status_id: 183, starts: 1});
    for (const name of ['two@1', 'two@2']) {
      const {stdout: state} = await inRig(rig, 'systemctl', 'is-active', name);
      expect(state).toBe('active\n');
    }
    await inRig(rig, 'systemctl', 'stop', 'two@1', 'two@2');
  });

  test('K2: jobs:kill --restart-worker waits for a unit that is being stopped, and touches no other', async () => {
    const worker = await createRigSite(rig, 'slow');
    sites.push(worker);
    const units = ['slow@1', 'slow@2'];
    await worker.atomctl('worker:unit', '--install', '--template', '--name', 'slow');
    await overrideUnit(rig, 'slow@.service', '[Service]\nExecStop=/bin/sleep 6\n');
    await worker.atomctl('worker:start', '--unit', 'slow@1');
    const killed = await submitJob(worker.site, {work: {seconds: 300}});
    await until(async () => (await jobRow(worker, killed.id)).starts === 1);
    await worker.atomctl('worker:start', '--unit', 'slow@2');
    const other = await submitJob(worker.site, {jobClass: 'arGenerateReportJob', work: {seconds: 300}});
    await until(async () => (await jobRow(worker, other.id)).starts === 1);
    await until(async () => {
      const text = JSON.stringify((await statusOf(worker)).status);
      return [killed, other].every(({id}) => text.includes(String(id)));
    });

    await inRig(rig, 'systemctl', 'stop', '--no-block', 'slow@1');
    const {code, stdout, stderr} = await worker.atomctl(
      ...['jobs:kill', String(killed.id), '--restart-worker', '--yes', '--json'],
    );
    expect(JSON.parse(stdout), stderr).toMatchObject({
      killed: [{id: killed.id, was: 'executing', action: 'marked', gearman: 'removed'}],
      interrupted: [],
    });
    expect(code).toBe(0);
    expect(await jobRow(worker, other.id)).toMatchObject({status_id: 183, starts: 1});
    const states = units.map(async (name) => (await inRig(rig, 'systemctl', 'is-active', name)).stdout);
    expect(await Promise.all(states)).toEqual(['inactive\n', 'active\n']);
    await inRig(rig, 'systemctl', 'stop', ...units);
  });

  test('K2: if the journal does not show which unit has which job, the other is named, and interrupted only with --interrupt-others', async () => {
    const worker = await createRigSite(rig, 'mute');
    sites.push(worker);
    const units = ['mute@1', 'mute@2'];
    await worker.atomctl('worker:unit', '--install', '--template', '--name', 'mute');
    await overrideUnit(rig, 'mute@.service', '[Service]\nStandardOutput=null\n');
    await worker.atomctl('worker:start', ...units.flatMap((name) => ['--unit', name]));
    const killed = await submitJob(worker.site, {work: {seconds: 300}});
    const other = await submitJob(worker.site, {jobClass: 'arGenerateReportJob', work: {seconds: 300}});
    for (const {id} of [killed, other]) await until(async () => (await jobRow(worker, id)).starts === 1);
    const args = ['jobs:kill', String(killed.id), '--restart-worker', '--yes', '--json'];

    const refused = await worker.atomctl(...args);
    expect([refused.code, JSON.parse(refused.stdout)]).toMatchObject([
      5,
      {killed: [{action: 'refused'}], workerRestarted: false, interrupted: []},
    ]);
    expect(refused.stdout).toContain(`${other.id} (arGenerateReportJob)`);
    expect(await jobRow(worker, other.id)).toMatchObject({status_id: 183, starts: 1});

    const agreed = await worker.atomctl(...args, '--interrupt-others', '--audit-log', '/root/audit.jsonl');
    expect([agreed.code, JSON.parse(agreed.stdout)]).toMatchObject([
      0,
      {killed: [{action: 'marked', gearman: 'removed'}], workerRestarted: true, interrupted: [other.id]},
    ]);
    const {stdout: trail} = await inRig(rig, 'cat', '/root/audit.jsonl');
    expect(JSON.parse(trail.trim().split('\n').at(-1)!)).toMatchObject({
      what: {workers: 'restart'},
      result: {restarted: true, interruptedJobs: [other.id]},
    });
    await until(async () => (await jobRow(worker, other.id)).starts === 2);
    await inRig(rig, 'systemctl', 'stop', ...units);
  });

  test.each([
    ['HUP', 1],
    ['TERM', 1],
    ['INT', 3],
  ])(
    'K3: SIG%s, %i times, while the worker is stopped: the worker is started again',
    async (signal, times) => {
      const worker = await siteWithUnit();
      await overrideUnit(rig, worker.unit, '[Service]\nExecStop=/bin/sleep 2\n');
      await worker.atomctl('worker:start');
      const killed = await submitJob(worker.site, {work: {seconds: 300}});
      await until(async () => (await jobRow(worker, killed.id)).starts === 1);
      const args = ['jobs:kill', String(killed.id), '--restart-worker', '--yes', '--json'];
      const killing = spawnInRig(rig, ...atomctlCommand(worker.site.root, args));
      let output = '';
      killing.stdout!.on('data', (chunk) => {
        output += chunk;
      });
      await until(async () => (await worker.show('ActiveState')).ActiveState === 'deactivating');
      for (let count = 0; count < times; count += 1) {
        await inRig(rig, 'pkill', `--signal=${signal}`, '--exact', 'atomctl');
      }
      const [code] = await once(killing, 'exit');
      expect([code, JSON.parse(output)]).toMatchObject([
        0,
        {killed: [{id: killed.id, action: 'marked', gearman: 'removed'}], workerRestarted: true},
      ]);
      expect((await worker.show('ActiveState')).ActiveState).toBe('active');
      expect(await jobRow(worker, killed.id)).toMatchObject({status_id: 185, starts: 1});
    },
  );

  test("two sites on one host: only this site's unit is found and touched", async () => {
    const [mine, other] = [await siteWithUnit(), await siteWithUnit()];
    await other.atomctl('worker:start');
    const {MainPID} = await other.show('MainPID');
    expect((await mine.atomctl('worker:start')).code).toBe(0);
    expect((await mine.atomctl('worker:restart')).code).toBe(0);
    const {status} = await statusOf(mine);
    expect(status.units.map(({unit}: {unit: string}) => unit)).toEqual([mine.unit]);
    expect((await mine.atomctl('worker:stop')).code).toBe(0);
    expect(await other.show('ActiveState', 'MainPID')).toEqual({ActiveState: 'active', MainPID});
  });

  test('a template for several workers', async () => {
    const worker = await createRigSite(rig, 'many');
    sites.push(worker);
    const units = ['many@1', 'many@2'].flatMap((name) => ['--unit', name]);
    expect((await worker.atomctl('worker:unit', '--install', '--template', '--name', 'many')).code).toBe(0);
    expect((await worker.atomctl('worker:start', ...units)).code).toBe(0);
    const {status} = await statusOf(worker);
    expect(status.units).toMatchObject([{unit: 'many@1.service'}, {unit: 'many@2.service'}]);
    expect(status.unmanaged).toEqual([]);
    expect((await worker.atomctl('worker:stop')).code).toBe(0);
  });

  test('without the right: the sentence says what to run, --sudo runs it', async () => {
    const {atomctlAsWorker, unit, show} = await siteWithUnit();
    const refused = await atomctlAsWorker('worker:start', '--json');
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout).error).toMatchObject({
      code: 'SYSTEMD_REFUSED',
      hint: expect.stringContaining(`sudo systemctl start ${unit}`),
    });
    expect((await show('ActiveState')).ActiveState).toBe('inactive');
    expect((await atomctlAsWorker('worker:start', '--sudo')).code).toBe(0);
    expect((await show('ActiveState')).ActiveState).toBe('active');

    const denied = await atomctlAsWorker('worker:unit', '--install', '--name', 'denied');
    expect(denied).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('sudo tee /etc/systemd/system/denied.service'),
    });
    expect((await atomctlAsWorker('worker:unit', '--install', '--name', 'allowed', '--sudo')).code).toBe(0);
    expect((await inRig(rig, 'systemctl', 'cat', 'allowed.service')).stdout).toContain('jobs:worker');
  });

  test("a user's own manager", async () => {
    const {site} = await createRigSite(rig, 'own');
    await inRig(rig, 'systemctl', 'start', 'user@0.service');
    const atomctl = (...args: string[]) =>
      inRig(rig, ...atomctlCommand(site.root, [...args, '--user-manager'], ['XDG_RUNTIME_DIR=/run/user/0']));
    expect((await atomctl('worker:status')).stderr).toContain('No unit of the user manager');
    expect((await atomctl('worker:unit', '--install', '--name', 'own')).code).toBe(0);
    expect(await atomctl('worker:start')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('own.service'),
    });
    expect((await atomctl('worker:enable')).code).toBe(0);
    const {code, stdout} = await atomctl('worker:status', '--json');
    expect(JSON.parse(stdout)).toMatchObject({status: 'ok', units: [{startLimit: {startsUsed: 1}}]});
    expect(code).toBe(0);
    expect((await atomctl('worker:logs')).stdout).toContain('Running worker...');
    expect((await atomctl('worker:stop')).code).toBe(0);
    await site.drop();
  });

  test('logs --follow goes on until it is interrupted', async () => {
    const {site, atomctl, unit} = await siteWithUnit();
    await atomctl('worker:start');
    const following = spawnInRig(rig, ...atomctlCommand(site.root, ['worker:logs', '--follow', '--json']));
    let output = '';
    following.stdout!.on('data', (chunk) => {
      output += chunk;
    });
    await until(() => output.includes('Running worker...'));
    await submitJob(site);
    await until(() => output.includes('> Job finished.'));
    await inRig(rig, 'pkill', '--signal=INT', '--exact', 'atomctl');
    expect(await once(following, 'exit')).toEqual([0, null]);
    const entries = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(entries.at(-1)).toMatchObject({unit, at: expect.stringMatching(/^20.*-0[78]:00$/)});
  });

  test('a unit file that differs: the difference is shown, nothing is written without being asked', async () => {
    const {atomctl, unit} = await siteWithUnit();
    const name = unit.replace('.service', '');
    const asked = await atomctl('worker:unit', '--install', '--name', name, '--user', 'nobody');
    expect(asked).toMatchObject({code: 2, stderr: expect.stringContaining('-User=www-data\n+User=nobody')});
    expect((await inRig(rig, 'systemctl', 'cat', unit)).stdout).toContain('User=www-data');
    await atomctl('worker:start');
    expect(
      await atomctl('worker:unit', '--install', '--name', name, '--user', 'nobody', '--yes'),
    ).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`A restart is needed: ${unit} uses the old unit file`),
    });
    expect((await inRig(rig, 'systemctl', 'show', '-p', 'User', unit)).stdout).toBe('User=nobody\n');
  });
});
