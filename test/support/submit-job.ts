import {uniqueKey} from '../../src/queue/unique-key.ts';
import type {InsertJob} from './atom-jobs.ts';
import type {AtomSite} from './atom-site.ts';
import {connectGearman, TYPE} from './gearman-wire.mjs';

export interface SubmitJob extends Omit<InsertJob, 'status' | 'finishedAt'> {
  /** Default arFindingAidJob. `name` is what AtoM stores where that differs, e.g. "CSV export". */
  jobClass?: string;
  /** What the job is told; `sandbox: {seconds, lines, error}` steers the sandbox's worker. */
  parameters?: Readonly<Record<string, unknown>>;
  /** `host:port`. Default: the site's first server. */
  server?: string;
}

export interface SubmittedJob {
  id: number;
  /** The server's name for it, `H:host:number`. */
  handle: string;
  unique: string;
}

/** Does what AtoM does when a user starts a job: inserts the row as running, then submits it in the background. */
export async function submitJob(site: AtomSite, job: SubmitJob = {}): Promise<SubmittedJob> {
  const {jobClass = 'arFindingAidJob', parameters = {}, server = site.gearman[0]!, ...row} = job;
  const name = row.name ?? jobClass;
  const id = await site.insertJob({...row, name, status: 'running'});
  const payload = phpJsonEncode({...parameters, name, id});
  const gearmanFunction = site.functionName(jobClass);
  const unique = uniqueKey(gearmanFunction, payload)!;
  return {id, unique, handle: await submitBackground(server, gearmanFunction, unique, payload)};
}

/** Submits any background job and returns its handle. */
export async function submitBackground(
  server: string,
  gearmanFunction: string,
  unique: string,
  payload: string,
): Promise<string> {
  const connection = await connectGearman(server);
  connection.send(TYPE.SUBMIT_JOB_BG, gearmanFunction, unique, payload);
  const answer = await connection.receive();
  connection.close();
  if (answer?.type !== TYPE.JOB_CREATED) throw new Error(`${server} did not take the job.`);
  return answer.fields[0]!;
}

/** JSON as PHP writes it by default: slashes and everything beyond ASCII escaped. */
function phpJsonEncode(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('/', '\\/')
    .replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
