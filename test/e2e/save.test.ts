import {
  chmodSync,
  chownSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, expect, test} from 'vitest';
import {expectSchema} from '../support/json-schema.ts';
import {
  createScratch,
  type GearmanProcess,
  runAtomctl,
  runOnTerminal,
  startGearmand,
} from '../support/sandbox.ts';
import {
  createQueueSite,
  emptyQueueSite,
  handedOut,
  type QueueSite,
  submitJobs,
} from '../support/site/queue-site.ts';

let gearmand: GearmanProcess;
let at: QueueSite;
let directory: string;

beforeAll(async () => {
  gearmand = await startGearmand();
  at = await createQueueSite(gearmand);
  directory = createScratch('queue-save');
});

afterEach(() => emptyQueueSite(at, []));

afterAll(async () => {
  await at.drop();
  await gearmand.kill();
});

const atomctl = (...args: string[]) => runAtomctl(args, {env: {...at.site.env, SUDO_USER: ''}});
const save = (...args: string[]) => atomctl('queue:save', ...args);
const restore = (...args: string[]) => atomctl('queue:restore', ...args);

async function restartGearmand(): Promise<void> {
  await gearmand.kill();
  gearmand = await startGearmand([], {port: gearmand.address.port});
}

test('a copy that is the audit log too is refused, and stays as it is', async () => {
  await submitJobs(at, 1);
  const file = join(directory, 'log-too.json');
  await save(file);
  const before = readFileSync(file, 'utf8');
  await restartGearmand();
  const {code, stderr} = await restore(file, '--yes', '--audit-log', join(directory, '.', 'log-too.json'));
  expect([code, readFileSync(file, 'utf8')]).toEqual([2, before]);
  expect(stderr).toContain('FILE and the audit log are the same file');
});

test('the queue outlives a restart of gearmand; the second restore does nothing', async () => {
  const ids = await submitJobs(at, 3);
  const [file, log] = [join(directory, 'queue.json'), join(directory, 'audit.log')];
  const saved = await save(file);
  expect([saved.code, saved.stderr, saved.stdout]).toEqual([
    0,
    '',
    `3 waiting jobs saved in ${file}: 3 arFindingAidJob.\ngearmand has counted 1 retry more for each of them.\n`,
  ]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  await restartGearmand();
  const planned = await restore(file, '--dry-run');
  expect([planned.code, planned.stdout]).toEqual([0, `3 jobs in ${file}: 3 to submit again.\n`]);
  expect(await at.server.jobs()).toEqual([]);
  const done = await restore(file, '--yes', '--audit-log', log);
  expect([done.code, done.stdout, done.stderr]).toEqual([
    0,
    `3 jobs in ${file}: 3 submitted again.\n`,
    `Warning: No worker is connected to ${gearmand.endpoint} for: arFindingAidJob.\n`,
  ]);
  const lines = readFileSync(log, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({what}) => what.job)).toEqual(ids);
  expect(lines[0]).toMatchObject({
    command: 'queue:restore',
    what: {restoredFrom: file},
    result: {action: 'submitted'},
  });
  const again = await restore(file, '--yes');
  expect([again.code, again.stdout]).toEqual([0, `3 jobs in ${file}: 3 waiting already.\n`]);
  expect(await handedOut(at.site)).toEqual(ids);
});

test('an existing file needs --force; a link is replaced, not followed; the name may have a date', async () => {
  await submitJobs(at, 1);
  const [file, target, link] = ['old.json', 'target', 'link.json'].map((name) => join(directory, name));
  writeFileSync(file!, 'old');
  chmodSync(file!, 0o644);
  writeFileSync(target!, 'untouched');
  symlinkSync(target!, link!);
  for (const path of [file!, link!]) {
    const refused = await save(path);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(`${path} already exists`)]);
    expect((await save(path, '--force')).code).toBe(0);
    expect([lstatSync(path).isFile(), lstatSync(path).mode & 0o777]).toEqual([true, 0o600]);
  }
  expect(readFileSync(target!, 'utf8')).toBe('untouched');
  expect((await save(join(directory, 'at-%F.json'))).code).toBe(0);
  expect(readdirSync(directory).some((name) => /^at-\d{4}-\d\d-\d\d\.json$/.test(name))).toBe(true);
  expect((await at.server.jobs()).map(({retries}) => retries)).toEqual([3]);
});

test('a damaged file, no copy, a file that others may write, and a server that is not an address are usage errors', async () => {
  await submitJobs(at, 2);
  const file = join(directory, 'damaged.json');
  await save(file);
  const text = readFileSync(file, 'utf8');
  const refusalOf = async (...args: string[]) => {
    const {code, stderr} = await restore(...args, '--yes');
    return `${code} ${stderr.split('\n')[0]}`;
  };
  writeFileSync(file, text.slice(0, -20));
  expect(await refusalOf(file)).toMatch(/^2 Error: .*damaged\.json is damaged/);
  writeFileSync(file, 'id,name\n');
  expect(await refusalOf(file)).toMatch(/^2 Error: .*is not a copy of a queue/);
  writeFileSync(file, text);
  chmodSync(file, 0o666);
  expect(await refusalOf(file)).toMatch(/^2 Error: .*is writable by its group or by everyone/);
  chmodSync(file, 0o600);
  if (process.geteuid!() === 0) {
    chownSync(file, 65534, 65534);
    expect(await refusalOf(file)).toMatch(/^2 Error: .*belongs to another user \(uid 65534\)/);
    chownSync(file, 0, 0);
  }
  expect(await refusalOf(file, '--to', 'a b')).toMatch(/^2 Error: "a b" \(--to\)/);
  expect(await refusalOf(join(directory, 'none.json'))).toMatch(/^2 Error: .*none\.json cannot be read/);
  expect(await refusalOf('/dev/zero')).toMatch(/^2 Error: .*is not a regular file/);
  await handedOut(at.site);
});

test('it asks before it submits, and declining submits nothing; without a terminal --yes is needed', async () => {
  const ids = await submitJobs(at, 2);
  const file = join(directory, 'asked.json');
  await save(file);
  await handedOut(at.site);
  expect((await restore(file)).code).toBe(2);
  const declined = await runOnTerminal(['queue:restore', file], {env: at.site.env, input: 'n\n'});
  expect([declined.code, declined.screen]).toEqual([
    5,
    expect.stringMatching(/2 to submit again[\s\S]*Site [\s\S]*\n.*submit 2 jobs again\? \(y\/N\)/),
  ]);
  expect(await at.server.jobs()).toEqual([]);
  const agreed = await runOnTerminal(['queue:restore', file], {env: at.site.env, input: 'y\n'});
  expect([agreed.code, agreed.screen]).toEqual([0, expect.stringContaining('2 submitted again')]);
  expect(await handedOut(at.site)).toEqual(ids);
});

test('both print what their schemas say', async () => {
  const ids = await submitJobs(at, 2);
  const file = join(directory, 'json.json');
  const saved = expectSchema('queue-save', (await save(file, '--json')).stdout);
  expect(saved).toMatchObject({file, jobs: 2, retriesAdded: 1, warnings: []});
  const [first] = readFileSync(file, 'utf8').split('\n');
  expect(JSON.parse(first!)).toMatchObject({count: 2, savedAt: saved.savedAt});
  await handedOut(at.site);
  const planned = expectSchema('queue-restore', (await restore(file, '--dry-run', '--json')).stdout);
  expect([planned.dryRun, planned.counts.submitted]).toEqual([true, 2]);
  const done = expectSchema('queue-restore', (await restore(file, '--yes', '--json')).stdout);
  expect(done.jobs.map(({id, action}: {id: number; action: string}) => [id, action])).toEqual(
    ids.map((id) => [id, 'submitted']),
  );
  await handedOut(at.site);
});
