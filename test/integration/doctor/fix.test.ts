import {createHash} from 'node:crypto';
import {readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {findOrphans, removeOrphans} from '../../../src/doctor/evidence/orphans.ts';
import {collectSiteEvidence, type SiteAccess} from '../../../src/doctor/evidence.ts';
import {applyFixes, planFixes} from '../../../src/doctor/fix.ts';
import {runChecks} from '../../../src/doctor/run-checks.ts';
import type {ServerConnection} from '../../../src/gearman/server.ts';
import type {Database} from '../../../src/mysql/database.ts';
import {
  type AtomSite,
  createScratch,
  createSite,
  type GearmanProcess,
  startGearmand,
  submitJob,
} from '../../support/sandbox.ts';
import {connect, connectAs, healthySite} from '../../support/site/site-access.ts';

let gearmand: GearmanProcess;
let site: AtomSite;
let database: Database;
let servers: ServerConnection[];
let access: SiteAccess;

beforeAll(async () => {
  gearmand = await startGearmand();
  site = await createSite({gearman: [gearmand.endpoint]});
  [database, servers] = await Promise.all([connectAs(site.config), connect([gearmand.endpoint])]);
  const open = {database: async () => database, servers: async () => servers};
  access = {...(await healthySite(site)), ...open};
});

afterAll(async () => {
  for (const connection of servers) if ('server' in connection) connection.server.close();
  await database.close();
  await Promise.all([gearmand.stop(), site.drop()]);
});

const FOREVER = '2100-01-01 00:00:00';

const statuses = async () =>
  new Map((await site.query('SELECT id, status_id FROM job')).map((row) => [row.id, row.status_id]));

/** A row whose log says that its work is done. */
async function insertFinished(errorLine: string): Promise<number> {
  const id = await site.insertJob({status: 'running'});
  const line = (message: string) => `[info] [2026-03-04 09:00:00] Job ${id} "arFindingAidJob": ${message}\n`;
  const log = `${line('Job started.')}${line(`Parameters: {"id":"${id}"}`)}${errorLine}${line('Job finished.')}`;
  await site.query('UPDATE job SET output = ? WHERE id = ?', [log, id]);
  return id;
}

async function fix(signal = new AbortController().signal) {
  const site = collectSiteEvidence(access);
  const planned = await planFixes(site, await runChecks(site));
  const apply = () => applyFixes({fixes: planned, site: collectSiteEvidence(access), by: 'me@host', signal});
  return {plans: planned.map(({plan}) => plan), apply};
}

it('marks lost and finished jobs alone, each with a note, leaves a finished job with an error, and only those still lost when it is done', async () => {
  const lost = await site.insertJob({status: 'running'});
  const lostImport = await site.insertJob({status: 'running', name: 'arFileImportJob'});
  const ending = await site.insertJob({status: 'running'});
  const [finished, failed] = [
    await insertFinished(''),
    await insertFinished('[err] [2026-03-04 09:00:00] No file.\n'),
  ];
  const {plans, apply} = await fix();
  expect(plans).toEqual([
    expect.stringMatching(/^3 lost jobs would be marked as errors: /),
    `1 finished job would be marked as completed: ${finished} (arFindingAidJob).`,
  ]);
  await site.query('UPDATE job SET status_id = 184 WHERE id = ?', [ending]);
  const {id: queued} = await submitJob(site, {jobClass: 'arObjectMoveJob'});
  const fixed = await apply();
  expect(fixed).toEqual([
    {id: 'lost-jobs', count: 2, message: '2 lost jobs marked as errors.', error: null},
    {id: 'finished-jobs', count: 1, message: '1 finished job marked as completed.', error: null},
  ]);
  expect(await statuses()).toEqual(
    new Map([
      [lost, 185],
      [lostImport, 185],
      [ending, 184],
      [finished, 184],
      [failed, 183],
      [queued, 183],
    ]),
  );
  const notes = await site.query(
    'SELECT note.type_id, content FROM note JOIN note_i18n USING (id) WHERE object_id = ?',
    [lost],
  );
  expect(notes).toEqual([{type_id: 197, content: expect.stringMatching(/me@host .*no Gearman server knew/)}]);
  const [ended] = await site.query('SELECT completed_at FROM job WHERE id = ?', [finished]);
  expect(ended!.completed_at).toBe('2026-03-04 09:00:00');
  expect((await fix()).plans).toEqual([]);
});

it.each(['lost-jobs', 'serial-jobs'])(
  'finds and marks a lost import if %s alone is checked (T15)',
  async (check) => {
    const id = await site.insertJob({status: 'running', name: 'arFileImportJob'});
    const evidence = collectSiteEvidence(access);
    const [finding] = await runChecks(evidence, {only: [check]});
    expect(finding!.evidence).toContain(`${id} (arFileImportJob)`);
    const planned = await planFixes(evidence, [finding!]);
    expect(planned.map(({plan}) => plan)).toEqual([
      `1 lost job would be marked as an error: ${id} (arFileImportJob).`,
    ]);
    const {signal} = new AbortController();
    await applyFixes({fixes: planned, site: collectSiteEvidence(access), by: 'me@host', signal});
    expect((await statuses()).get(id)).toBe(185);
  },
);

it.each([{skip: ['lost-jobs']}, {only: ['serial-jobs']}])(
  'marks lost moves and imports alone if only they are checked: %o',
  async (selection) => {
    const ids = [
      await site.insertJob({status: 'running'}),
      await site.insertJob({status: 'running', name: 'arFileImportJob'}),
    ];
    const evidence = collectSiteEvidence(access);
    const planned = await planFixes(evidence, await runChecks(evidence, selection));
    expect(planned.map(({plan}) => plan)).toEqual([
      `1 lost job would be marked as an error: ${ids[1]} (arFileImportJob).`,
    ]);
    const {signal} = new AbortController();
    await applyFixes({fixes: planned, site: collectSiteEvidence(access), by: 'me@host', signal});
    const now = await statuses();
    expect(ids.map((id) => now.get(id))).toEqual([183, 185]);
    await site.query('DELETE FROM object WHERE id IN (?)', [ids]);
  },
);

it('says before it dates anything that the clocks differ (T9)', async () => {
  const id = await site.insertJob({status: 'running'});
  const differing = {
    ...access,
    clock: async () => ({uncertaintyMs: 93_600_000, aheadMs: 3_600_000, reason: 'PHP is an hour ahead.'}),
  };
  const evidence = collectSiteEvidence(differing);
  const [planned] = await planFixes(evidence, await runChecks(evidence, {only: ['lost-jobs']}));
  expect(planned!.plan).toContain(
    `The clocks of AtoM and atomctl differ (atomctl doctor --check clock). The finish time and the note use the timezone of atomctl, ${site.timezone}`,
  );
  await site.query('DELETE FROM object WHERE id = ?', [id]);
});

it('removes the remains of jobs and nothing else, and leaves what is too young', async () => {
  const tables = ['object', 'job', 'note', 'note_i18n', 'property', 'property_i18n', 'slug', 'actor', 'user'];
  const counts = async () =>
    Promise.all(tables.map(async (name) => (await site.query(`SELECT COUNT(*) AS n FROM ${name}`))[0]!.n));
  const before = await counts();
  const first = await site.seedJobs(1200);
  await site.insertJob({userToken: 'secret', notes: [{text: 'one'}, {text: 'two'}]});
  await site.query('DELETE FROM job WHERE id >= ?', [first]);
  await site.query("INSERT INTO object (class_name, created_at, updated_at) VALUES ('QubitJob', ?, NOW())", [
    access.time.toWall(new Date()),
  ]);
  const young = {objects: 1, notes: 0, properties: 0, ids: [expect.any(Number)]};

  const {plans, apply} = await fix();
  expect(plans).toEqual(['1201 objects with 402 notes and 1 property of deleted jobs would be deleted.']);
  expect(await apply()).toEqual([{id: 'orphans', count: 1201, message: expect.any(String), error: null}]);
  expect(await findOrphans(database, FOREVER)).toEqual(young);
  await site.query("DELETE FROM object WHERE class_name = 'QubitJob' AND id > ?", [first]);
  expect(await counts()).toEqual(before);
});

it('stops between two steps if it is interrupted', async () => {
  const first = await site.seedJobs(1200);
  await site.query('DELETE FROM job WHERE id >= ?', [first]);
  const interrupted = new AbortController();
  const {apply} = await fix(interrupted.signal);
  interrupted.abort();
  expect(await apply()).toEqual([]);
  const steps = removeOrphans(database, FOREVER);
  expect(await steps.next()).toEqual({value: 500, done: false});
  await steps.return(undefined);
  expect((await findOrphans(database, FOREVER)).objects).toBe(700);
  await site.query('DELETE FROM object WHERE id >= ?', [first]);
});

describe('files of deleted jobs', () => {
  const md5 = (id: number) => createHash('md5').update(String(id)).digest('hex');
  const jobs = () => join(site.root, 'downloads/jobs');
  const write = (name: string) => writeFileSync(join(jobs(), name), 'data');
  const inThreeDays = async () => {
    const later = {...access, now: () => new Date(Date.now() + 3 * 86_400_000)};
    const evidence = collectSiteEvidence(later);
    const planned = await planFixes(evidence, await runChecks(evidence, {only: ['stray-downloads']}));
    const {signal} = new AbortController();
    const apply = () => applyFixes({fixes: planned, site: collectSiteEvidence(later), by: 'me@host', signal});
    return {planned, apply};
  };

  afterEach(() => {
    for (const name of readdirSync(jobs())) rmSync(join(jobs(), name), {recursive: true});
  });

  it('are deleted if they are older than a day, after a question of their own; nothing else is', async () => {
    const job = await site.insertJob({});
    const other = await site.insertJob({downloadPath: `./downloads/jobs/${md5(2)}.zip`});
    const outside = join(createScratch('outside'), `${md5(4)}.zip`);
    writeFileSync(outside, 'secret');
    for (const name of [`${md5(1)}.zip`, `${md5(3)}.csv`, `${md5(job)}.zip`, `${md5(2)}.zip`, 'report.csv'])
      write(name);
    symlinkSync(outside, join(jobs(), `${md5(4)}.zip`));
    expect((await fix()).plans).toEqual([]);
    const {planned, apply} = await inThreeDays();
    expect(planned.map(({plan, fix}) => [plan, fix.question])).toEqual([
      [
        `2 files (8 bytes) of deleted jobs in ${site.root}/downloads/jobs, older than a day, would be deleted.`,
        'Delete these files? (y/N)',
      ],
    ]);
    // Not there at the question.
    write(`${md5(5)}.zip`);
    expect(await apply()).toEqual([
      {id: 'stray-downloads', count: 2, message: '2 files of deleted jobs deleted.', error: null},
    ]);
    const left = [job, 2, 4, 5].map((id) => `${md5(id)}.zip`).concat('report.csv');
    expect(readdirSync(jobs()).sort()).toEqual(left.sort());
    expect(readFileSync(outside, 'utf8')).toBe('secret');
    await site.query('DELETE FROM object WHERE id IN (?)', [[job, other]]);
  });

  it('stay if one got its row after the question, or the directory became a link', async () => {
    write(`${md5(1)}.zip`);
    const named = await inThreeDays();
    const id = await site.insertJob({status: 'error', downloadPath: `downloads/jobs/${md5(1)}.zip`});
    expect(await named.apply()).toMatchObject([{count: 0, error: null}]);
    await site.query('DELETE FROM object WHERE id = ?', [id]);

    const linked = await inThreeDays();
    const aside = join(createScratch('aside'), 'jobs');
    renameSync(jobs(), aside);
    symlinkSync(aside, jobs());
    expect(await linked.apply()).toMatchObject([{count: 0, error: null}]);
    expect(readdirSync(aside)).toEqual([`${md5(1)}.zip`]);
    rmSync(jobs());
    renameSync(aside, jobs());
  });

  it("are not told from another site's if the root names another database", async () => {
    write(`${md5(1)}.zip`);
    const foreign = {...access, rootOfOtherDatabase: async () => true};
    const [finding] = await runChecks(collectSiteEvidence(foreign), {only: ['stray-downloads']});
    expect(finding).toMatchObject({
      state: 'skipped',
      evidence: expect.stringContaining('uses another database'),
    });
  });
});

it('tells what it could not fix, and what it had fixed before', async () => {
  const ids: number[] = [];
  while (ids.length < 3) ids.push(await site.insertJob({status: 'running'}));
  const {apply} = await fix();
  await site.query(
    `CREATE TRIGGER refuse BEFORE UPDATE ON job FOR EACH ROW
     IF NEW.id = ${ids[1]} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not this one'; END IF`,
  );
  try {
    expect(await apply()).toEqual([
      {
        id: 'lost-jobs',
        count: 2,
        message: '2 lost jobs marked as errors.',
        error: expect.stringMatching(`Job ${ids[1]} was not marked: .*not this one`),
      },
    ]);
    const found = await statuses();
    expect(ids.map((id) => found.get(id))).toEqual([185, 183, 185]);
  } finally {
    await site.query('DROP TRIGGER refuse');
  }
});
