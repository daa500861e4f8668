import {createHash} from 'node:crypto';
import {mkdirSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {findLostFiles} from '../../../../src/doctor/evidence/job-files.ts';
import type {Database} from '../../../../src/mysql/database.ts';
import {type AtomSite, createSite} from '../../../support/sandbox.ts';
import {connectAs} from '../../../support/site/site-access.ts';

let site: AtomSite;
let database: Database;

beforeAll(async () => {
  site = await createSite();
  database = await connectAs(site.config);
});

afterAll(async () => {
  await database.close();
  await site.drop();
});

const md5 = (id: number) => createHash('md5').update(String(id)).digest('hex');
const write = (path: string) => writeFileSync(join(site.root, 'downloads', path), 'data');
const find = () => findLostFiles({database, downloads: join(site.root, 'downloads')});

it('compares the files with the jobs, by path and by the md5 of the id', async () => {
  const whole = await site.insertJob({});
  await site.query('UPDATE job SET download_path = ? WHERE id = ?', [
    `downloads/jobs/${md5(whole)}.zip`,
    whole,
  ]);
  const unfinished = await site.insertJob({status: 'error'});
  const findingAid = await site.insertJob({downloadPath: 'downloads/findingaid.pdf'});
  const gone = await site.insertJob({downloadPath: 'downloads/jobs/gone.csv'});
  await site.insertJob({status: 'running', downloadPath: 'downloads/jobs/to-come.csv'});
  await site.insertJob({downloadPath: '../elsewhere.zip'});
  const deletedAid = await site.insertJob({downloadPath: 'downloads/reports/a.csv'});
  for (const id of [whole, unfinished, 1]) write(`jobs/${md5(id)}.zip`);
  for (const path of ['findingaid.pdf', 'jobs/.gitkeep', 'jobs/stray.csv']) write(path);
  mkdirSync(join(site.root, 'downloads/jobs/directory'));

  expect(findingAid).toBeLessThan(gone);
  expect(await find()).toEqual({
    stray: [`${md5(1)}.zip`, 'stray.csv'].sort(),
    strayBytes: 8,
    missing: [
      {id: deletedAid, path: 'downloads/reports/a.csv'},
      {id: gone, path: 'downloads/jobs/gone.csv'},
    ],
    files: 4,
    bytes: 16,
    jobs: 6,
  });
});

it('claims nothing of a name that an older job may have, and looks for the id of every job', async () => {
  const [{id: first}] = await site.query('SELECT MIN(id) AS id FROM job');
  await site.seedJobs(20_000);
  write(`jobs/${md5(first)}.csv`);
  const {stray} = await find();
  expect(stray).toEqual([`${md5(1)}.zip`]);
});

it('takes a directory that is missing for an empty one, and skips one that cannot be read', async () => {
  const jobs = join(site.root, 'downloads/jobs');
  rmSync(jobs, {recursive: true});
  expect((await find()).files).toBe(0);
  symlinkSync(jobs, jobs);
  await expect(find()).rejects.toThrow(/cannot be read: its links form a loop/);
});
