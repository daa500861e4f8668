import {randomBytes} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {uniqueKey} from '../../../src/queue/unique-key.ts';
import type {InsertJob} from '../site/atom-jobs.ts';
import type {AtomSite} from '../site/atom-site.ts';
import {connectGearman, TYPE} from './gearman-wire.mjs';

export interface SubmitJob extends Omit<InsertJob, 'status' | 'finishedAt'> {
  /** Default arFindingAidJob. `name` is what AtoM stores if that differs, e.g. "CSV export". */
  jobClass?: string;
  /** The job's parameters. Default: what its class requires. */
  parameters?: Readonly<Record<string, unknown>>;
  /** What the sandbox's worker does in it. Default: nothing, which succeeds at once. */
  work?: JobWork;
  /** `host:port`. Default: the site's first server. */
  server?: string;
}

export interface JobWork {
  seconds?: number;
  /** Log lines, spread over the time; an import has none. */
  lines?: number;
  /** These log lines; an import prints them. */
  log?: readonly string[];
  /** An import's child executes this statement first. */
  query?: string;
  /** The job leaves a file to download. */
  download?: boolean;
  notes?: readonly string[];
  /** The job fails in the end, with this message. */
  error?: string;
  /** The job throws in the end. */
  exception?: string;
}

export interface SubmittedJob {
  id: number;
  /** The server's name for it, `H:host:number`. */
  handle: string;
  unique: string;
  /** The parameters, as JSON. */
  payload: string;
}

/** Parameters that AtoM requires of a class, without which its jobs fail before they begin. */
const REQUIRED: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  arCalculateDescendantDatesJob: {objectId: 512},
  arFindingAidJob: {objectId: 512},
  arGenerateReportJob: {
    objectId: 512,
    reportType: 'itemList',
    reportTypeLabel: 'Item list',
    reportFormat: 'csv',
  },
  arInformationObjectCsvExportJob: {params: {}},
  arInformationObjectXmlExportJob: {params: {}},
  arInheritRightsJob: {overwrite_or_combine: 'combine', all_or_digital_only: 'all', objectId: 512},
  arObjectMoveJob: {objectId: 512},
  arUpdateEsActorRelationsJob: {actorIds: [1], objectId: 512},
  arUpdateEsIoDocumentsJob: {ioIds: [512], updateIos: true, updateDescendants: false, objectId: 512},
  arUpdatePublicationStatusJob: {objectId: 512, publicationStatusId: 160},
  arXmlExportSingleFileJob: {objectId: 512, format: 'ead'},
};

/** Does what AtoM does when a user starts a job: inserts the row as running, then submits it in the background. */
export async function submitJob(site: AtomSite, job: SubmitJob = {}): Promise<SubmittedJob> {
  const {jobClass = 'arFindingAidJob', parameters, work, server = site.gearman[0]!, ...row} = job;
  const name = row.name ?? jobClass;
  const id = await site.insertJob({...row, name, status: 'running'});
  if (work !== undefined) await writeFile(join(site.root, `sandbox/jobs/${id}.json`), JSON.stringify(work));
  const given = parameters ?? REQUIRED[jobClass] ?? {};
  const own = jobClass === 'arFileImportJob' && given.file === undefined ? await uploadCsv(site) : {};
  const payload = phpJsonEncode({...own, ...given, name, id: String(id)});
  const gearmanFunction = site.functionName(jobClass);
  const unique = uniqueKey(gearmanFunction, payload)!;
  return {id, unique, payload, handle: await submitBackground(server, gearmanFunction, unique, payload)};
}

/** What a user's upload of a CSV file leaves for the import. */
export async function uploadCsv({root}: {root: string}): Promise<Record<string, unknown>> {
  const file = join(root, `uploads/tmp/TMP${randomBytes(4).toString('hex')}.csv`);
  await writeFile(file, 'legacyId,title\n1,Letters\n');
  return {
    index: true,
    objectType: 'informationObject',
    importType: 'csv',
    update: 'import-as-new',
    file: {name: 'accessions-2026.csv', type: 'text/csv', tmp_name: file, error: 0},
  };
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
