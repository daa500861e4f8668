import {createHash} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {createSiteTime} from '../../../src/atom/site-time.ts';
import {submitJob} from '../servers/submit-job.ts';
import {ADMIN_ID, type InsertJob, type InsertNote} from '../site/atom-jobs.ts';
import type {AtomSite} from '../site/atom-site.ts';
import {JOB_KINDS, type JobKind} from './job-kinds.ts';

const HISTORY = 190;
const DAYS = 90;
const HOUR = 3600;
const DAY = 24 * HOUR;
const MARIE_ID = 449;
const PAT_ID = 460;
const FAILED_SHARE = 0.09;

/** The jobs that the walk speaks of. */
export interface DemoJobs {
  failed: number;
  /** A failed finding aid, which can be made again. */
  repeatable: number;
  lost: number;
  executing: number;
  queued: number[];
}

/** What was there when the worker was started, and what it finds then. */
export interface DemoHistory {
  failed: number;
  repeatable: number;
  lost: number;
}

/** Three months of jobs up to now, made the same way each time: finished ones, and one that was lost. */
export async function insertHistory(site: AtomSite, now: Date): Promise<DemoHistory> {
  const time = createSiteTime(site.timezone, process.env);
  const wall = (secondsAgo: number) => time.toWall(new Date(now.getTime() - secondsAgo * 1000));
  const random = numbersFrom(4730);
  await insertPat(site);
  let failed = 0;
  let repeatable = 0;
  for (let index = 0; index < HISTORY; index++) {
    const secondsAgo = DAYS * DAY * (1 - index / HISTORY) + (2 + random()) * HOUR;
    if (index === HISTORY - 8) await insertAnonymous(site, wall(secondsAgo));
    const kind = pickKind(random());
    const job = pastJob(kind, {random, wall, secondsAgo});
    const id = await site.insertJob(job);
    await writeLog(site, {id, kind, job});
    if (kind.hasDownload && job.status === 'completed') await writeDownload(site, id);
    if (job.status === 'error') failed = id;
    if (job.status === 'error' && kind.name === 'arFindingAidJob' && job.userId === ADMIN_ID) repeatable = id;
  }
  const lost = await insertLost(site, wall);
  await site.query('DELETE FROM object WHERE id = ?', [PAT_ID]);
  return {failed, repeatable, lost};
}

/** Submits an import that takes an hour, then what has to wait behind it; ids in the order of submission. */
export async function submitPresent(
  site: AtomSite,
  now: Date,
): Promise<{executing: number; queued: number[]}> {
  const time = createSiteTime(site.timezone, process.env);
  const startedAt = time.toWall(now);
  const executing = await submitJob(site, {
    jobClass: 'arFileImportJob',
    startedAt,
    userId: MARIE_ID,
    work: {seconds: 3600},
  });
  const queued: number[] = [];
  for (const objectId of [512, 513, 514, 512, 513]) {
    const job = await submitJob(site, {startedAt, objectId, parameters: {objectId}});
    queued.push(job.id);
  }
  return {executing: executing.id, queued};
}

interface Past {
  random: () => number;
  wall: (secondsAgo: number) => string;
  secondsAgo: number;
}

function pastJob(kind: JobKind, {random, wall, secondsAgo}: Past): InsertJob {
  const [shortest, longest] = kind.seconds;
  const seconds = shortest + Math.round(random() ** 3 * (longest - shortest));
  const failed = random() < FAILED_SHARE;
  const userId = [ADMIN_ID, ADMIN_ID, MARIE_ID, PAT_ID, null][Math.floor(random() * 5)];
  return {
    name: kind.name,
    status: failed ? 'error' : 'completed',
    startedAt: wall(secondsAgo),
    finishedAt: wall(secondsAgo - seconds),
    userId,
    objectId: kind.objectId,
    notes: [noteOf(failed ? kind.failed : kind.done, userId === MARIE_ID ? 'fr' : 'en', failed)],
  };
}

function noteOf(texts: JobKind['done'], culture: 'en' | 'fr', error: boolean): InsertNote {
  return {text: texts[culture], culture, error, translations: texts};
}

/** Every job has AtoM's three lines; an import has one more for each row, so that some logs are long. */
async function writeLog(
  site: AtomSite,
  {id, kind, job}: {id: number; kind: JobKind; job: InsertJob},
): Promise<void> {
  const line = (wall: string, message: string) => `[info] [${wall}] Job ${id} "${kind.name}": ${message}\n`;
  const rows = kind.name === 'arFileImportJob' ? 900 : 0;
  const output = [
    line(job.startedAt!, 'Job started.'),
    line(
      job.startedAt!,
      `Parameters: ${JSON.stringify({objectId: kind.objectId ?? null, name: kind.name, id})}`,
    ),
    ...Array.from({length: rows}, (_, row) => line(job.startedAt!, `Row ${row + 1} of ${rows} imported.`)),
    line(job.finishedAt!, job.status === 'error' ? kind.failed.en.replaceAll('\n', ' ') : 'Job finished.'),
  ];
  await site.query('UPDATE job SET output = LEFT(?, 65534) WHERE id = ?', [output.join(''), id]);
}

async function writeDownload(site: AtomSite, id: number): Promise<void> {
  const path = `downloads/jobs/${createHash('md5').update(String(id)).digest('hex')}.zip`;
  await writeFile(join(site.root, path), 'PK');
  await site.query('UPDATE job SET download_path = ? WHERE id = ?', [path, id]);
}

async function insertAnonymous(site: AtomSite, startedAt: string): Promise<void> {
  await site.insertJob({
    name: 'CSV export',
    startedAt,
    userId: null,
    notes: [{text: 'Exported 12 of 12 descriptions.'}],
    userToken: 'f3b7c1d2e4',
  });
}

/** Submitted two days ago, so that no zone can make it new, and lost before a worker began it: the queue server, with its queue in memory, was restarted. */
function insertLost(site: AtomSite, wall: (secondsAgo: number) => string): Promise<number> {
  return site.insertJob({name: 'CSV export', status: 'running', startedAt: wall(2 * DAY)});
}

/** An archivist who has left since: deleting the user leaves her jobs with none. */
async function insertPat(site: AtomSite): Promise<void> {
  await site.query(
    "INSERT INTO object (id, class_name, created_at, updated_at) VALUES (?, 'QubitUser', '2020-03-04', '2020-03-04')",
    [PAT_ID],
  );
  await site.query("INSERT INTO actor (id, parent_id, source_culture) VALUES (?, 3, 'en')", [PAT_ID]);
  await site.query("INSERT INTO user (id, username, email) VALUES (?, 'pat', 'pat@example.org')", [PAT_ID]);
}

function pickKind(at: number): JobKind {
  const kinds = JOB_KINDS.flatMap((kind) => Array<JobKind>(kind.weight).fill(kind));
  return kinds[Math.floor(at * kinds.length)]!;
}

/** Numbers from 0 up to 1 that are the same on every run (a linear congruence modulo 2^32). */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
