import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, inject, it} from 'vitest';
import {resolveSite} from '../../../src/atom/resolve-site.ts';
import type {SiteOptions} from '../../../src/atom/site.ts';
import {connectDatabase} from '../../../src/mysql/connect.ts';
import {type AtomSite, createScratch, createSite} from '../../support/sandbox.ts';

let site: AtomSite;
const callerUid = process.geteuid!();

beforeAll(async () => {
  site = await createSite({name: "it's an archive"});
});
afterAll(() => site.drop());

/** The database and the way in which a connection by the resolved configuration arrives there. */
async function arriveBy(options: SiteOptions, env: Record<string, string> = {}) {
  const surroundings = {env, cwd: createScratch('cwd'), callerUid, usualPlaces: [], siteFiles: []};
  const resolved = resolveSite(options, surroundings);
  const {value} = await resolved.database();
  const database = await connectDatabase(value, {timeoutSeconds: 10});
  const [row] = await database.query<{name: string; way: string}>(
    "SELECT DATABASE() AS name, SUBSTRING_INDEX(host, ':', 1) AS way FROM information_schema.processlist WHERE id = CONNECTION_ID()",
  );
  await database.close();
  return row;
}

function file(name: string, text: string) {
  const path = join(createScratch('file'), name);
  writeFileSync(path, text, {mode: 0o600});
  return path;
}

it("AtoM's files as its installer writes them, by TCP", async () => {
  const options = {atomRoot: {value: site.root, origin: '--atom-root'}};
  expect(await arriveBy(options)).toEqual({
    name: site.databaseName,
    way: expect.not.stringMatching('^localhost$'),
  });
});

it('the container variables, by the socket that host=localhost means', async () => {
  const {socketPath, user, password} = inject('mariadb');
  const env = {
    ATOM_MYSQL_DSN: `mysql:host=localhost;port=1;dbname=${site.databaseName};unix_socket=${socketPath}`,
    ATOM_MYSQL_USERNAME: user,
    ATOM_MYSQL_PASSWORD: password,
  };
  expect(await arriveBy({}, env)).toEqual({name: site.databaseName, way: 'localhost'});
});

it("an option file's socket and credentials, with the database of AtoM's files", async () => {
  const {socketPath, user, password} = inject('mariadb');
  const text = `[client]\nhost = localhost\nsocket = "${socketPath}"\nuser = '${user}'\npassword = "${password}" # secret\n`;
  const options = {
    atomRoot: {value: site.root, origin: '--atom-root'},
    defaultsFile: {value: file('my.cnf', text), origin: '--defaults-file'},
  };
  expect(await arriveBy(options)).toEqual({name: site.databaseName, way: 'localhost'});
});

it('a named site by its URL', async () => {
  const {socketPath, user, password} = inject('mariadb');
  const url = `mysql://${user}:${encodeURIComponent(password)}@localhost/${site.databaseName}?socketPath=${socketPath}`;
  const options = {
    site: {value: 'smith', origin: '--site'},
    config: {value: file('config.yml', `sites:\n  smith:\n    database: ${url}\n`), origin: '--config'},
  };
  expect(await arriveBy(options)).toEqual({name: site.databaseName, way: 'localhost'});
});

it('the prefix and the zone are those that AtoM computes', async () => {
  const resolved = resolveSite({}, {env: {}, cwd: join(site.root, 'apps/qubit'), callerUid, siteFiles: []});
  expect((await resolved.functionPrefix()).value).toBe(site.prefix);
  expect((await resolved.timezone()).value).toBe(site.timezone);
});
