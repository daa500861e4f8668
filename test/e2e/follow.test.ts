import {createConnection} from 'mysql2/promise';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {
  type AtomSite,
  createSite,
  type GearmanProcess,
  runAtomctl,
  startAtomctl,
  startGearmand,
  startMariadb,
  startWorker,
  submitJob,
  until,
  type WorkerProcess,
} from '../support/sandbox.ts';
import {createAtomSite} from '../support/site/atom-site.ts';

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

const follow = (id: number, ...more: string[]) =>
  startAtomctl(['jobs:show', `${id}`, '--follow', ...more], {env: site.env});
const storedLog = async (id: number): Promise<string> =>
  (await site.query('SELECT output FROM job WHERE id = ?', [id]))[0].output;
const append = (id: number, text: string) =>
  site.query("UPDATE job SET output = CONCAT(COALESCE(output, ''), ?) WHERE id = ?", [text, id]);

test('prints the log from submission to the end, every line once, then how the job ended', async () => {
  const {id} = await submitJob(site, {work: {seconds: 2, lines: 40}});
  const [text, json, waited] = await Promise.all([
    follow(id).ended,
    follow(id, '--json').ended,
    runAtomctl(['jobs:wait', `${id}`], {env: site.env}),
  ]);
  const log = await storedLog(id);
  expect(log.match(/Step \d+ of 40/g)).toHaveLength(40);
  expect([text.code, json.code, waited.code, text.stderr, json.stderr]).toEqual([0, 0, 0, '', '']);
  expect(text.stdout).toMatch(new RegExp(`^Job ${id}\n {2}Name: +arFindingAidJob\n`));
  const [, shown] = text.stdout.split('\nLog\n');
  expect(shown).toBe(`${log.replaceAll(`Job ${id} "arFindingAidJob": `, '')}\n${waited.stdout}`);
  expect(waited.stdout).toMatch(new RegExp(`^Job ${id}: completed after .+\n$`));

  const documents = json.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(documents.map((document) => document.log).join('')).toBe(log);
  expect(documents.length).toBeGreaterThan(1);
  expect(documents.map(({end}) => end)).toEqual([...Array(documents.length - 1).fill(null), 'finished']);
  expect(documents.at(-1).job).toMatchObject({id, status: 'completed', live: null});
});

test('the exit status follows the job: failed, lost, deleted, ended long ago, unknown', async () => {
  const failing = await submitJob(site, {work: {error: 'no more'}});
  const lost = await site.insertJob({status: 'running'});
  const deleted = await site.insertJob({status: 'running', startedAt: '2099-01-01 00:00:00'});
  const old = await site.insertJob({output: 'all\n', notes: [{text: 'a \u001b[2Jnote'}]});
  const following = follow(deleted);
  await until(() => following.stdout().includes('Log\n'));
  await site.query('DELETE FROM object WHERE id = ?', [deleted]);
  const results = await Promise.all([
    follow(failing.id).ended,
    follow(lost).ended,
    following.ended,
    follow(old, '--no-live').ended,
    follow(99_999_999).ended,
  ]);
  expect(results.map(({code}) => code)).toEqual([1, 1, 1, 0, 4]);
  expect(results[0]!.stdout).toMatch(/no more\n.*\] Job finished\.\n\nJob \d+: error after .+\n$/);
  expect(results[1]!.stdout).toMatch(/\n\nJob \d+: running for .*, lost: no Gearman server/);
  expect(results[2]!.stdout).toMatch(/\nJob \d+: deleted meanwhile; how it ended is not known\n$/);
  expect(results[3]!.stdout).toMatch(/a \\x1b\[2Jnote\n\nLog\nall\n\nJob \d+: completed/);
});

test('says if the log was restarted or cut; prints no escape sequence', async () => {
  const id = await site.insertJob({status: 'running', startedAt: '2099-01-01 00:00:00', output: 'first\n'});
  const following = follow(id);
  const prints = (text: string) => until(() => following.stdout().includes(text));
  await prints('first\n');
  await append(id, '\u001b]0;owned\u0007second\n');
  await prints('\\x1b]0;owned\\x07second\n');
  await site.query("UPDATE job SET output = 'third\n' WHERE id = ?", [id]);
  await prints('second\nthird\n');
  expect(following.stderr()).toBe('The log was started again; it is shown from its start.\n');
  await append(id, `${'x'.repeat(65_523)}last!`);
  await prints('last!');
  await site.query('UPDATE job SET status_id = 184, completed_at = ? WHERE id = ?', [
    '2099-01-01 00:00:09',
    id,
  ]);
  const {code, stdout, stderr} = await following.ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/xlast!\n\nJob \d+: completed after 9s\n$/);
  expect(stderr.split('\n').filter((line) => line.includes('size limit'))).toHaveLength(1);
});

test('Ctrl-C ends it with 130, in text and in JSON', async () => {
  const {id} = await submitJob(site, {work: {seconds: 60}});
  const both = [follow(id), follow(id, '--json')];
  await until(() => both.every(({stdout}) => stdout().includes('Job started.')));
  for (const following of both) following.child.kill('SIGINT');
  const [text, json] = await Promise.all(both.map(({ended}) => ended));
  expect([text!.code, json!.code]).toEqual([130, 130]);
  expect(text!.stderr).toBe('atomctl stopped following; the job continues.\n');
  for (const line of json!.stdout.trimEnd().split('\n')) expect(JSON.parse(line).end).toBeNull();
});

test('follow and wait survive a database that crashes and comes back', async () => {
  const mariadb = await startMariadb();
  const away = await createAtomSite(mariadb, {gearman: []});
  const id = await away.insertJob({status: 'running', output: 'before\n'});
  const {databaseName, env} = away;
  const following = startAtomctl(['jobs:show', `${id}`, '--follow'], {env});
  const waiting = startAtomctl(['jobs:wait', `${id}`], {env});
  const selects = async (): Promise<number> =>
    Number((await away.query("SHOW GLOBAL STATUS LIKE 'Com_select'"))[0].Value);
  const before = await selects();
  await until(async () => (await selects()) > before + 25);
  await mariadb.kill();
  await mariadb.start();
  const {host, port, user, password} = mariadb;
  const connection = await createConnection({host, port, user, password, database: databaseName});
  await connection.query("UPDATE job SET output = CONCAT(output, 'after\n'), status_id = 184 WHERE id = ?", [
    id,
  ]);
  await connection.end();
  const [followed, waited] = await Promise.all([following.ended, waiting.ended]);
  expect([followed.code, waited.code]).toEqual([0, 0]);
  expect(followed.stdout).toMatch(/\nLog\nbefore\nafter\n\nJob \d+: completed\n$/);
  await mariadb.kill();
});
