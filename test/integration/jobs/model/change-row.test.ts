import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {
  changeRow,
  changeRows,
  type RowFailure,
  type RowOutcome,
  rehearseChanges,
} from '../../../../src/jobs/model/change-row.ts';
import {deleteJob} from '../../../../src/jobs/model/delete-jobs.ts';
import {connectDatabase} from '../../../../src/mysql/connect.ts';
import type {Database} from '../../../../src/mysql/database.ts';
import {ADMIN_ID, type AtomSite, createSite} from '../../../support/sandbox.ts';
import {everyTable, insertAllKinds} from '../../../support/site/whole-site.ts';

let site: AtomSite;
let database: Database;

beforeAll(async () => {
  site = await createSite();
  database = await connectDatabase(site.config, {timeoutSeconds: 5});
});

afterEach(() => site.query("DELETE FROM object WHERE class_name = 'QubitJob'"));

afterAll(async () => {
  await database.close();
  await site.drop();
});

describe('deleteJob', () => {
  let ids: Awaited<ReturnType<typeof insertAllKinds>>;
  let before: Record<string, unknown[]>;

  beforeEach(async () => {
    before = await everyTable(site);
    ids = await insertAllKinds(site);
    await database.query("DELETE FROM object WHERE class_name = 'QubitJob' AND id <> ?", [ids.error]);
  });

  test('takes the job with all that belongs to it', async () => {
    expect(await deleteJob({database, id: ids.error})).toBe(true);
    expect(await everyTable(site)).toEqual(before);
    expect(await deleteJob({database, id: ids.error})).toBe(false);
  });

  test('takes what DELETE FROM job left of it', async () => {
    await site.query('DELETE FROM job WHERE id = ?', [ids.error]);
    expect(await deleteJob({database, id: ids.error})).toBe(true);
    expect(await everyTable(site)).toEqual(before);
  });

  test('takes nothing else that has the id', async () => {
    const {id: objectId} = (
      await site.query("SELECT id FROM object WHERE class_name = 'QubitUser' LIMIT 1")
    )[0];
    expect(await deleteJob({database, id: objectId})).toBe(false);
    expect(await site.query('SELECT id FROM user WHERE id = ?', [ADMIN_ID])).toHaveLength(1);
  });
});

const MARK = {
  as: 'error',
  note: 'Killed by Ada on “2026-03-05”',
  culture: 'fr',
  nowWall: '2026-03-05 09:00:00',
} as const;

const marking = (id: number, to: Partial<typeof MARK> | object = {}, logLength?: number) => ({
  id,
  seen: {status: 'running' as const, logLength},
  to: {...MARK, ...to},
});

const logOf = (id: number, output: string) =>
  site.query('UPDATE job SET output = ? WHERE id = ?', [output, id]);

describe('changeRow', () => {
  test('makes the job an error, finished now, with an error note', async () => {
    const id = await site.insertJob({status: 'running'});
    expect(await changeRow(database, marking(id))).toEqual({outcome: 'done'});
    const rows = await site.query(
      `SELECT status_id, completed_at, updated_at, type_id, source_culture, culture, content
       FROM job JOIN object USING (id) JOIN note ON note.object_id = job.id JOIN note_i18n ON note_i18n.id = note.id
       WHERE job.id = ?`,
      [id],
    );
    expect(rows).toEqual([
      {
        status_id: 185,
        completed_at: '2026-03-05 09:00:00',
        updated_at: '2026-03-05 09:00:00',
        type_id: 197,
        source_culture: 'fr',
        culture: 'fr',
        content: 'Killed by Ada on “2026-03-05”',
      },
    ]);
  });

  test('leaves a job that changed or went in the meantime', async () => {
    const id = await site.insertJob({status: 'completed'});
    const before = await everyTable(site);
    expect(await changeRow(database, marking(id))).toEqual({outcome: 'changed', status: 'completed'});
    expect(await changeRow(database, marking(999_999))).toEqual({outcome: 'gone'});
    expect(await changeRow(database, {...marking(id), to: {as: 'deleted'}})).toMatchObject({
      outcome: 'changed',
    });
    expect(await everyTable(site)).toEqual(before);
  });

  test('leaves a job whose log grew since its state was proved', async () => {
    const id = await site.insertJob({status: 'running'});
    await logOf(id, 'é: a line\n');
    expect(await changeRow(database, marking(id, {}, 10))).toEqual({outcome: 'changed', status: 'running'});
    expect(await changeRow(database, marking(id, {}, 11))).toEqual({outcome: 'done'});
  });

  test('changes nothing at all if the note cannot be written', async () => {
    const id = await site.insertJob({status: 'running'});
    const before = await everyTable(site);
    await expect(changeRow(database, marking(id, {culture: 'x'.repeat(20)}))).rejects.toMatchObject({
      code: 'DATABASE_ERROR',
    });
    expect(await everyTable(site)).toEqual(before);
  });

  describe('a row whose object is of another class, or is missing', () => {
    let description: number;
    let job: number;

    beforeEach(async () => {
      await site.query(
        "INSERT INTO object (class_name, created_at, updated_at) VALUES ('QubitInformationObject', NOW(), NOW())",
      );
      description = (await site.query('SELECT LAST_INSERT_ID() AS id'))[0].id;
      job = await site.insertJob({status: 'running'});
      await site.query('INSERT INTO job (id, name, status_id) VALUES (?, "arFindingAidJob", 183)', [
        description,
      ]);
    });

    afterEach(() => site.query('DELETE FROM object WHERE id = ?', [description]));

    const objectAndNotes = async () => [
      await site.query('SELECT * FROM object WHERE id = ?', [description]),
      await site.query('SELECT * FROM note WHERE object_id = ?', [description]),
    ];

    test('is marked, and that object gets no note and stays as it is', async () => {
      const before = await objectAndNotes();
      const outcomes: unknown[] = [];
      const changes = [marking(description), marking(job)];
      await changeRows(database, changes, ({outcome}) => outcomes.push(outcome) > 0);
      expect(outcomes).toEqual(['done', 'done']);
      expect(await site.query('SELECT status_id FROM job WHERE id IN (?)', [[description, job]])).toEqual([
        {status_id: 185},
        {status_id: 185},
      ]);
      expect(await objectAndNotes()).toEqual(before);
      const notes = await site.query(
        'SELECT content FROM note JOIN note_i18n USING (id) WHERE object_id = ?',
        [job],
      );
      expect(notes).toEqual([{content: MARK.note}]);
    });

    test('gets no note alone: that is refused', async () => {
      const before = await objectAndNotes();
      const noting = {...marking(description), to: {as: 'noted' as const, note: 'Run again', culture: 'en'}};
      await expect(changeRow(database, noting)).rejects.toMatchObject({code: 'REFUSED'});
      expect(await objectAndNotes()).toEqual(before);
    });

    test('is deleted alone', async () => {
      const before = await objectAndNotes();
      expect(await changeRow(database, {...marking(description), to: {as: 'deleted'}})).toEqual({
        outcome: 'done',
      });
      expect(await objectAndNotes()).toEqual(before);
      expect(await site.query('SELECT id FROM job WHERE id = ?', [description])).toEqual([]);
    });

    test('is marked without an object, too', async () => {
      await site.query('SET foreign_key_checks = 0');
      await site.query('DELETE FROM object WHERE id = ?', [description]);
      await site.query('SET foreign_key_checks = 1');
      expect(await changeRow(database, marking(description))).toEqual({outcome: 'done'});
      await site.query('DELETE FROM job WHERE id = ?', [description]);
    });
  });

  test('writes a note without a type on a site from before error notes had one', async () => {
    const [term] = await site.query('SELECT * FROM term WHERE id = 197');
    await site.query('DELETE FROM term WHERE id = 197');
    try {
      const id = await site.insertJob({status: 'running'});
      expect(await changeRow(database, marking(id))).toEqual({outcome: 'done'});
      expect(await site.query('SELECT type_id FROM note WHERE object_id = ?', [id])).toEqual([
        {type_id: null},
      ]);
    } finally {
      await site.query('INSERT INTO term SET ?', [term]);
    }
  });
});

describe('changeRows', () => {
  test('changes hundreds in few transactions; what one row prevents is not the others’ failure', async () => {
    const ids: number[] = [];
    while (ids.length < 250) ids.push(await site.insertJob({status: 'running'}));
    await site.query('UPDATE job SET status_id = 184 WHERE id = ?', [ids[3]]);
    await site.query(
      `CREATE TRIGGER one_stays BEFORE UPDATE ON job FOR EACH ROW
       IF NEW.id = ${ids[120]} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'one stays'; END IF`,
    );
    const outcomes: (RowOutcome | RowFailure)[] = [];
    try {
      await changeRows(
        database,
        ids.map((id) => marking(id)),
        (outcome, index) => {
          outcomes[index] = outcome;
          return true;
        },
      );
    } finally {
      await site.query('DROP TRIGGER one_stays');
    }
    expect(outcomes.filter(({outcome}) => outcome === 'done')).toHaveLength(248);
    expect(outcomes[3]).toEqual({outcome: 'changed', status: 'completed'});
    expect(outcomes[120]).toMatchObject({
      outcome: 'failed',
      error: {message: expect.stringContaining('one stays')},
    });
    const [row] = await site.query(
      `SELECT COUNT(*) AS jobs, SUM(notes = 1) AS noted FROM (
         SELECT job.id, COUNT(note_i18n.id) AS notes FROM job LEFT JOIN note ON note.object_id = job.id
         LEFT JOIN note_i18n ON note_i18n.id = note.id WHERE status_id = 185 GROUP BY job.id) AS marked`,
    );
    expect([row.jobs, Number(row.noted)]).toEqual([248, 248]);
  });

  test('ends before the next transaction if that is asked for', async () => {
    const ids: number[] = [];
    while (ids.length < 150) ids.push(await site.insertJob({status: 'running'}));
    let changed = 0;
    await changeRows(
      database,
      ids.map((id) => marking(id)),
      () => {
        changed += 1;
        return false;
      },
    );
    const [row] = await site.query('SELECT COUNT(*) AS jobs FROM job WHERE status_id = 185');
    expect([changed, row.jobs]).toEqual([100, 100]);
  });
});

describe('rehearseChanges', () => {
  test.each([MARK, {as: 'deleted'} as const])('reports what $as would do and takes it back', async (to) => {
    const id = await site.insertJob({status: 'running'});
    const before = await everyTable(site);
    expect(await rehearseChanges(database, [{...marking(id), to}])).toEqual([{outcome: 'done'}]);
    expect(await everyTable(site)).toEqual(before);
  });

  test('reports what would prevent the change', async () => {
    const id = await site.insertJob({status: 'running'});
    await site.query(
      "CREATE TRIGGER no_notes BEFORE INSERT ON note FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no notes'",
    );
    try {
      expect(await rehearseChanges(database, [marking(id)])).toMatchObject([
        {outcome: 'failed', error: {message: expect.stringContaining('no notes')}},
      ]);
    } finally {
      await site.query('DROP TRIGGER no_notes');
    }
  });
});
