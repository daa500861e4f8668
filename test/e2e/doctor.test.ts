import {createHash} from 'node:crypto';
import {existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {
  ATOM_PASSWORD,
  type AtomSite,
  createScratch,
  createSite,
  EXECUTABLE,
  freePort,
  type GearmanProcess,
  runAtomctl,
  runOnTerminal,
  startGearmand,
  startWorker,
  type WorkerProcess,
} from '../support/sandbox.ts';

let gearmand: GearmanProcess;
let site: AtomSite;
let worker: WorkerProcess;

beforeAll(async () => {
  gearmand = await startGearmand();
  site = await createSite({gearman: [gearmand.endpoint]});
  worker = await startWorker(site);
});

afterAll(async () => {
  await worker?.stop();
  await Promise.all([gearmand?.stop(), site?.drop()]);
});

const doctor = (...args: string[]) => runAtomctl(['doctor', ...args], {env: site.env});
const running = () => site.query('SELECT id FROM job WHERE status_id = 183');

it('a healthy site: exit 0, no warning, no output under --quiet, nothing to fix', async () => {
  const [json, quiet, fix] = await Promise.all([doctor('--json'), doctor('-q'), doctor('--fix', '--yes')]);
  const {status, findings, fixed} = JSON.parse(json.stdout);
  expect([json.code, json.stderr, status, fixed]).toEqual([0, '', 'ok', []]);
  expect(findings.length).toBeGreaterThan(20);
  for (const {id, state} of findings)
    expect([id, state]).toEqual([id, expect.stringMatching(/^(ok|skipped)$/)]);
  expect(findings[0]).toEqual({
    id: 'database',
    state: 'ok',
    title: expect.any(String),
    evidence: expect.stringMatching(/^MariaDB \d/),
    consequence: null,
    remedy: null,
  });
  expect(quiet).toEqual({code: 0, stdout: '', stderr: ''});
  expect([fix.code, fix.stderr]).toEqual([0, 'Nothing to fix.\n']);
});

it('a lost job is named, not fixed without a confirmation, then fixed, then healthy', async () => {
  const lost = await site.insertJob({status: 'running', name: 'Evil\u001b[2J'});
  const found = await doctor();
  expect(found.code).toBe(1);
  expect(found.stdout).toMatch(new RegExp(`^warning +lost-jobs: .*${lost} \\(Evil\\\\x1b\\[2J\\)\\.$`, 'm'));
  expect(found.stdout).toMatch(/^ +Fix: atomctl doctor --fix/m);
  expect(found.stdout).toMatch(/checks: \d+ ok,.* 1 warning\.$/m);

  const refused = await doctor('--fix');
  expect([refused.code, refused.stdout]).toEqual([2, '']);
  expect(await running()).toHaveLength(1);

  const result = await doctor('--fix', '--yes', '--json');
  const {status, fixed} = JSON.parse(result.stdout);
  expect([result.code, status]).toEqual([0, 'ok']);
  expect(result.stderr).toContain('1 lost job would be marked');
  expect(fixed).toEqual([
    {id: 'lost-jobs', count: 1, message: '1 lost job marked as an error.', error: null},
  ]);
  expect(await running()).toEqual([]);
});

it('warnings alone exit 1; a check can be skipped or chosen', async () => {
  const id = await site.insertJob({notes: [{text: 'n'}]});
  await site.query('DELETE FROM job WHERE id = ?', [id]);
  const [warned, skipped, alone] = await Promise.all([
    doctor('-q'),
    doctor('-q', '--skip', 'orphans'),
    doctor('--check', 'orphans', '--check', 'schema', '--json'),
  ]);
  expect([warned.code, skipped]).toEqual([1, {code: 0, stdout: '', stderr: ''}]);
  expect(warned.stdout).toMatch(/^warning +orphans: 1 object with 1 note and 0 properties/);
  const {status, findings} = JSON.parse(alone.stdout);
  expect([status, findings.map((finding: {id: string}) => finding.id)]).toEqual([
    'warning',
    ['schema', 'orphans'],
  ]);
  const text = await doctor('--fix', '--yes');
  expect(text.stdout).toMatch(/^Fixed: 1 orphaned object deleted/m);
  expect(await site.query('SELECT id FROM object WHERE id = ?', [id])).toEqual([]);
});

it('files of deleted jobs have a question of their own, and are deleted with a record', async ({skip}) => {
  skip(Boolean(EXECUTABLE), 'the executable ignores NODE_OPTIONS, by which this test moves the clock');
  const scratch = createScratch('files');
  const hook = join(scratch, 'in-three-days.cjs');
  // The inode of a file cannot be given an old time.
  writeFileSync(
    hook,
    'const Real = Date; const now = () => Real.now() + 3 * 86_400_000;\n' +
      'globalThis.Date = class extends Real { constructor(...a) { super(...(a.length ? a : [now()])); } static now() { return now(); } };\n',
  );
  const env = {...site.env, NODE_OPTIONS: `--require=${hook}`, ATOMCTL_AUDIT_LOG: join(scratch, 'audit')};
  const file = join(site.root, 'downloads/jobs', `${createHash('md5').update('1').digest('hex')}.zip`);
  writeFileSync(file, 'data');
  const lost = await site.insertJob({status: 'running'});
  const args = ['doctor', '--fix', '--check', 'lost-jobs,stray-downloads'];
  const neither = await runOnTerminal(args, {env, columns: 300, answers: ['n\n', 'n\n']});
  expect([neither.code, existsSync(file)]).toEqual([5, true]);
  expect(neither.screen).toMatch(
    /Apply these fixes\? [\s\S]*1 file \(4 bytes\) of deleted jobs in [\s\S]*Delete these files\? /,
  );
  const files = await runOnTerminal(args, {env, columns: 300, answers: ['n\n', 'y\n']});
  expect([files.code, existsSync(file), (await running()).length]).toEqual([1, false, 1]);
  expect(files.screen).toContain(' 1 file of deleted jobs deleted.');
  expect(JSON.parse(readFileSync(join(scratch, 'audit'), 'utf8'))).toMatchObject({
    what: {remedy: 'stray-downloads'},
    result: {count: 1},
  });

  writeFileSync(file, 'data');
  const young = await doctor('--fix', '--yes', '--check', 'stray-downloads');
  expect([young.code, existsSync(file)]).toEqual([1, true]);
  expect(young.stderr).toMatch(
    /^1 file in .*downloads\/jobs that belongs to no job is younger than a day and will stay\.\nNothing to fix\.\n$/,
  );
  rmSync(file);
  await site.query('DELETE FROM object WHERE id = ?', [lost]);
});

it('servers that are down are findings, within the timeout and without the password', async () => {
  const port = await freePort();
  const url = `mysql://atom:${ATOM_PASSWORD}@127.0.0.1:${port}/atom`;
  const {code, stdout, stderr} = await doctor('--database-url', url, '--gearman', `127.0.0.1:${port}`);
  expect([code, stderr]).toEqual([1, '']);
  expect(stdout).toMatch(/^critical +database: .*refused/m);
  expect(stdout).toMatch(/^critical +gearman-servers: .*cannot be reached/m);
  expect(stdout).not.toContain(ATOM_PASSWORD);
});

it('--fix says that it could not look if a server is down', async () => {
  const server = `127.0.0.1:${await freePort()}`;
  const args = ['--gearman', server, '--fix', '--check', 'lost-jobs,finished-jobs,orphans'];
  const unseen = 'The checks lost-jobs, finished-jobs were not possible, so nothing was fixed.\n';
  const [fix, plan] = await Promise.all([doctor(...args, '--yes'), doctor(...args, '--dry-run')]);
  expect([fix.code, fix.stderr]).toEqual([1, unseen]);
  expect(plan.stdout).toMatch(new RegExp(`\n${unseen}$`));
});

it('wrong settings are a usage error', async () => {
  const runs = [
    ['--stuck-after', 'soon'],
    ['--skip', 'nothing'],
    ['--timezone', 'Mars/Base'],
  ];
  const results = await Promise.all(runs.map((args) => doctor(...args)));
  expect(results.map(({code, stdout}) => [code, stdout])).toEqual(runs.map(() => [2, '']));
});
