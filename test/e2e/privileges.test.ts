import {createConnection} from 'mysql2/promise';
import {afterAll, beforeAll, expect, inject, test} from 'vitest';
import {fewAtATime} from '../support/few-at-a-time.ts';
import {type AtomSite, createSite, runAtomctl} from '../support/sandbox.ts';

const TABLES = ['job', 'object', 'note', 'note_i18n', 'slug', 'user (id, username)'];

let site: AtomSite;
let old: AtomSite;
let id: number;

async function asRoot(...statements: string[]): Promise<void> {
  const root = await createConnection({user: 'root', socketPath: inject('mariadb').socketPath});
  for (const statement of statements) await root.query(statement);
  await root.end();
}

/** A login that may read some tables of the site. */
async function reader(name: string, tables: readonly string[]): Promise<string> {
  const account = `'${name}_${site.databaseName}'@'%'`;
  const grants = tables.map((table) => {
    const [, named, columns = ''] = /^(\w+) ?(.*)$/.exec(table)!;
    return `GRANT SELECT ${columns} ON ${site.databaseName}.${named} TO ${account}`;
  });
  await asRoot(`CREATE USER ${account} IDENTIFIED BY 'r'`, ...grants);
  return `mysql://${name}_${site.databaseName}:r@127.0.0.1:${site.config.port}/${site.databaseName}`;
}

beforeAll(async () => {
  [site, old] = await Promise.all([createSite(), createSite({name: 'old'})]);
  id = await site.insertJob({objectId: 512, notes: [{text: 'note'}], output: 'the log\n'});
  await old.insertJob();
  await old.query('ALTER TABLE job DROP COLUMN output');
});

afterAll(() => Promise.all([site?.drop(), old?.drop()]));

const atomctl = (args: readonly string[]) => runAtomctl(args, {env: {ATOMCTL_TIMEOUT: '60'}});

test('SELECT on the named tables is enough to list, show and export, by socket and by port', async () => {
  const url = await reader('reads', TABLES);
  const socket = `${url}?socketPath=${encodeURIComponent(inject('mariadb').socketPath)}`;
  const [list, show, csv] = await fewAtATime(
    [
      ['jobs:list', '--json', '--no-live', '--user', 'admin', '--database-url', socket],
      ['jobs:show', `${id}`, '--database-url', url],
      ['jobs:export-csv', '--columns', 'id,info,user,object', '--database-url', url],
    ],
    atomctl,
  );
  expect(JSON.parse(list!.stdout).jobs).toMatchObject([{id, user: 'admin', objectSlug: 'smith-fonds'}]);
  expect(show!.stdout).toContain('the log');
  expect(csv!.stdout).toBe(`id,info,user,object\n${id},note,admin,smith-fonds\n`);
});

test('a missing privilege is named, with its GRANT, and stdout is empty', async () => {
  const url = await reader(
    'half',
    TABLES.filter((table) => table !== 'note_i18n'),
  );
  const commands = [['jobs:list', '--no-live'], ['jobs:show', `${id}`], ['jobs:export-csv']];
  for (const {code, stdout, stderr} of await fewAtATime(commands, (args) =>
    atomctl([...args, '--database-url', url]),
  )) {
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^Error: The database user "half_\w+" lacks SELECT on table "note_i18n" of database "\w+"\. /,
    );
    expect(stderr).toContain(
      `GRANT SELECT ON \`${site.databaseName}\`.\`note_i18n\` TO 'half_${site.databaseName}'@'%';`,
    );
  }
});

test("a database that is not AtoM's, or too old, is a clear error", async () => {
  const empty = `atom_empty_${site.databaseName}`;
  await asRoot(`CREATE DATABASE ${empty}`);
  try {
    const notAtom = site.databaseUrl.replace(site.databaseName, empty);
    const runs: [string[], string, RegExp][] = [
      [['jobs:list', '--database-url', notAtom], 'DATABASE_NOT_ATOM', /is not AtoM's: it has no table "job"/],
      [['jobs:show', '1', '--database-url', notAtom], 'DATABASE_NOT_ATOM', /is not AtoM's/],
      [['jobs:clear', '-y', '--database-url', notAtom], 'DATABASE_NOT_ATOM', /is not AtoM's/],
      [['jobs:show', '1000', '--database-url', old.databaseUrl], 'DATABASE_TOO_OLD', /older than 2\.4/],
    ];
    const results = await fewAtATime(runs, ([args]) =>
      atomctl(
        [...args, '--json', '--no-live'].filter((arg) => args[0] !== 'jobs:clear' || arg !== '--no-live'),
      ),
    );
    for (const [index, [, code, message]] of runs.entries()) {
      const {error} = JSON.parse(results[index]!.stdout);
      expect([results[index]!.code, error.code]).toEqual([1, code]);
      expect(error.message).toMatch(message);
    }
  } finally {
    await asRoot(`DROP DATABASE ${empty}`);
  }
});
