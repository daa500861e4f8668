import {beforeEach, expect, test} from 'vitest';
import {createKillSite, withMethods} from '../../../support/jobs/kill-site.ts';
import {insertLogged, previewAt, retryAt} from '../../../support/jobs/retry-site.ts';
import {ADMIN_ID, startWorker, until} from '../../../support/sandbox.ts';

const at = await createKillSite();
const NOW = new Date('2026-11-26T12:00:00Z');
const WALL = '2026-11-26 04:00:00';

beforeEach(async () => {
  at.workers.push(await startWorker(at.site, ['--abilities=arFindingAidJob,arObjectMoveJob']));
});

const ended = (id: number) => until(async () => (await at.statusOf(id)) === 184);

/** Stops the workers, so that a new row stays as it was inserted. */
async function pauseWorkers(): Promise<() => void> {
  for (const {pid} of at.workers) process.kill(pid, 'SIGSTOP');
  return () => {
    for (const {pid} of at.workers) process.kill(pid, 'SIGCONT');
  };
}

const notesOf = (id: number) =>
  at.site.query(
    `SELECT note.type_id, note.scope, note.user_id, note.source_culture, note.serial_number,
            GROUP_CONCAT(note_i18n.culture) AS cultures, MAX(note_i18n.content) AS content
     FROM note LEFT JOIN note_i18n USING (id) WHERE object_id = ? GROUP BY note.id ORDER BY note.id`,
    [id],
  );
const note = (content: unknown, {type = null as number | null, culture = 'en'} = {}) => ({
  type_id: type,
  scope: null,
  user_id: null,
  source_culture: culture,
  serial_number: 0,
  cultures: culture,
  content,
});

test('the new rows are those that AtoM makes, with a note on both jobs', async () => {
  const description = 'Génération de l’instrument de recherche';
  const id = await insertLogged(at.site, {
    parameters: {objectId: '512', description},
    startedAt: '2026-11-20 10:00:00',
    notes: [
      {text: description, culture: 'fr'},
      {text: 'disk full', error: true},
    ],
  });
  const resume = await pauseWorkers();
  const {first} = await retryAt(at, [id], {reason: 'the disk has space again', now: () => NOW});
  const newId = first.newId!;
  expect(await at.site.query('SELECT * FROM object WHERE id = ?', [newId])).toEqual([
    {id: newId, class_name: 'QubitJob', created_at: WALL, updated_at: WALL, serial_number: 0},
  ]);
  expect(await at.site.query('SELECT * FROM job WHERE id = ?', [newId])).toEqual([
    {
      ...{id: newId, name: 'arFindingAidJob', download_path: null, completed_at: null, output: null},
      ...{user_id: ADMIN_ID, object_id: 512, status_id: 183},
    },
  ]);
  const end = `by alice@archive on ${WALL}. Reason: the disk has space again`;
  expect(await notesOf(newId)).toEqual([
    note(description, {culture: 'fr'}),
    note(`Retry of job ${id}, started with atomctl ${end}`),
  ]);
  expect(await notesOf(id)).toEqual([
    note(description, {culture: 'fr'}),
    note('disk full', {type: 197}),
    note(`Started again as job ${newId} with atomctl ${end}`),
  ]);
  expect(await at.site.query('SELECT * FROM property WHERE object_id = ?', [newId])).toEqual([]);
  expect(await at.statusOf(id)).toBe(185);
  resume();
  await ended(newId);
});

test('the row of a lost job is marked as an error in the same step, so that it blocks no other job', async () => {
  const id = await insertLogged(at.site, {
    name: 'arObjectMoveJob',
    status: 'running',
    parameters: {objectId: 513, parentId: 512},
    messages: [],
  });
  const {first} = await retryAt(at, [id]);
  expect(first.action).toBe('submitted');
  expect(await at.statusOf(id)).toBe(185);
  expect(await notesOf(id)).toEqual([
    note(expect.stringMatching(new RegExp(`^Started again as job ${first.newId} `)), {type: 197}),
  ]);
  // AtoM runs only the oldest of the serial jobs.
  await ended(first.newId!);
});

test('a row that a worker writes to meanwhile keeps everything as it was', async () => {
  const id = await insertLogged(at.site, {status: 'running', messages: []});
  const [before] = await at.site.query('SELECT COUNT(*) AS jobs FROM job');
  const database = withMethods(at.sources.database, {
    transaction: async (work) => {
      await at.site.query("UPDATE job SET output = CONCAT(output, 'x') WHERE id = ?", [id]);
      return at.sources.database.transaction(work);
    },
  });
  const {first, exit} = await retryAt(at, [id], {database});
  expect([first, exit]).toEqual([
    {
      ...{id, newId: null, action: 'refused'},
      message: `Job ${id} changed meanwhile. Nothing was done; run the same command again.`,
    },
    5,
  ]);
  expect([await at.statusOf(id), await notesOf(id)]).toEqual([183, []]);
  expect((await at.site.query('SELECT COUNT(*) AS jobs FROM job'))[0]).toEqual(before);
});

test('of two that lost the lock, the second sees what the first did meanwhile, and runs nothing', async () => {
  const id = await insertLogged(at.site);
  let other: number | undefined;
  const database = withMethods(at.sources.database, {
    transaction: async (work) => {
      other = (await retryAt(at, [id])).first.newId!;
      await ended(other);
      return at.sources.database.transaction(work);
    },
  });
  const {first, exit} = await retryAt(at, [id], {database});
  expect([first, exit]).toEqual([
    {
      ...{id, newId: null, action: 'refused'},
      message: `Job ${id} was run again meanwhile, as job ${other}. Nothing was done. To see it: atomctl jobs:show ${other}`,
    },
    5,
  ]);
  expect(await notesOf(id)).toHaveLength(1);
  expect(await at.site.query('SELECT id FROM job WHERE id > ?', [id])).toEqual([{id: other}]);
});

test("an anonymous visitor's job gets a token of its own, and the output says what AtoM deletes", async () => {
  const old = {startedAt: '2026-11-01 10:00:00', userId: null};
  const id = await insertLogged(at.site, {...old, userToken: 'secret'});
  await at.site.insertJob(old);
  const preview = await previewAt(at, id, {now: () => NOW});
  expect(preview.message).toBe(
    'It generates the finding aid again, in place of the old one. It runs without a user: when it starts, AtoM deletes the ' +
      `2 jobs without a user that are older than two days, job ${id} among them.`,
  );
  const resume = await pauseWorkers();
  const {first} = await retryAt(at, [id], {now: () => NOW});
  const [row] = await at.site.query(
    `SELECT job.user_id, property.name, property.scope, property.source_culture, property_i18n.culture, property_i18n.value
     FROM job JOIN property ON property.object_id = job.id JOIN property_i18n ON property_i18n.id = property.id WHERE job.id = ?`,
    [first.newId],
  );
  expect(row).toEqual({
    ...{user_id: null, name: 'userToken', scope: null, source_culture: 'en', culture: 'en'},
    value: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  resume();
  await ended(first.newId!);
  // The worker has deleted both, as AtoM does.
  expect(await at.statusOf(id)).toBeNull();
});

test('a job that has no user for another reason needs --force', async () => {
  const id = await insertLogged(at.site, {userId: null});
  const refused = await retryAt(at, [id]);
  expect([refused.first.message, refused.exit]).toEqual([
    `Job ${id} has no user: it was submitted on the command line, or its user was deleted. It runs without a user: when it starts, AtoM deletes the 1 job without a user that is older than two days, job ${id} among them. To run it anyway: atomctl jobs:retry ${id} --force`,
    5,
  ]);
  expect((await previewAt(at, id, {force: true})).message).toMatch(/AtoM deletes .* without a user/);
  const {first} = await retryAt(at, [id], {force: true});
  expect(first.message).toMatch(/started again as job .*AtoM deletes .* without a user/);
  await ended(first.newId!);
});

test('a reason that the table cannot store refuses the retry, and nothing is touched', async () => {
  await at.site.query('ALTER TABLE note_i18n MODIFY content TEXT CHARACTER SET latin1');
  try {
    const id = await insertLogged(at.site);
    const {first, exit} = await retryAt(at, [id], {reason: 'ждёт'});
    expect([first.action, exit, await notesOf(id)]).toEqual(['refused', 5, []]);
    expect(first.message).toMatch(/^Job \d+ was not started again: /);
    expect(await at.inGearman()).toBe(0);
  } finally {
    await at.site.query('ALTER TABLE note_i18n MODIFY content TEXT CHARACTER SET utf8mb4');
  }
});

test('interrupted, the jobs are left alone that were not begun with', async () => {
  const ids = [await insertLogged(at.site), await insertLogged(at.site)];
  const controller = new AbortController();
  const database = withMethods(at.sources.database, {
    transaction: (work) => {
      controller.abort();
      return at.sources.database.transaction(work);
    },
  });
  const {retried, exit} = await retryAt(at, ids, {database, signal: controller.signal});
  expect(retried.map(({action}) => action)).toEqual(['submitted', 'refused']);
  expect([exit, retried[1]!.message]).toEqual([130, `Interrupted: job ${ids[1]} was not changed.`]);
  await ended(retried[0]!.newId!);
});
