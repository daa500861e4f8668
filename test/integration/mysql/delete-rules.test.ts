import {afterAll, beforeAll, describe, expect, inject, test} from 'vitest';
import {connectDatabase} from '../../../src/mysql/connect.ts';
import type {Database} from '../../../src/mysql/database.ts';
import {deletesDifferByRow} from '../../../src/mysql/delete-rules.ts';
import {Secret} from '../../../src/secret.ts';
import {type AtomSite, createSite} from '../../support/sandbox.ts';

let site: AtomSite;
let database: Database;
let root: Database;

beforeAll(async () => {
  site = await createSite();
  const {socketPath} = inject('mariadb');
  const asRoot = {...site.config, socketPath, user: 'root', password: new Secret('')};
  [database, root] = await Promise.all([
    connectDatabase(site.config, {timeoutSeconds: 5}),
    connectDatabase(asRoot, {timeoutSeconds: 5}),
  ]);
});

afterAll(async () => {
  await Promise.all([database?.close(), root?.close()]);
  await site?.drop();
});

describe('deletesDifferByRow', () => {
  test("is false of AtoM's own tables", async () => {
    expect(await deletesDifferByRow(database)).toBe(false);
    expect(await deletesDifferByRow(root)).toBe(false);
  });

  test.each([
    [
      'a foreign key of a plugin',
      'CREATE TABLE plugin_job (job INT, FOREIGN KEY (job) REFERENCES job (id))',
      'DROP TABLE plugin_job',
      true,
    ],
    [
      'one that goes with the row',
      'CREATE TABLE plugin_job (job INT, FOREIGN KEY (job) REFERENCES job (id) ON DELETE CASCADE)',
      'DROP TABLE plugin_job',
      false,
    ],
    [
      'a trigger on deletion',
      'CREATE TRIGGER keep BEFORE DELETE ON object FOR EACH ROW DO 1',
      'DROP TRIGGER keep',
      true,
    ],
    [
      'a trigger on something else',
      'CREATE TRIGGER keep BEFORE INSERT ON object FOR EACH ROW DO 1',
      'DROP TRIGGER keep',
      false,
    ],
  ])('of %s', async (_what, make, undo, expected) => {
    await root.execute(make);
    try {
      expect(await deletesDifferByRow(database)).toBe(expected);
    } finally {
      await root.execute(undo);
    }
  });

  test('is true for an account that would not see a trigger', async () => {
    const user = `blind_${site.databaseName.slice(-6)}`;
    await root.execute(`CREATE USER ${user}@'%' IDENTIFIED BY 'blind'`);
    await root.execute(`GRANT SELECT, UPDATE, DELETE ON ${site.databaseName}.* TO ${user}@'%'`);
    const blind = await connectDatabase(
      {...site.config, user, password: new Secret('blind')},
      {timeoutSeconds: 5},
    );
    try {
      expect(await deletesDifferByRow(blind)).toBe(true);
    } finally {
      await blind.close();
      await root.execute(`DROP USER ${user}@'%'`);
    }
  });
});
