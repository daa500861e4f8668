import {connect} from 'node:net';
import {afterAll, expect, test} from 'vitest';
import {createSite, startGearmand, startPerlGearmand} from '../../support/sandbox.ts';

const site = await createSite({name: 'other atom', workersKey: 'k'});
afterAll(() => site.drop());

test('a site has the schema, the seed and the jobs that were asked for', async () => {
  const id = await site.insertJob({
    status: 'error',
    notes: [{text: 'Échec', culture: 'fr', error: true, translations: {en: 'Failure'}}],
    userToken: 'secret',
  });
  expect(
    await site.query(
      `SELECT job.status_id, note.type_id, note_i18n.content, user.username FROM job
       JOIN note ON note.object_id = job.id JOIN note_i18n ON note_i18n.id = note.id AND culture = source_culture
       JOIN user ON user.id = job.user_id WHERE job.id = ?`,
      [id],
    ),
  ).toEqual([{status_id: 185, type_id: 197, content: 'Échec', username: 'admin'}]);

  const first = await site.seedJobs(25_000);
  expect(
    await site.query('SELECT COUNT(*) AS jobs, MAX(completed_at) < NOW() AS past FROM job WHERE id >= ?', [
      first,
    ]),
  ).toEqual([{jobs: 25_000, past: 1}]);
});

test.each([
  ['C', startGearmand, /^OK 1\.1/],
  ['Perl', startPerlGearmand, /^v?1\./],
])('the %s Gearman server answers and ends', async (_, start, version) => {
  const server = await start();
  const socket = connect(server.address.port, '127.0.0.1').setEncoding('utf8');
  socket.write('version\n');
  const answer = await new Promise((resolve) => socket.once('data', resolve));
  expect(answer).toMatch(version);
  socket.destroy();
  await server.stop();
  expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
});
