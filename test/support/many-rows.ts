import type {AtomSite} from './sandbox.ts';

const NAMES = [
  'arFindingAidJob',
  'CSV export',
  'arUpdatePublicationStatusJob',
  'arFileImportJob',
  'Inherit rights',
  'Rechte vererben',
];

/**
 * Inserts rows that say Running, with a mix of names, as a clear or a script leaves them: every third was begun and
 * has a log of about 2 kB with its parameters, the others never began. Made inside the server.
 */
export async function insertManyRunning(site: AtomSite, count: number): Promise<void> {
  const [{first}] = await site.query('SELECT COALESCE(MAX(id), 0) + 1 AS first FROM object');
  const numbers = `seq_${first}_to_${first + count - 1}`;
  const name = `ELT(1 + seq % ${NAMES.length}, ${NAMES.map((each) => `'${each}'`).join(', ')})`;
  const line = (message: string) =>
    `'[info] [2026-03-04 13:05:01] Job ', seq, ' "', ${name}, '": ${message}\\n'`;
  const file = `"file":{"name":"a.csv","tmp_name":"/tmp/', seq, '.csv","error":"0"}`;
  const log = `CONCAT(${line('Job started.')}, ${line(`Parameters: {${file},"id":"', seq, '"}`)},
    REPEAT(CONCAT(${line('Step 1 of many.')}), 25))`;
  await site.query(`
    START TRANSACTION;
    INSERT INTO object (id, class_name, created_at, updated_at)
      SELECT seq, 'QubitJob', '2026-03-04 13:05:00', '2026-03-04 13:05:00' FROM ${numbers};
    INSERT INTO job (id, name, status_id, output)
      SELECT seq, ${name}, 183, IF(seq DIV ${NAMES.length} % 3 = 0, ${log}, NULL) FROM ${numbers};
    COMMIT`);
}
