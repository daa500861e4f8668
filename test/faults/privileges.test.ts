import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {createConnection} from 'mysql2/promise';
import {afterAll, beforeAll, beforeEach, describe, expect, inject, test} from 'vitest';
import type {Changes} from '../../src/cli/read-only.ts';
import {COMMANDS} from '../../src/cli/start/command-table.ts';
import {connectWorker} from '../../src/gearman/worker-connection.ts';
import {insertLogged} from '../support/jobs/retry-site.ts';
import {
  type AtomSite,
  createScratch,
  createSite,
  type GearmanProcess,
  type RunResult,
  runAtomctl,
  startGearmand,
} from '../support/sandbox.ts';

const PAGE = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
/** The GRANT statements as docs/configuration.md has them: to read, to end and correct jobs, to run jobs again, to delete jobs. */
const [LOOK, CORRECT, REPEAT, DELETE] = PAGE.split('## Database privileges')[1]!
  .split('```')
  .filter((block) => block.startsWith('sql\n'))
  .map((block) => [...(block.match(/GRANT [^;]*/g) ?? [])]) as [string[], string[], string[], string[]];

let gearmand: GearmanProcess;
let site: AtomSite;
let lost: number;
let ended: number;
let saved: string;

beforeAll(async () => {
  gearmand = await startGearmand();
  site = await createSite({gearman: [gearmand.endpoint]});
  const user = {
    look: LOOK,
    correct: [...LOOK, ...CORRECT],
    repeat: [...LOOK, ...CORRECT, ...REPEAT],
    delete: [...LOOK, ...DELETE],
    all: [...LOOK, ...CORRECT, ...DELETE],
  };
  await asRoot(
    Object.entries(user).flatMap(([name, grants]) => [
      `CREATE USER ${account(name)} IDENTIFIED BY 'few'`,
      ...grants.map((grant) => grantTo(name, grant)),
    ]),
  );
});

beforeAll(async () => {
  saved = join(createScratch('saved'), 'queue.jsonl');
  expect(await runAtomctl(['queue:save', saved], {env: site.env})).toMatchObject({code: 0});
});

beforeEach(async () => {
  await site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
  lost = await site.insertJob({status: 'running', notes: [{text: 'a note'}], userToken: 'secret'});
  ended = await site.insertJob({status: 'error', objectId: 512, notes: [{text: 'a note', error: true}]});
});

afterAll(async () => {
  await asRoot(['look', 'correct', 'repeat', 'delete', 'all'].map((name) => `DROP USER ${account(name)}`));
  await site?.drop();
  await gearmand?.kill();
});

const userName = (name: string) => `${name}_${site.databaseName}`;
const account = (name: string) => `'${userName(name)}'@'127.0.0.%'`;

/** The page's statement for this database and this account. */
function grantTo(name: string, grant: string): string {
  return grant.replaceAll('atom.', `${site.databaseName}.`).replace("'atomctl'@'localhost'", account(name));
}

async function asRoot(statements: readonly string[]): Promise<void> {
  const root = await createConnection({user: 'root', socketPath: inject('mariadb').socketPath});
  for (const statement of statements) await root.query(statement);
  await root.end();
}

function run(name: string, args: readonly string[]): Promise<RunResult> {
  const {host, port} = site.config;
  const url = `mysql://${userName(name)}:few@${host}:${port}/${site.databaseName}`;
  return runAtomctl(args, {env: {...site.env, ATOMCTL_DATABASE_URL: url}});
}

test('the page on configuration tells the privileges to look, to correct, to run again and to delete', () => {
  expect(LOOK).toEqual(["GRANT SELECT ON atom.* TO 'atomctl'@'localhost'"]);
  expect([CORRECT.length, REPEAT.length, DELETE.length]).toEqual([4, 4, 2]);
});

test('a view runs nothing with rights that the account does not have', async () => {
  const columns = 'name, download_path, completed_at, user_id, object_id, status_id, output';
  const planted = async () => (await site.query('SELECT * FROM planted')).length > 0;
  await site.query('CREATE TABLE planted (id INT)');
  await site.query(
    'CREATE FUNCTION plant() RETURNS INT SQL SECURITY INVOKER BEGIN INSERT INTO planted VALUES (1); RETURN 0; END',
  );
  await site.query('RENAME TABLE job TO real_job');
  await site.query(
    `CREATE SQL SECURITY INVOKER VIEW job AS SELECT id + plant() AS id, ${columns} FROM real_job`,
  );
  try {
    expect((await run('look', ['jobs:list', '--no-live'])).code).not.toBe(0);
    expect(await planted()).toBe(false);
    // Whoever may write there does so by reading.
    await site.query('SELECT id FROM job');
    expect(await planted()).toBe(true);
  } finally {
    await site.query('DROP VIEW job');
    await site.query('RENAME TABLE real_job TO job');
    await site.query('DROP FUNCTION plant');
    await site.query('DROP TABLE planted');
  }
});

/** Every command that only reads, with the least that it needs. */
const READING: readonly [string, ...(() => readonly string[])[]][] = [
  ['completion', () => ['bash']],
  ['completion:answer', () => ['--', 'jobs:kill', '']],
  ['config'],
  ['doctor', () => ['--skip', 'privileges']],
  ['help'],
  ['jobs:clear', () => ['--dry-run'], () => ['--dry-run', '--delete-downloads']],
  ['jobs:export-csv', () => ['--columns', 'id,info,user,object'], () => []],
  ['jobs:kill', () => [String(lost), '--dry-run', '--force']],
  ['jobs:list', () => ['--user', 'admin', '--live', 'lost'], () => ['--csv'], () => ['--probe']],
  ['jobs:mark', () => [String(lost), '--as', 'error', '--dry-run']],
  ['jobs:retry', () => [String(ended), '--dry-run']],
  ['jobs:show', () => [String(ended)], () => [String(lost), '--json']],
  ['jobs:stats'],
  ['jobs:wait', () => [String(ended)]],
  ['jobs:why', () => [String(lost)], () => [String(ended), '--json']],
  ['man'],
  ['queue:hold', () => ['--dry-run', '--', 'true']],
  ['queue:restore', () => [saved, '--dry-run']],
  ['queue:status', () => ['--warning-age', '9000d'], () => ['--json']],
  ['queue:workers'],
  ['report', () => ['-']],
  ['worker:logs'],
  ['worker:status'],
  ['worker:unit'],
];

test('every command that does not always change something is among those that read', async () => {
  const ids: string[] = [];
  for (const [id, load] of Object.entries(COMMANDS)) {
    const {changes} = (await load()).default as unknown as {changes: Changes};
    if (changes !== true) ids.push(id);
  }
  expect(READING.map(([id]) => id).sort()).toEqual(ids.sort());
});

test.each(READING)('with SELECT alone %s needs no more', async (id, ...calls) => {
  const before = await site.query('SELECT id, status_id FROM job ORDER BY id');
  for (const args of calls.length === 0 ? [() => []] : calls) {
    const {stdout, stderr} = await run('look', [id, ...args()]);
    // A report has the finding that doctor --skip privileges leaves out.
    expect(stdout + stderr).not.toMatch(
      id === 'report' ? /denied|Internal error/ : /lacks|denied|Internal error/,
    );
    // Without systemd here, there is no unit to tell of.
    if (!/^worker:(logs|status)$/.test(id)) expect(stdout).not.toBe('');
  }
  expect(await site.query('SELECT id, status_id FROM job ORDER BY id')).toEqual(before);
});

describe.each(['look', 'all'])('a user with the privileges to %s', (name) => {
  test.each([
    ['jobs:list', '--user', 'admin', '--since', '2020-01-01'],
    ['jobs:list', '--csv'],
    ['jobs:export-csv'],
    ['jobs:stats'],
    ['queue:status', '--warning-age', '9000d'],
    ['jobs:clear', '--dry-run'],
  ])('%s: needs no more', async (...args) => {
    const {stdout, stderr} = await run(name, args);
    expect(stdout + stderr).not.toMatch(/lacks|denied|Error:/);
    expect(stdout).not.toBe('');
  });

  test('jobs:show: needs no more', async () => {
    expect((await run(name, ['jobs:show', String(ended)])).code).toBe(0);
  });
});

describe('a user with the privileges to look', () => {
  test.each([['kill'], ['clear']])(
    'jobs:%s changes nothing and names the GRANT that is missing',
    async (command) => {
      const target = command === 'kill' ? [String(lost)] : [];
      const {code, stdout, stderr} = await run('look', [`jobs:${command}`, ...target, '--yes']);
      expect([code, stdout + stderr]).toEqual([
        expect.any(Number),
        expect.stringMatching(/lacks (SELECT|DELETE|UPDATE|INSERT)[^.]* on table "\w+"/),
      ]);
      expect(code).not.toBe(0);
      expect(await site.query('SELECT id, status_id FROM job ORDER BY id')).toEqual([
        {id: lost, status_id: 183},
        {id: ended, status_id: 185},
      ]);
    },
  );
});

/** Everything that atomctl changes in the database, with the privileges that the page says it needs. */
const CHANGES: [string, 'correct' | 'delete' | 'all', () => string[]][] = [
  ['kill', 'correct', () => ['jobs:kill', String(lost), '--yes']],
  ['mark', 'correct', () => ['jobs:mark', String(lost), '--as', 'error', '--yes', '--force']],
  ['doctor --fix of lost jobs', 'correct', () => ['doctor', '--fix', '--yes', '--check', 'lost-jobs']],
  ['clear', 'delete', () => ['jobs:clear', '--yes', '--user', 'admin', '--since', '2020-01-01']],
  ['clear --export', 'delete', () => ['jobs:clear', '--yes', '--export', `${createScratch('few')}/jobs.csv`]],
  ['kill --delete', 'all', () => ['jobs:kill', String(ended), '--delete', '--yes']],
  ['doctor --fix of orphans', 'all', () => ['doctor', '--fix', '--yes', '--check', 'orphans']],
];

test.each(CHANGES)(
  '%s: the privileges to %s that the page names are enough',
  async (name, privileges, args) => {
    if (name.endsWith('orphans')) await site.query('DELETE FROM job WHERE id = ?', [ended]);
    const {code, stdout, stderr} = await run(privileges, args());
    expect([code, stdout + stderr]).toEqual([0, expect.not.stringMatching(/lacks|denied/)]);
  },
);

test('retry: the privileges to run again that the page names are enough, and without them the missing GRANT is named', async () => {
  const worker = await connectWorker(gearmand.address, {timeoutSeconds: 5});
  await worker.grab([site.functionName('arFindingAidJob')]);
  const anonymous = {userId: null, userToken: 'secret'};
  const ids = [await insertLogged(site), await insertLogged(site, anonymous)].map(String);
  const refused = await run('correct', ['jobs:retry', ...ids, '--yes']);
  expect([refused.code, refused.stdout]).toEqual([
    5,
    expect.stringMatching(/lacks INSERT on table "object"[\s\S]* GRANT INSERT ON /),
  ]);
  expect(refused.stdout).toMatch(/was not started again/);
  const done = await run('repeat', ['jobs:retry', ...ids, '--yes']);
  expect([done.code, done.stdout + done.stderr]).toEqual([0, expect.not.stringMatching(/lacks|denied/)]);
  worker.close();
});
