import {createConnection} from 'mysql2/promise';
import type {MariadbConnection} from '../servers/mariadb.ts';
import {type AtomSite, type AtomSiteOptions, createAtomSite} from './atom-site.ts';

/** A site whose server a test may kill: each query has a connection of its own. */
export interface MortalSite extends AtomSite {
  jobIds(): Promise<number[]>;
  /** How many rows are left of a job of which another part is gone. A whole database has none. */
  remnants(): Promise<number>;
}

const REMNANTS = `
  SELECT (SELECT COUNT(*) FROM object LEFT JOIN job USING (id) WHERE class_name = 'QubitJob' AND job.id IS NULL)
       + (SELECT COUNT(*) FROM job LEFT JOIN object USING (id) WHERE object.id IS NULL)
       + (SELECT COUNT(*) FROM note LEFT JOIN object ON object.id = note.object_id WHERE object.id IS NULL)
       + (SELECT COUNT(*) FROM note LEFT JOIN note_i18n USING (id) WHERE note_i18n.id IS NULL)
       + (SELECT COUNT(*) FROM note_i18n LEFT JOIN note USING (id) WHERE note.id IS NULL)
       + (SELECT COUNT(*) FROM property LEFT JOIN object ON object.id = property.object_id WHERE object.id IS NULL)
       AS remnants`;

export async function createMortalSite(
  server: MariadbConnection,
  options: AtomSiteOptions = {},
): Promise<MortalSite> {
  const site = await createAtomSite(server, options);
  const {host, port, user, password, databaseName: database} = {...server, ...site};
  async function query<T>(sql: string, values: readonly unknown[] = []): Promise<T[]> {
    const connection = await createConnection({host, port, user, password, database, dateStrings: true});
    try {
      return (await connection.query(sql, [...values]))[0] as T[];
    } finally {
      await connection.end();
    }
  }
  return {
    ...site,
    query,
    jobIds: async () => (await query<{id: number}>('SELECT id FROM job ORDER BY id')).map(({id}) => id),
    remnants: async () => Number((await query<{remnants: number}>(REMNANTS))[0]!.remnants),
  };
}
