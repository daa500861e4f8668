import {counted} from '../../counted.ts';
import {ERROR_NOTE_TYPE_ID, STATUSES} from '../../jobs/model/job.ts';
import {LIKE_OF_COMPLETED} from '../../jobs/model/own-notes.ts';
import type {Queryable} from '../../mysql/database.ts';
import {type JobLog, NEWEST} from '../evidence/job-logs.ts';
import {howToRunAgain} from '../evidence/run-again.ts';
import type {Check, SiteEvidence} from '../evidence.ts';
import {healthy, jobLabel, type Outcome, someOf, warning} from '../finding.ts';

/** A restart of the worker under a job makes two; more mean that the job takes its worker down. */
const MANY_STARTS = 3;
/** At most so many error notes are read, from the newest. */
const ERROR_NOTES = 20_000;

/** What the logs and notes of jobs show. */
export const HISTORY_CHECKS: readonly Check[] = [
  {id: 'redelivered-jobs', title: 'Jobs handed out again and again', run: checkRedelivered},
  {id: 'full-logs', title: 'Full logs', run: checkFullLogs},
  {id: 'failed-completed-jobs', title: 'Completed jobs with errors', run: checkCompleted},
];

const SCOPE = `among the running jobs and the newest ${NEWEST}`;

/** Nothing can be done about the log of a job that has ended: it is worth one look. */
const RECENT_SECONDS = 86_400;
const RECENT = 'among the running jobs and those that ended in the last day';

/** Splits logs into those of running jobs and of jobs that ended in the last day, and the older ones. */
function byAge(
  {access: {time, now}}: SiteEvidence,
  logs: readonly JobLog[],
): {recent: JobLog[]; old: JobLog[]} {
  const since = time.toWall(new Date(now().getTime() - RECENT_SECONDS * 1000));
  const isRecent = ({endedAt}: JobLog) => endedAt === null || endedAt >= since;
  return {recent: logs.filter(isRecent), old: logs.filter((log) => !isRecent(log))};
}

/** What is left to say of older jobs. */
function olderOnes(old: readonly JobLog[]): string {
  return old.length === 0 ? '' : ` Older ones: ${someOf(old.map(jobLabel))}.`;
}

async function logsThat(site: SiteEvidence, test: (log: JobLog) => boolean): Promise<JobLog[]> {
  const logs = [...(await site.logs()).values()].filter(test);
  return logs.sort((one, other) => other.id - one.id);
}

async function checkRedelivered(site: SiteEvidence): Promise<Outcome> {
  const {recent: logs, old} = byAge(site, await logsThat(site, ({starts}) => starts >= MANY_STARTS));
  if (logs.length === 0)
    return healthy(`No job ${RECENT} was started ${MANY_STARTS} times or more.${olderOnes(old)}`);
  const [newest] = logs;
  return warning({
    evidence: `${counted(logs.length, 'job')} ${RECENT} ${logs.length === 1 ? 'was' : 'were'} started ${MANY_STARTS} times or more: ${someOf(
      logs.map((log) => `${jobLabel(log)} ${log.starts} times`),
    )}.`,
    consequence:
      'Such a job crashes its worker, and Gearman gives it to the next one, until the unit reaches its start limit.',
    remedy: `atomctl jobs:show ${newest!.id}; while it still runs, this says how to end it: atomctl jobs:kill ${newest!.id}`,
  });
}

async function checkFullLogs(site: SiteEvidence): Promise<Outcome> {
  const {recent: logs, old} = byAge(site, await logsThat(site, ({cut}) => cut));
  if (logs.length === 0) return healthy(`No log ${RECENT} has reached AtoM's size limit.${olderOnes(old)}`);
  return warning({
    evidence: `${counted(logs.length, 'log')} ${RECENT} reached 65,534 characters: ${someOf(logs.map(jobLabel))}.`,
    consequence:
      'AtoM did not store their newest lines: they do not show how the jobs ended, or if a running job is stuck.',
    remedy: `To see the output of the worker: ${site.access.commands.seeWorkerOutput}`,
  });
}

async function checkCompleted(site: SiteEvidence): Promise<Outcome> {
  const {total, ids: noted} = await completedWithErrorNotes(await site.database());
  const logged = await logsThat(site, ({completed, errors}) => completed && errors);
  const others = logged.map(({id}) => id).filter((id) => !noted.includes(id));
  const newest = noted[0] ?? others[0];
  if (newest === undefined)
    return healthy(
      `No completed job has an error note, and no job ${SCOPE} logged an error in its last run.`,
    );
  const notes =
    total === 0
      ? ''
      : `${counted(total, 'completed job')} ${total === 1 ? 'has' : 'have'} error notes: ${someOf(noted, total)}.`;
  const logs =
    others.length === 0
      ? ''
      : `${counted(others.length, 'completed job')} ${others.length === 1 ? 'has' : 'have'} errors in the log (of the newest ${NEWEST} jobs): ${someOf(others)}.`;
  return warning({
    evidence: [notes, logs].filter(Boolean).join(' '),
    consequence: 'AtoM shows them as completed, but part of their work failed.',
    remedy: `To see them: atomctl jobs:show ${newest}. ${await howToRunAgain(site, [newest])}`,
  });
}

/** The completed jobs among those with the newest error notes that nobody marked so, and the newest ids: an index, then primary keys. */
async function completedWithErrorNotes(database: Queryable): Promise<{total: number; ids: number[]}> {
  const [row] = await database.query<{total: number | string; ids: string | null}>(
    `SELECT COUNT(*) AS total, SUBSTRING_INDEX(GROUP_CONCAT(job.id ORDER BY job.id DESC), ',', ${NEWEST}) AS ids
     FROM (SELECT DISTINCT newest.object_id
           FROM (SELECT object_id FROM note WHERE type_id = ? ORDER BY id DESC LIMIT ${ERROR_NOTES}) AS newest
          ) AS noted
     JOIN job ON job.id = noted.object_id
     WHERE job.status_id = ? AND NOT EXISTS (
       SELECT 1 FROM note JOIN note_i18n ON note_i18n.id = note.id
       WHERE note.object_id = job.id AND note_i18n.content LIKE ?)`,
    [ERROR_NOTE_TYPE_ID, STATUSES.completed.termId, LIKE_OF_COMPLETED],
  );
  return {total: Number(row?.total ?? 0), ids: row?.ids ? row.ids.split(',').map(Number) : []};
}
