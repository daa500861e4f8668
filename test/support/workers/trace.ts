import {createHash} from 'node:crypto';
import {readdirSync, readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {uniqueKey} from '../../../src/queue/unique-key.ts';
import {TYPE} from '../servers/gearman-wire.mjs';
import type {RecordedPacket, RecordingProxy} from '../servers/recording-proxy.ts';
import {uploadCsv} from '../servers/submit-job.ts';
import type {AtomSite} from '../site/atom-site.ts';
import {until} from '../until.ts';
import type {WorkerProcess} from './worker.ts';

/** A worker whose jobs are traced: AtoM's own, or the sandbox's. */
export interface TraceRig {
  site: AtomSite;
  recorder: RecordingProxy;
  worker: WorkerProcess;
  /** A description, and the user in whose name jobs are submitted. */
  objectId: number;
  userId: number;
  /** Lets an import's child wait, until the returned function is called. */
  holdImports(): Promise<() => Promise<void>>;
  submit(kind: TraceKind, jobClass: string, parameters: Readonly<Record<string, unknown>>): Promise<number>;
}

/** What one job leaves behind. Ids, times, paths and keys are replaced by their names in capitals. */
export interface Trace {
  /** What the client sent to Gearman, and the answer. */
  client: string[];
  /** The rows when the job was submitted. */
  submitted: Rows;
  /** What went between worker and Gearman, from the call that wakes the worker to its next sleep. */
  worker: string[];
  /** The row's status when the worker told Gearman of the job's end. */
  told: number;
  /** The arguments of the worker's child process. */
  child?: string[];
  /** `job.output`, line by line. */
  log: string[];
  /** The worker's own output. */
  printed: string[];
  /** The rows at the end. */
  ended: Rows;
}

interface Rows {
  job: Record<string, unknown>;
  object: Record<string, unknown>;
  notes: Record<string, unknown>[];
}

type JobSite = Pick<TraceRig, 'objectId'> & {site: {root: string}};
type TraceJob = readonly [jobClass: string, parameters: Readonly<Record<string, unknown>>];

/** Jobs that change nothing but their own rows; only an import adds a description. */
export const TRACE_JOBS = {
  completes: ({objectId}): TraceJob => [
    'arUpdateEsIoDocumentsJob',
    {
      ioIds: ['0'],
      updateIos: true,
      updateDescendants: false,
      objectId: String(objectId),
      description: 'Why it was started.',
    },
  ],
  exports: (): TraceJob => ['arPhysicalObjectCsvHoldingsReportJob', {suppressEmpty: true}],
  fails: (): TraceJob => ['arFileImportJob', importOf({name: 'gone.csv', tmp_name: '/nonexistent/gone.csv'})],
  throws: ({objectId}): TraceJob => ['arCalculateDescendantDatesJob', {objectId: String(objectId)}],
  'lacks a parameter': (): TraceJob => ['arCalculateDescendantDatesJob', {eventTypeId: '111'}],
  imports: async ({site}): Promise<TraceJob> => ['arFileImportJob', await uploadCsv(site)],
  waits: (): TraceJob => ['arFileImportJob', importOf({name: 'gone.csv', tmp_name: '/nonexistent/gone.csv'})],
  'gives up': ({objectId}): TraceJob => [
    'arObjectMoveJob',
    {objectId: String(objectId), parentId: String(objectId)},
  ],
} satisfies Record<string, (at: JobSite) => TraceJob | Promise<TraceJob>>;

function importOf(file: Record<string, unknown>): Record<string, unknown> {
  return {index: false, objectType: 'informationObject', importType: 'csv', update: 'import-as-new', file};
}

export type TraceKind = keyof typeof TRACE_JOBS;
export const TRACE_KINDS = Object.keys(TRACE_JOBS) as TraceKind[];

/** What a worker sends before its first job. */
export function traceStart({site, recorder}: TraceRig): string[] {
  const sent = recorder.packets.filter(({sender}) => sender === 'worker');
  const end = sent.findIndex(({type}) => type === TYPE.GRAB_JOB);
  return sent.slice(0, end).map((packet) => line(packet, (text) => text.replaceAll(site.prefix, 'PREFIX')));
}

/** Submits a job while the worker sleeps, and follows it to its end. */
export async function traceJob(rig: TraceRig, kind: TraceKind): Promise<Trace> {
  const {site, recorder, worker} = rig;
  const [jobClass, parameters] = await TRACE_JOBS[kind](rig);
  const isSerial = kind === 'waits' || kind === 'gives up';
  const older = isSerial
    ? await site.insertJob({name: 'arFileImportJob', status: 'running', startedAt: '2020-01-01 00:00:00'})
    : null;
  const release = kind === 'imports' ? await rig.holdImports() : null;
  await stopAsleep(rig);
  const [firstPacket, firstCharacter] = [recorder.packets.length, worker.output().length];
  const packets = () => recorder.packets.slice(firstPacket);
  const id = await rig.submit(kind, jobClass, parameters);
  const name = namesOf(rig, id, packets().find(({type}) => type === TYPE.SUBMIT_JOB_BG)!);
  const submitted = await rowsOf(rig, id, name);
  let told = 0;
  const tell = async () => {
    told = (await site.query('SELECT status_id FROM job WHERE id = ?', [id]))[0].status_id;
  };
  for (const type of [TYPE.WORK_COMPLETE, TYPE.WORK_FAIL]) recorder.beforePassing(type, tell);
  process.kill(worker.pid, 'SIGCONT');

  let child: string[] | undefined;
  if (release !== null) {
    await until(() => {
      child = childOf(worker.pid);
      return child !== undefined;
    });
    await release();
  }
  if (kind === 'waits') {
    await until(async () => (await logOf(site, id)).length > 1);
    await site.query('UPDATE job SET status_id = 184 WHERE id = ?', [older]);
  }
  await until(() => workerPackets(packets()) !== null);
  if (older !== null) await site.query('DELETE FROM object WHERE id = ?', [older]);

  const printed = worker.output().slice(firstCharacter).split('\n');
  return {
    client: packets()
      .filter(({type}) => type === TYPE.SUBMIT_JOB_BG || type === TYPE.JOB_CREATED)
      .map((packet) => line(packet, name)),
    submitted,
    worker: workerPackets(packets())!.map((packet) => line(packet, name)),
    told,
    ...(child && {child: child.map(name)}),
    log: counted((await logOf(site, id)).map(name)),
    printed: counted(printed.map(name).filter((text) => text.startsWith('TIME > '))),
    ended: await rowsOf(rig, id, name),
  };
}

/** A sleeping worker that is stopped gets its call and acts on it only after SIGCONT: so the order is always the same. */
async function stopAsleep({recorder, worker}: TraceRig): Promise<void> {
  const isAsleep = () =>
    recorder.packets.findLast(({sender}) => sender.endsWith('worker'))?.type === TYPE.PRE_SLEEP;
  for (;;) {
    await until(isAsleep);
    process.kill(worker.pid, 'SIGSTOP');
    // What it sent before may be under way.
    await sleep(100);
    if (isAsleep()) return;
    process.kill(worker.pid, 'SIGCONT');
  }
}

/** Up to the sleep after the job's end; null before it. */
function workerPackets(packets: readonly RecordedPacket[]): RecordedPacket[] | null {
  const own = packets.filter(({sender}) => sender.endsWith('worker'));
  const told = own.findIndex(({type}) => type === TYPE.WORK_COMPLETE || type === TYPE.WORK_FAIL);
  const sleeps = own.findIndex(({type}, index) => told >= 0 && index > told && type === TYPE.PRE_SLEEP);
  return sleeps < 0 ? null : own.slice(0, sleeps + 1);
}

const TYPE_NAMES = new Map(Object.entries(TYPE).map(([name, type]) => [type, name]));

function line({sender, type, fields}: RecordedPacket, name: (text: string) => string): string {
  const parts = fields.map((field) => name(field).replace(/^pid_\d+_[0-9a-f]{13}$/, 'pid_PID_HEX13'));
  return [`${sender}:`, TYPE_NAMES.get(type) ?? type, ...parts].join(' ');
}

/** A line that is repeated, once with the count. */
function counted(lines: readonly string[]): string[] {
  const runs: {text: string; count: number}[] = [];
  for (const text of lines) {
    const last = runs.at(-1);
    if (last?.text === text) last.count += 1;
    else runs.push({text, count: 1});
  }
  return runs.map(({text, count}) => (count === 1 ? text : `${text} (${count} times)`));
}

/** `id` and `output` are left out: the one is another in each run, the other is the log. */
async function rowsOf(
  {site, objectId, userId}: TraceRig,
  id: number,
  name: (text: string) => string,
): Promise<Rows> {
  const [{id: _id, output: _output, ...job}] = await site.query('SELECT * FROM job WHERE id = ?', [id]);
  const [{id: _object, ...object}] = await site.query('SELECT * FROM object WHERE id = ?', [id]);
  const notes = await site.query(
    'SELECT note.*, note_i18n.* FROM note JOIN note_i18n USING (id) WHERE object_id = ? ORDER BY note.id, culture',
    [id],
  );
  if (job.user_id === userId) job.user_id = 'USER';
  if (job.object_id === objectId) job.object_id = 'OBJECT';
  const named = (row: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(row).map(([key, value]) => [key, typeof value === 'string' ? name(value) : value]),
    );
  return {
    job: named(job),
    object: named(object),
    notes: notes.map(({id: _note, object_id: _job, ...note}) => named(note)),
  };
}

async function logOf(site: AtomSite, id: number): Promise<string[]> {
  const [row] = await site.query<{output: string | null}>('SELECT output FROM job WHERE id = ?', [id]);
  return row?.output?.trimEnd().split('\n') ?? [];
}

/** What differs from run to run and from site to site, by its name. A key that is not as computed stays as it is. */
function namesOf({site}: TraceRig, id: number, submission: RecordedPacket): (text: string) => string {
  const [gearmanFunction, , payload] = submission.fields;
  const md5 = createHash('md5').update(String(id)).digest('hex');
  const texts = [
    [site.root, 'ROOT'],
    [site.root.replaceAll('/', '\\/'), 'ROOT'],
    [site.prefix, 'PREFIX'],
    [uniqueKey(gearmanFunction!, payload!)!, 'KEY'],
    [md5, 'MD5_OF_ID'],
    [`"id":"${id}"`, '"id":"ID"'],
    [`Job ${id} "`, 'Job ID "'],
  ] as const;
  const patterns = [
    [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME'],
    [/^H:\S+:\d+$/g, 'HANDLE'],
    [/(--user-id="?)\d+/g, '$1USER'],
    [/("(?:object|parent)Id":")[1-9]\d*/g, '$1OBJECT'],
    [/TMP[0-9a-f]{8}\.csv/g, 'TMP.csv'],
    [/(temporary job directory )\S+$/, '$1TEMPORARY'],
    [/File: \S+$/, 'File: FILE'],
    [/Line: \d+$/, 'Line: LINE'],
  ] as const;
  return (text) => {
    const plain = texts.reduce((left, [what, by]) => left.replaceAll(what, by), text);
    return patterns.reduce((left, [what, by]) => left.replace(what, by), plain);
  };
}

/** The arguments of the `csv:import` below a process. */
function childOf(pid: number): string[] | undefined {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const [, , group] = /\) \S (\d+) (\d+)/.exec(readFileSync(`/proc/${entry}/stat`, 'utf8'))!;
      const argv = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0').slice(0, -1);
      if (Number(group) === pid && argv[0] === 'php' && argv[2] === 'csv:import') return argv;
    } catch {}
  }
  return undefined;
}

export type Traces = {start: string[]} & Record<TraceKind, Trace>;

/** Traces each kind of job, with the worker that the rig has just started. */
export async function traceAll(rig: TraceRig): Promise<Traces> {
  const traces: Partial<Traces> = {start: traceStart(rig)};
  for (const kind of TRACE_KINDS) traces[kind] = await traceJob(rig, kind);
  return traces as Traces;
}
