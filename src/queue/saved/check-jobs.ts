/** What a copy that atomctl wrote never has: whoever can write a file may want a job to run twice, or another one to run. */
import {usageError} from '../../errors.ts';
import {MAX_PACKET_BYTES} from '../../gearman/wire.ts';
import {readPayload} from '../payload.ts';
import {keyMayDiffer, uniqueKey} from '../unique-key.ts';
import type {SavedJob} from './saved-queue.ts';

/** gearmand refuses a longer key, or closes the connection. AtoM's have 32. */
const MOST_KEY_BYTES = 63;
const MOST_FUNCTION_BYTES = 511;
/** A job is taken from the queue in one packet, which has its function, key and handle too. */
const MOST_PAYLOAD_BYTES = MAX_PACKET_BYTES - 4096;

const CONTROL_CHARACTER = /\p{C}/u;
const NO_NAME = /[\s\p{C}]/u;

export interface WrongJob {
  job: SavedJob;
  /** Its place among the jobs, from 0. */
  index: number;
  /** What it has, as the object of a sentence. */
  what: string;
}

/** The jobs that can be restored, without those that are there twice, and those that would not be AtoM's. */
export function sortJobs(all: readonly SavedJob[]): {jobs: SavedJob[]; wrong: WrongJob[]} {
  const byKey = new Map<string, SavedJob>();
  const rows = new Set<number>();
  const wrong: WrongJob[] = [];
  const jobs = all.filter((job, index) => {
    const key = `${job.function} ${job.unique}`;
    const same = job.unique === '' ? undefined : byKey.get(key);
    if (same?.payload.equals(job.payload)) return false;
    const {jobId} = readPayload(job.payload);
    const what =
      problemOf(job) ??
      (same === undefined ? null : 'the key of an earlier job') ??
      (jobId !== null && rows.has(jobId) ? `a second job of row ${jobId}, which would run twice` : null);
    if (what !== null) wrong.push({job, index, what});
    if (what !== null) return false;
    byKey.set(key, job);
    if (jobId !== null) rows.add(jobId);
    return true;
  });
  return {jobs, wrong};
}

/**
 * The jobs without those that are in the copy twice.
 * @param origin names the copy, for errors
 * @throws AtomctlError USAGE if one of them cannot be a job that was saved
 */
export function checkedJobs(all: readonly SavedJob[], origin: string): SavedJob[] {
  const {jobs, wrong} = sortJobs(all);
  const [first] = wrong;
  if (first === undefined) return jobs;
  throw usageError(
    `${origin}, line ${first.index + 2}, has ${first.what}.`,
    'queue:save does not write that. Nothing was restored. Use another copy.',
  );
}

/** Object of a sentence; null if there is none. */
function problemOf(job: SavedJob): string | null {
  if (NO_NAME.test(job.function) || Buffer.byteLength(job.function) > MOST_FUNCTION_BYTES)
    return 'a function with a name that no job of AtoM has';
  if (CONTROL_CHARACTER.test(job.unique)) return 'a key with control characters';
  if (Buffer.byteLength(job.unique) > MOST_KEY_BYTES)
    return `a key of more than ${MOST_KEY_BYTES} bytes, which gearmand does not take`;
  if (job.payload.length > MOST_PAYLOAD_BYTES)
    return `a payload of more than ${MOST_PAYLOAD_BYTES} bytes, which atomctl could not take from the queue again`;
  if (!hasOwnKey(job) && keyMayDiffer(job.payload.toString()) === false)
    return 'a key that is not the one of its job';
  return null;
}

/**
 * Whether the key is the one that AtoM gives the job, so that it shows whether a server has the job. A job of no row may have any,
 * and an empty one shows itself.
 */
export function hasOwnKey({function: name, unique, payload}: SavedJob): boolean {
  if (unique === '' || readPayload(payload).jobId === null) return true;
  return uniqueKey(name, payload.toString()) === unique;
}
