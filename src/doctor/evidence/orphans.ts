import type {Transactional} from '../../jobs/model/delete-jobs.ts';
import type {Queryable} from '../../mysql/database.ts';

/**
 * What `DELETE FROM job`, the manual's recipe, leaves behind: the `object` row of each job, and the notes and
 * properties that belong to it. The table of objects holds every description too and has no index on the class, so
 * it is walked by its primary key, a window at a time.
 */
export interface Orphans {
  objects: number;
  notes: number;
  properties: number;
  /** The ids of the first few objects. */
  ids: number[];
}

const WINDOW = 200_000;
const DELETED_AT_ONCE = 500;
const SHOWN = 5;

/** AtoM inserts the object before the job: an object that is younger than `before` may still get its job. */
const ORPHANED = `object.class_name = 'QubitJob' AND object.created_at < ? AND job.id IS NULL`;
const WITH_JOB = 'object LEFT JOIN job ON job.id = object.id';

/**
 * Counts the orphans.
 * @param before wall-clock time in the site's zone; younger rows are left out
 */
export async function findOrphans(database: Queryable, before: string): Promise<Orphans> {
  const orphans: Orphans = {objects: 0, notes: 0, properties: 0, ids: []};
  for await (const {first, last} of windows(database)) {
    const [row] = await database.query<Record<'objects' | 'notes' | 'properties', number | string | null>>(
      `SELECT COUNT(*) AS objects, SUM(notes) AS notes, SUM(properties) AS properties
       FROM (SELECT (SELECT COUNT(*) FROM note WHERE note.object_id = object.id) AS notes,
                    (SELECT COUNT(*) FROM property WHERE property.object_id = object.id) AS properties
             FROM ${WITH_JOB} WHERE object.id BETWEEN ? AND ? AND ${ORPHANED}) AS orphan`,
      [first, last, before],
    );
    const objects = Number(row?.objects ?? 0);
    if (objects === 0) continue;
    orphans.objects += objects;
    orphans.notes += Number(row?.notes);
    orphans.properties += Number(row?.properties);
    if (orphans.ids.length < SHOWN)
      orphans.ids.push(...(await orphanIds(database, {first, last, before}, SHOWN)));
  }
  return {...orphans, ids: orphans.ids.slice(0, SHOWN)};
}

/**
 * Removes the orphans in short transactions; notes and properties go with their object. Each is checked again under
 * its lock, which also prevents that a job is inserted for it. Yields how many objects each one removed.
 */
export async function* removeOrphans(
  database: Queryable & Transactional,
  before: string,
): AsyncGenerator<number> {
  for await (const window of windows(database)) {
    for (let {first} = window; ; ) {
      const ids = await orphanIds(database, {...window, first, before}, DELETED_AT_ONCE);
      if (ids.length === 0) break;
      yield await database.transaction((tx) => removeAgainChecked(tx, ids, before));
      first = ids.at(-1)! + 1;
    }
  }
}

async function removeAgainChecked(tx: Queryable, ids: readonly number[], before: string): Promise<number> {
  const locked = await tx.query<{id: number}>(
    `SELECT object.id FROM ${WITH_JOB} WHERE object.id IN (?) AND ${ORPHANED} FOR UPDATE`,
    [ids, before],
  );
  if (locked.length === 0) return 0;
  return tx.execute("DELETE FROM object WHERE id IN (?) AND class_name = 'QubitJob'", [
    locked.map(({id}) => id),
  ]);
}

async function orphanIds(
  database: Queryable,
  {first, last, before}: {first: number; last: number; before: string},
  limit: number,
): Promise<number[]> {
  const rows = await database.query<{id: number}>(
    `SELECT object.id FROM ${WITH_JOB} WHERE object.id BETWEEN ? AND ? AND ${ORPHANED} ORDER BY object.id LIMIT ${limit}`,
    [first, last, before],
  );
  return rows.map(({id}) => id);
}

/** Bounds of consecutive ids that cover the table of objects as it is now. */
async function* windows(database: Queryable): AsyncGenerator<{first: number; last: number}> {
  const [row] = await database.query<{lowest: number | null; highest: number | null}>(
    'SELECT MIN(id) AS lowest, MAX(id) AS highest FROM object',
  );
  for (let first = row?.lowest ?? 1; first <= (row?.highest ?? 0); first += WINDOW) {
    yield {first, last: first + WINDOW - 1};
  }
}
