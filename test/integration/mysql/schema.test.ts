import {afterAll, beforeAll, describe, expect, inject, test} from 'vitest';
import {connectDatabase} from '../../../src/mysql/connect.ts';
import type {Database} from '../../../src/mysql/database.ts';
import {checkSchema} from '../../../src/mysql/schema.ts';
import {Secret} from '../../../src/secret.ts';
import {type AtomSite, createSite} from '../../support/sandbox.ts';

const READ = ['object', 'job', 'note', 'note_i18n', 'property', 'property_i18n', 'slug', 'user'];

let site: AtomSite;
let atom: Database;
let root: Database;

beforeAll(async () => {
  site = await createSite();
  const {socketPath} = inject('mariadb');
  [atom, root] = await Promise.all([
    connectDatabase(site.config, {timeoutSeconds: 5}),
    connectDatabase(
      {...site.config, socketPath, user: 'root', password: new Secret('')},
      {timeoutSeconds: 5},
    ),
  ]);
});

afterAll(async () => {
  await Promise.all([atom?.close(), root?.close()]);
  await site?.drop();
});

test("AtoM's database passes", async () => {
  await expect(checkSchema(atom)).resolves.toBeUndefined();
});

describe('an account with few privileges', () => {
  const user = `few_${process.pid}`;
  let few: Database;

  beforeAll(async () => {
    await root.execute(`CREATE USER '${user}'@'127.0.0.%' IDENTIFIED BY 'few'`);
    for (const table of READ) await root.execute(`GRANT SELECT ON \`${table}\` TO '${user}'@'127.0.0.%'`);
    few = await connectDatabase({...site.config, user, password: new Secret('few')}, {timeoutSeconds: 5});
  });

  afterAll(async () => {
    await few?.close();
    await root.execute(`DROP USER '${user}'@'127.0.0.%'`);
  });

  test('needs no more than SELECT on the tables that are read', async () => {
    await expect(checkSchema(few)).resolves.toBeUndefined();
  });

  test('gets the GRANT that it lacks, and that GRANT helps', async () => {
    const remove = () => few.execute('DELETE FROM job WHERE id = 0');
    const failure = await remove().catch((error) => error);
    expect(failure).toMatchObject({
      code: 'DATABASE_PRIVILEGE',
      message: `The database user "${user}" lacks DELETE on table "job" of database "${site.databaseName}".`,
    });
    await root.execute(/GRANT .*(?=;)/.exec(failure.hint)![0]);
    expect(await remove()).toBe(0);
  });

  test('gets the same error if it may not read one column', async () => {
    await root.execute(`REVOKE SELECT ON job FROM '${user}'@'127.0.0.%'`);
    await root.execute(`GRANT SELECT (id, name) ON job TO '${user}'@'127.0.0.%'`);
    expect(await few.query('SELECT id, name FROM job')).toEqual([]);
    await expect(checkSchema(few)).rejects.toMatchObject({
      code: 'DATABASE_PRIVILEGE',
      message: expect.stringContaining('lacks SELECT on table "job"'),
    });
  });
});

// Each spoils the schema further, so they come last and in this order.
describe('another schema', () => {
  test.each([
    ['ALTER TABLE job DROP COLUMN output', 'DATABASE_TOO_OLD', 'its jobs have no "output"'],
    ['ALTER TABLE object DROP COLUMN updated_at', 'DATABASE_NOT_ATOM', 'column "updated_at"'],
    ['RENAME TABLE object TO thing', 'DATABASE_NOT_ATOM', 'no table "object"'],
  ])('%s', async (change, code, reason) => {
    await atom.execute(change);
    await expect(checkSchema(atom)).rejects.toMatchObject({code, message: expect.stringContaining(reason)});
  });
});
