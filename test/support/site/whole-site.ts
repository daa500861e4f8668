import type {AtomSite} from '../sandbox.ts';

/** The whole database, table by table: two that are equal differ in no row. */
export async function everyTable(site: AtomSite): Promise<Record<string, unknown[]>> {
  const tables = await site.query<{name: string}>(
    'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()',
  );
  const contents = await Promise.all(
    tables.map(({name}) => site.query(`SELECT * FROM \`${name}\` ORDER BY 1, 2, 3`)),
  );
  return Object.fromEntries(tables.map(({name}, index) => [name, contents[index]!]));
}

/** One job of each status, each with an object, notes in two languages, an error note and a property. */
export async function insertAllKinds(
  site: AtomSite,
): Promise<Record<'completed' | 'error' | 'unknown' | 'running', number>> {
  const more = {
    objectId: 512,
    notes: [
      {text: 'a note', translations: {fr: 'une note'}},
      {text: 'an error', error: true},
    ],
    userToken: 'secret',
  };
  return {
    completed: await site.insertJob({...more, status: 'completed'}),
    error: await site.insertJob({...more, status: 'error', userId: null}),
    unknown: await site.insertJob({...more, status: 'unknown'}),
    running: await site.insertJob({...more, status: 'running'}),
  };
}
