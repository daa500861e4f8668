/**
 * What AtoM's own tasks do with the database, without PHP: every job is asked for its notes and for its user, and
 * deleted, one after the other, each delete in a transaction of its own.
 *
 *     atom-way.mjs list|export|clear SOCKET DATABASE
 */
import {createConnection} from 'mysql2/promise';

const [task, socketPath, database] = process.argv.slice(2);
const connection = await createConnection({socketPath, database, user: 'root', dateStrings: true});
const select = async (sql, ...values) => (await connection.execute(sql, values))[0];

if (task === 'clear') await clear();
else await print(task === 'list' ? 'DESC' : 'ASC', task === 'list' ? '\t' : ',');
await connection.end();

async function clear() {
  for (const {id} of await select(`SELECT id FROM job ORDER BY id`)) {
    await connection.execute("DELETE FROM object WHERE id = ? AND class_name = 'QubitJob'", [id]);
  }
}

async function print(order, separator) {
  const jobs = await select(
    `SELECT job.*, object.created_at FROM job JOIN object ON object.id = job.id ORDER BY job.id ${order}`,
  );
  for (const {id, user_id: userId, created_at: start, completed_at: end, name, status_id: status} of jobs) {
    const notes = await select(
      `SELECT content FROM note JOIN note_i18n ON note_i18n.id = note.id AND culture = source_culture
       WHERE object_id = ?`,
      id,
    );
    const [user] = userId === null ? [] : await select('SELECT username FROM user WHERE id = ?', userId);
    const texts = notes.map(({content}) => content).join(' | ');
    console.log([start, end, name, status, texts, user?.username ?? 'None'].join(separator));
  }
}
