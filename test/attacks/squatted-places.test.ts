/** Places that any user of the host or of the database server may take first. */
import {createHash} from 'node:crypto';
import {statSync} from 'node:fs';
import {dirname} from 'node:path';
import {createConnection} from 'mysql2/promise';
import {afterAll, beforeAll, expect, inject, onTestFinished, test} from 'vitest';
import {findSocket, USUAL_SOCKETS} from '../../src/mysql/endpoint.ts';
import {type AtomSite, createSite, runAtomctl} from '../support/sandbox.ts';

const WRITABLE_BY_EVERYONE = 0o002;

let site: AtomSite;

beforeAll(async () => {
  site = await createSite();
});

afterAll(() => site?.drop());

test('a database socket is looked for in no directory that everyone may write', () => {
  for (const directory of new Set(USUAL_SOCKETS.map((path) => dirname(path)))) {
    const mode = statSync(directory, {throwIfNoEntry: false})?.mode ?? 0;
    expect([directory, mode & WRITABLE_BY_EVERYONE]).toEqual([directory, 0]);
  }
  expect(findSocket((path) => path.startsWith('/tmp'))).toBe(USUAL_SOCKETS[0]);
});

test("an account of another site that keeps the site's lock stops changes, with one sentence that names it", async () => {
  const server = inject('mariadb');
  const root = await createConnection({socketPath: server.socketPath, user: 'root'});
  const name = `squatter${site.databaseName}`;
  await root.query(`CREATE USER '${name}'@'%' IDENTIFIED BY 'x'`);
  onTestFinished(async () => {
    await root.query(`DROP USER '${name}'@'%'`);
    await root.end();
  });
  const squatter = await createConnection({host: server.host, port: server.port, user: name, password: 'x'});
  onTestFinished(() => squatter.end());
  const lock = `atomctl:${createHash('md5').update(site.databaseName).digest('hex')}`;
  await squatter.query('DO GET_LOCK(?, 0)', [lock]);
  // It sends what atomctl's own holder sends, with an escape sequence.
  const sleeping = squatter.query("DO SLEEP(600), 'nobody \u001b]0;owned\u0007'").catch(() => {});
  const id = await site.insertJob({status: 'running'});
  const {code, stdout, stderr} = await runAtomctl(['jobs:kill', `${id}`, '-y', '--force'], {env: site.env});
  expect(code).toBe(5);
  expect(stdout + stderr).toMatch(/^Error: [^\n]*\n$/m);
  expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  const [row] = await site.query('SELECT completed_at FROM job WHERE id = ?', [id]);
  expect(row).toEqual({completed_at: null});
  expect((await runAtomctl(['jobs:list', '--no-live'], {env: site.env})).code).toBe(0);
  await root.query(`KILL ${squatter.threadId}`);
  await sleeping;
});
