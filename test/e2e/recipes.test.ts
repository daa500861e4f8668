/** Runs the recipes of docs/recipes.md unchanged. */
import {execFile, execFileSync} from 'node:child_process';
import {chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {createSiteTime} from '../../src/atom/site-time.ts';
import {connectServers} from '../../src/gearman/server.ts';
import {STATUSES} from '../../src/jobs/model/job.ts';
import {installed} from '../support/installed.ts';
import {insertLogged} from '../support/jobs/retry-site.ts';
import {
  ATOM_PASSWORD,
  ATOMCTL,
  type AtomSite,
  cleanEnvironment,
  createScratch,
  createSite,
  type GearmanProcess,
  type RunResult,
  startGearmand,
  startWorker,
  submitJob,
  until,
  type WorkerProcess,
} from '../support/sandbox.ts';
import {uploadCsv} from '../support/servers/submit-job.ts';

const RECIPES = readFileSync(new URL('../../docs/recipes.md', import.meta.url), 'utf8');

/** The code blocks of each recipe, by its title. */
const recipes = new Map(
  RECIPES.split(/^### /m)
    .slice(1)
    .map((recipe) => [
      recipe.split('\n', 1)[0]!,
      [...recipe.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, text]) => ({
        language: language!,
        text: text!,
      })),
    ]),
);
const tried = new Set<string>();

/** A recipe's blocks: scripts and files separately. */
function recipe(title: string): {scripts: string[]; files: string[]} {
  tried.add(title);
  const blocks = recipes.get(title) ?? [];
  const texts = (script: boolean) =>
    blocks.filter(({language}) => (language === 'sh') === script).map(({text}) => text);
  return {scripts: texts(true), files: texts(false)};
}

let scratch: string;
let gearmand: GearmanProcess;
let site: AtomSite;
let worker: WorkerProcess;

beforeAll(async () => {
  scratch = createScratch('recipes');
  mkdirSync(join(scratch, 'bin'));
  writeFileSync(join(scratch, 'bin/atomctl'), `#!/bin/sh\nexec ${ATOMCTL.join(' ')} "$@"\n`);
  chmodSync(join(scratch, 'bin/atomctl'), 0o755);
  gearmand = await startGearmand();
  const workerTypes = {general: ['arFileImportJob', 'arFindingAidJob']};
  site = await createSite({gearman: [gearmand.endpoint], workerTypes});
  worker = await startWorker(site);
});

afterAll(async () => {
  await worker?.stop();
  await Promise.all([gearmand?.kill(), site?.drop()]);
});

/** Runs a script as cron, a pipeline or a person does. */
function run(
  script: string | undefined,
  env: Record<string, string> = {},
  args: readonly string[] = [],
): Promise<RunResult> {
  const file = join(scratch, 'recipe');
  writeFileSync(file, script ?? 'exit 99');
  const PATH = `${join(scratch, 'bin')}:${process.env.PATH}`;
  const all = cleanEnvironment({...site.env, PATH, HOME: scratch, ...env});
  return new Promise((resolve) => {
    execFile('/bin/sh', [file, ...args], {env: all, cwd: scratch}, (error, stdout, stderr) =>
      resolve({code: error === null ? 0 : Number(error.code), stdout, stderr}),
    );
  });
}

/** A queue:hold has a job of this function. */
async function isHeld(name: string): Promise<boolean> {
  const [connection] = await connectServers([gearmand.address], {timeoutSeconds: 5});
  if (!('server' in connection!)) throw connection!.error;
  const {server} = connection;
  const holds = (await server.connections()).some(({id}) => id.startsWith('atomctl-hold-'));
  const held = (await server.status()).some((row) => row.function === name && row.running === 1);
  server.close();
  return holds && held;
}

/** A systemctl whose only unit is the site's worker, which has failed; `start` runs it. There is no journal. */
function fakeSystemd(): {bin: string; endWorker: () => void} {
  const [bin, pidFile] = [join(scratch, 'systemd'), join(scratch, 'worker.pid')];
  mkdirSync(bin);
  const tool = (name: string, script: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, {mode: 0o755});
  tool('journalctl', '');
  tool(
    'systemctl',
    `case "$*" in
*UnitPath*) echo UnitPath= ;;
*reset-failed*) ;;
*" start "*) cd ${site.root} && { php symfony jobs:worker > /dev/null 2>&1 < /dev/null & echo $! > ${pidFile}; } ;;
*) if pid=$(cat ${pidFile} 2> /dev/null); then state=active sub=running; else state=failed sub=failed; fi
cat <<END
Id=atom-worker.service
LoadState=loaded
ActiveState=$state
SubState=$sub
UnitFileState=enabled
MainPID=$pid
Restart=no
Result=$([ $state = active ] && echo success || echo exit-code)
ExecMainCode=$([ $state = active ] && echo 0 || echo 1)
ExecMainStatus=$([ $state = active ] && echo 0 || echo 1)
ExecStart={ path=/usr/bin/php ; argv[]=/usr/bin/php symfony jobs:worker ; ignore_errors=no ; }
WorkingDirectory=${site.root}
END
esac`,
  );
  const endWorker = () => {
    if (existsSync(pidFile)) process.kill(Number(readFileSync(pidFile, 'utf8')));
    rmSync(pidFile, {force: true});
  };
  return {bin, endWorker};
}

describe.sequential('docs/recipes.md', () => {
  test('4, D12: prunes every night, exports first, is silent, and runs again on the same day', async () => {
    const {scripts} = recipe('4. Prune every night');
    const history = join(scratch, 'history');
    const gone = await site.insertJob({name: 'long ago', startedAt: '2020-01-01 00:00:00'});
    const stays = await site.insertJob({status: 'running', startedAt: '2020-01-01 00:00:00'});
    const audit = join(scratch, 'audit.log');
    const env = {ATOM_HISTORY: history, ATOMCTL_AUDIT_LOG: audit};
    const first = await run(scripts[0], env);
    expect([first.code, first.stderr]).toEqual([0, '']);
    const [file] = readdirSync(history);
    expect(readFileSync(join(history, file!), 'utf8')).toContain('long ago');
    expect(await site.query('SELECT id FROM job')).toEqual([{id: stays}]);
    expect(JSON.parse(readFileSync(audit, 'utf8'))).toMatchObject({result: {cleared: 1}});

    expect(await run(scripts[0], env)).toEqual({code: 0, stdout: '', stderr: ''});
    expect(readdirSync(history)).toEqual([file]);
    const later = await site.insertJob({name: 'later', startedAt: '2020-01-01 00:00:00'});
    expect(await run(scripts[0], env)).toEqual({code: 0, stdout: '', stderr: ''});
    const second = file!.replace('.csv', '-2.csv');
    expect(readdirSync(history).sort()).toEqual([second, file].sort());
    expect(readFileSync(join(history, second), 'utf8')).toContain('later');
    await site.query('DELETE FROM object WHERE id IN (?)', [[gone, stays, later]]);
  });

  test('5: is a plugin for Nagios', async () => {
    const {scripts} = recipe('5. Nagios');
    expect(await run(scripts[0])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^ATOM QUEUE OK: .* \| /),
    });
    const id = await site.insertJob({status: 'running', startedAt: '2020-01-01 00:00:00'});
    expect(await run(scripts[0])).toMatchObject({
      code: 2,
      stdout: expect.stringMatching(/^ATOM QUEUE CRITICAL: /),
    });
    await site.query('DELETE FROM object WHERE id = ?', [id]);
  });

  test('14: passes a good deploy, and fails without the worker', async () => {
    const {scripts} = recipe('14. Smoke test after a deploy');
    const good = await run(scripts[0]);
    expect([good.code, good.stderr]).toEqual([0, '']);
    const soon = scripts[0]!.replace('--wait 60', '--wait 0.1').replace('arFileImportJob', 'arObjectMoveJob');
    const bad = await run(soon);
    expect([bad.code, bad.stdout]).toEqual([1, expect.stringContaining('arObjectMoveJob has no worker')]);
  });

  test('15: waits for an import, and shows a failed one', async () => {
    const {scripts} = recipe('15. Wait for an import in a script');
    const {id} = await submitJob(site, {jobClass: 'arFileImportJob'});
    const done = await run(scripts[0]);
    expect(done).toEqual({code: 0, stdout: '', stderr: ''});
    const failed = await site.insertJob({
      name: 'arFileImportJob',
      status: 'error',
      notes: [{text: 'No such column', error: true}],
    });
    const shown = await run(scripts[0]);
    expect([shown.code, shown.stderr]).toEqual([1, expect.stringContaining('No such column')]);
    await site.query('DELETE FROM object WHERE id IN (?)', [[id, failed]]);
  });

  test('17: deploys while no job executes, without a terminal, also if an import waits for a free worker', async () => {
    const {scripts} = recipe('17. Deploy while no job executes');
    const deploy = join(scratch, 'deploy.sh');
    const begun = join(site.root, 'sandbox/started', String(worker.pid));
    writeFileSync(deploy, `#!/bin/sh\ntail -n 1 ${begun}; exit $FAILS\n`, {mode: 0o755});
    const env = {DEPLOY: deploy, ATOM_HISTORY: scratch, FAILS: '0'};
    // The worker is free, and takes nothing.
    process.kill(worker.pid, 'SIGSTOP');
    const {id: plain} = await submitJob(site);
    const {id: anImport} = await submitJob(site, {jobClass: 'arFileImportJob'});
    const running = run(scripts[0], env);
    await until(() => isHeld(site.functionName('arFindingAidJob')));
    process.kill(worker.pid, 'SIGCONT');
    const good = await running;
    expect([good.code, good.stdout]).toEqual([0, expect.stringMatching(new RegExp(`^${anImport}$`, 'm'))]);
    expect(good.stderr).toContain('The waiting jobs of arFileImportJob');
    expect(good.stderr).toContain('1 worker of this site is not stopped');
    expect(existsSync(join(scratch, 'queue.json'))).toBe(false);
    await until(() => worker.started().at(-1) === plain);

    expect((await run(scripts[0], {...env, FAILS: '7'})).code).toBe(7);
    expect(existsSync(join(scratch, 'queue.json'))).toBe(true);
    await site.query('DELETE FROM object WHERE id IN (?)', [[plain, anImport]]);
  });

  test('16: writes figures for Prometheus, also for an unhealthy queue', async () => {
    const {scripts} = recipe('16. Figures for Prometheus');
    await site.insertJob();
    for (const gearman of [gearmand.endpoint, '127.0.0.1:9']) {
      const {code, stderr} = await run(scripts[0], {TEXTFILES: scratch, ATOMCTL_GEARMAN: gearman});
      expect([code, stderr]).toEqual([0, '']);
      const queue = readFileSync(join(scratch, 'atom-queue.prom'), 'utf8');
      expect(queue).toContain(`gearman_up{server="${gearman}"} ${gearman === gearmand.endpoint ? 1 : 0}\n`);
      expect(readFileSync(join(scratch, 'atom-jobs.prom'), 'utf8')).toMatch(/^atom_jobs\{.*\} 1$/m);
    }
  });

  test('16: has units that systemd accepts', ({skip}) => {
    skip(!installed('systemd-analyze'), 'systemd-analyze is not installed');
    const {files} = recipe('16. Figures for Prometheus');
    const paths = files.map((text) => {
      const name = /^# .*\/(.+)$/m.exec(text)![1]!;
      // The script is in another place than in the recipe.
      writeFileSync(join(scratch, name), text.replace('/usr/local/bin/atom-metrics', '/bin/true'));
      return join(scratch, name);
    });
    expect(paths).toHaveLength(2);
    const verify = 'systemd-analyze verify --man=no "$@" 2>&1';
    const said = execFileSync('sh', ['-c', verify, 'sh', ...paths], {encoding: 'utf8'});
    expect(said).toBe('');
  });

  test('8: asks several sites', async () => {
    const {scripts, files} = recipe('8. Two sites');
    const south = await createSite({gearman: [gearmand.endpoint], workerTypes: {}});
    const config = join(scratch, 'config.yml');
    // Only the sites' directories differ between hosts.
    const text = files[0]!
      .replace('/usr/share/nginx/north', site.root)
      .replace('/usr/share/nginx/south', south.root);
    writeFileSync(config, text);
    await south.insertJob({status: 'running', name: 'southern'});
    const env = {ATOMCTL_CONFIG: config, ATOMCTL_ROOT: '', TEXTFILES: scratch};
    const all = await run(scripts[0], env);
    expect(all.stdout).toMatch(/== north ==[\s\S]*== south ==[\s\S]*southern/);
    expect(all.stdout.match(/== north ==/g)).toHaveLength(2);
    const cron = await run(scripts[1], env);
    expect(cron.stdout).toMatch(/^== south ==\nwarning .*lost-jobs/);
    expect(readFileSync(join(scratch, 'north.prom'), 'utf8')).toContain('atom_jobs{site="north"');
    expect([all.code, cron.code]).toEqual([1, 0]);
    await south.drop();
  });

  test('1, 2: finds what is stuck and why, and ends it; cron hears nothing without it', async () => {
    const {scripts} = recipe('1. Find out what is stuck, and why');
    const [list, show, cron] = scripts;
    expect(await run(cron)).toEqual({code: 0, stdout: '', stderr: ''});
    const stuck = await insertLogged(site, {
      status: 'running',
      startedAt: '2020-01-01 00:00:00',
      messages: ['Still at work.'],
    });
    const env = {id: String(stuck)};
    expect((await run(list)).stdout).toMatch(new RegExp(`^ *${stuck} .* lost +`, 'm'));
    expect((await run(show, env)).stdout).toMatch(/Status: +running, lost[\s\S]*Why: +\S[\s\S]*Log\n/);
    const told = await run(cron);
    expect([told.code, told.stdout]).toEqual([1, expect.stringContaining(String(stuck))]);

    const [dryRun, kill] = recipe('2. End it').scripts;
    expect(await run(dryRun, env)).toMatchObject({code: 0, stdout: expect.stringContaining(String(stuck))});
    expect(await run(kill, env)).toMatchObject({code: 0});
    const [row] = await site.query('SELECT status_id FROM job WHERE id = ?', [stuck]);
    expect(row.status_id).toBe(STATUSES.error.termId);
    await site.query('DELETE FROM object WHERE id = ?', [stuck]);
  });

  test('3: finds a dead worker and starts it; cron hears nothing while it runs', async () => {
    const [status, start, cron] = recipe('3. Find out that the worker is dead, and restart it').scripts;
    const systemd = fakeSystemd();
    onTestFinished(systemd.endWorker);
    const env = {PATH: `${systemd.bin}:${join(scratch, 'bin')}:${process.env.PATH}`};
    const dead = await run(status, env);
    expect([dead.code, dead.stdout]).toEqual([1, expect.stringContaining('atom-worker.service is failed')]);
    const started = await run(start, env);
    expect([started.code, started.stdout]).toEqual([0, expect.stringContaining('2 abilities')]);
    expect(await run(cron, env)).toEqual({code: 0, stdout: '', stderr: ''});
    systemd.endWorker();
    const again = await run(cron, env);
    expect([again.code, again.stdout]).toEqual([
      0,
      expect.stringMatching(/atom-worker\.service is failed[\s\S]*ok {2}.*2 abilities/),
    ]);
  });

  test('6: exports the errors of a month', async () => {
    const {scripts} = recipe('6. The errors of a month as CSV');
    const failed = {status: 'error' as const, notes: [{text: 'disk full', error: true}]};
    const ids = [
      await site.insertJob({...failed, startedAt: '2026-10-31 23:59:59'}),
      await site.insertJob({...failed, startedAt: '2026-09-30 23:59:59'}),
      await site.insertJob({...failed, startedAt: '2026-11-01 00:00:00'}),
      await site.insertJob({startedAt: '2026-10-31 23:59:59'}),
    ];
    expect(await run(scripts[0])).toMatchObject({code: 0, stdout: ''});
    const lines = readFileSync(join(scratch, 'errors-2026-10.csv'), 'utf8').trimEnd().split('\n');
    expect(lines).toEqual([
      expect.stringMatching(/^id,/),
      expect.stringMatching(new RegExp(`^${ids[0]},.*disk full`)),
    ]);
    await site.query('DELETE FROM object WHERE id IN (?)', [ids]);
  });

  test('7: watches an import to its end', async () => {
    const {scripts} = recipe('7. Watch an import');
    const {id} = await submitJob(site, {jobClass: 'arFileImportJob', work: {seconds: 3}});
    const watched = await run(scripts[0]);
    expect([watched.code, watched.stdout]).toEqual([
      0,
      expect.stringMatching(new RegExp(`Job ${id}[\\s\\S]*Job finished\\.[\\s\\S]*completed`)),
    ]);
    await site.query('DELETE FROM object WHERE id = ?', [id]);
  });

  test('9: works with nothing but the variables of a container', async () => {
    const {scripts, files} = recipe('9. A sidecar with only environment variables');
    const {host, port, user} = site.config;
    const variables = {
      ATOM_MYSQL_DSN: `mysql:host=${host};port=${port};dbname=${site.databaseName}`,
      ATOM_MYSQL_USERNAME: user,
      ATOM_MYSQL_PASSWORD: ATOM_PASSWORD,
      ATOM_GEARMAND_HOST: gearmand.endpoint,
      ATOMCTL_FUNCTION_PREFIX: 'auto',
      ATOMCTL_TIMEZONE: site.timezone,
    };
    expect([...files[0]!.matchAll(/^ +(\w+):/gm)].map(([, name]) => name)).toEqual(Object.keys(variables));
    const {id} = await submitJob(site, {jobClass: 'arFindingAidJob', work: {seconds: 5}});
    await until(() => worker.started().includes(id));
    const {stdout, stderr} = await run(scripts[0], {...variables, ATOMCTL_ROOT: ''});
    expect(stderr).not.toContain('Error');
    expect(stdout).toMatch(/^arFindingAidJob +0 +1 +1$/m);
    expect(stdout).toMatch(new RegExp(`^ *${id} .*executing`, 'm'));
    await site.query('DELETE FROM object WHERE id = ?', [id]);
  });

  test('10: names the job that made a file', async () => {
    const {scripts} = recipe('10. Which job made this file?');
    const id = await site.insertJob({name: 'CSV export', downloadPath: 'downloads/jobs/4f1c.zip'});
    const {code, stdout} = await run(scripts[0], {
      file: 'https://archive.example.org/downloads/jobs/4f1c.zip',
    });
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^ *${id} .*CSV export +admin`, 'm')),
    ]);
    await site.query('DELETE FROM object WHERE id = ?', [id]);
  });

  test('11: says who submits most', async () => {
    const [stats, list] = recipe('11. Who submits most?').scripts;
    const startedAt = createSiteTime(site.timezone, process.env).toWall(new Date());
    for (const userId of [448, 449, 448]) await site.insertJob({startedAt, userId});
    expect((await run(stats)).stdout).toMatch(/USER +JOBS.*\nadmin +2 .*\nmarie +1 /);
    expect(await run(list)).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^ +2 admin\n +1 marie\n$/),
      stderr: '',
    });
    await site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
  });

  test('12: mails how an import ended', async () => {
    const {scripts} = recipe('12. Be mailed when an import ends');
    const mail = join(scratch, 'mail.txt');
    writeFileSync(join(scratch, 'bin/mail'), `#!/bin/sh\n{ echo "$*"; cat; } > ${mail}\n`, {mode: 0o755});
    const {id: done} = await submitJob(site, {jobClass: 'arFileImportJob', work: {seconds: 0.2}});
    const failed = await site.insertJob({name: 'arFileImportJob', status: 'error'});
    for (const [id, end] of [
      [done, 'completed'],
      [failed, 'did not complete'],
    ] as const) {
      const ran = await run(scripts[0], {USER: 'keeper'}, [String(id)]);
      expect(ran).toEqual({code: 0, stdout: '', stderr: ''});
      expect(readFileSync(mail, 'utf8')).toMatch(new RegExp(`^-s AtoM job ${id} ${end} keeper\nJob ${id}\n`));
    }
    await site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
  });

  test('13: runs what failed again, but nothing twice', async () => {
    const {scripts} = recipe('13. Run a failed job again');
    const [list, plan, again, anImport] = scripts;
    const startedAt = createSiteTime(site.timezone, process.env).toWall(new Date());
    const failed = {status: 'error', startedAt} as const;
    const findingAid = await insertLogged(site, {...failed, notes: [{text: 'disk full', error: true}]});
    const parameters = await uploadCsv(site);
    const imported = await insertLogged(site, {
      ...failed,
      name: 'arFileImportJob',
      parameters,
      objectId: null,
    });

    expect((await run(list)).stdout).toMatch(new RegExp(`${imported}.*\\n.*${findingAid}.*disk full`));
    const planned = await run(plan);
    expect([planned.code, planned.stdout]).toEqual([
      1,
      expect.stringMatching(
        new RegExp(`^${findingAid} .*: to run again\\. .*\\n${imported} .*: refused\\. .*--force\\n$`),
      ),
    ]);
    const ran = await run(again);
    expect([ran.code, ran.stdout]).toEqual([
      1,
      expect.stringMatching(/: submitted\. .*\n.*: refused\. .*\nJob \d+: completed/),
    ]);
    expect((await run(again)).code).toBe(5);

    expect((await run(anImport)).stdout).toMatch(new RegExp(`^${imported}: submitted\\.`));
    await until(async () => (await site.query('SELECT id FROM job WHERE status_id = 183')).length === 0);
    const completed = 'SELECT id FROM job WHERE status_id = 184 AND id > ?';
    expect(await site.query(completed, [imported])).toHaveLength(2);
    await site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
  });

  describe('as cron runs it: without a terminal, in an empty environment,', () => {
    const FOR_CRON: [title: string, script: number][] = [
      ['1. Find out what is stuck, and why', 2],
      ['4. Prune every night', 0],
      ['8. Two sites', 1],
      ['14. Smoke test after a deploy', 0],
      ['15. Wait for an import in a script', 0],
      ['16. Figures for Prometheus', 0],
    ];
    /** Need more than a site; their own tests compare what they print. */
    const RUN_ABOVE: [title: string, script: number][] = [
      ['3. Find out that the worker is dead, and restart it', 2],
      ['12. Be mailed when an import ends', 0],
    ];
    const home = () => join(scratch, 'home');

    beforeAll(async () => {
      mkdirSync(join(home(), '.config/atomctl'), {recursive: true});
      const sites = `sites:\n  north:\n    root: ${site.root}\n`;
      writeFileSync(join(home(), '.config/atomctl/config.yml'), sites);
      // What tests change is not for the journal of the machine that they run on.
      writeFileSync(join(scratch, 'bin/logger'), '#!/bin/sh\ncat >/dev/null\n', {mode: 0o755});
      const startedAt = createSiteTime(site.timezone, process.env).toWall(new Date());
      await site.insertJob({name: 'arFileImportJob', startedAt});
    });

    test('is every script that is a file', () => {
      const files = [...recipes].flatMap(([title, blocks]) =>
        blocks
          .filter(({language}) => language === 'sh')
          .flatMap(({text}, at) => (text.startsWith('#!') ? [`${title} ${at}`] : [])),
      );
      const known = [...FOR_CRON, ...RUN_ABOVE].map(([title, at]) => `${title} ${at}`);
      expect(files.filter((file) => !known.includes(file))).toEqual([]);
      expect(files.length).toBeGreaterThan(4);
    });

    test.each(FOR_CRON)('%s (%i) is silent if all is well', async (title, at) => {
      const script = recipes.get(title)!.filter(({language}) => language === 'sh')[at]!.text;
      const file = join(scratch, 'cron');
      writeFileSync(file, script);
      const env = {
        ...{HOME: home(), LOGNAME: 'root', SHELL: '/bin/sh', PATH: `${join(scratch, 'bin')}:/usr/bin:/bin`},
        // The directories of the recipes are the machine's.
        ...{ATOM_HISTORY: join(scratch, 'saved'), TEXTFILES: scratch},
      };
      const result = await new Promise<RunResult>((resolve) => {
        execFile('/bin/sh', [file], {env, cwd: site.root}, (error, stdout, stderr) =>
          resolve({code: error === null ? 0 : Number(error.code), stdout, stderr}),
        );
      });
      expect(result).toEqual({code: 0, stdout: '', stderr: ''});
    });

    test("the package's nightly prune does what the recipe does", () => {
      const unit = readFileSync(
        new URL('../../package/deb/usr/lib/systemd/system/atomctl-prune.service', import.meta.url),
        'utf8',
      );
      const flags = (text: string) => [...text.matchAll(/ (--[\w-]+)/g)].map(([, flag]) => flag).sort();
      const [prune] = recipes.get('4. Prune every night')!;
      const command = /^ExecStart=(.*)$/m.exec(unit)![1]!;
      expect(flags(command)).toEqual(flags(prune!.text));
      expect(/PRUNE_EXPORT=\S+\/(\S+)/.exec(unit)![1]!.replaceAll('%%', '%')).toBe(
        /\/(jobs-\S+)"/.exec(prune!.text)![1],
      );
    });
  });

  test('has no recipe without a test', () => {
    expect(recipes.size).toBe(17);
    expect([...recipes.keys()].sort()).toEqual([...tried].sort());
  });
});
