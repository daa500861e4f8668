/** Which worker executes which job, and the processes of these workers on this host. */
import type {ProcessState} from '../../processes/process-state.ts';
import {ancestorsOf, type ProcessUsage, readUsage} from '../../processes/usage.ts';
import type {ProcessEvidence, RowEvidence} from '../live/evidence.ts';
import {executingJobs, type LiveReport} from '../live/live-state.ts';
import type {JobWhy} from './facts.ts';
import type {MissingFacts} from './missing.ts';
import type {WhyOptions} from './options.ts';
import {describeProcess} from './process-facts.ts';
import {type ConnectedWorker, type Executions, executions} from './workers.ts';

export interface Executors {
  /** The job that a worker executes, by the worker's id; null if none is known. */
  jobOf(workerId: string): number | null;
  /** The state of the process of the worker that executes a job; `gone` if its child goes on alone, null if it is not known. */
  processState(id: number): Promise<ProcessState | null>;
  /** The process that executes a job with its children, if it is one of this host; empty if that is not known. */
  pidsOf(row: RowEvidence): Promise<number[]>;
  /** The worker that executes a job, and its process. */
  describe(row: RowEvidence, missing: MissingFacts): Promise<Pick<JobWhy, 'worker' | 'process'>>;
}

export type ExecutorOptions = Omit<WhyOptions, 'id' | 'probe' | 'now' | 'time' | 'prefixes' | 'commands'>;

/** Processes of users who have nothing to do with the site do not count, whatever their arguments or their id in Gearman. */
export async function findExecutors(report: LiveReport, options: ExecutorOptions): Promise<Executors> {
  const processes = await options.host.processes();
  const imports = await importsOf(report, processes);
  const known = new Map(
    [...imports].flatMap(([id, {worker}]) => (worker === null ? [] : [[id, worker] as const])),
  );
  const found = await withJournals(executions(report, known), known, report, options);
  const pidOf = async ({id}: RowEvidence) => {
    const child = imports.get(id);
    // Its child has inherited the connection, so that Gearman still shows a worker that has ended.
    const worker = child?.worker === null ? undefined : found.workerOf.get(id);
    return {child, worker, pid: child?.worker ?? child?.pid ?? (await pidHere(worker, processes, options))};
  };
  return {
    jobOf: (workerId) => [...found.workerOf].find(([, worker]) => worker.id === workerId)?.[0] ?? null,
    processState: async (id) => {
      if (imports.get(id)?.worker === null) return 'gone';
      const worker = found.workerOf.get(id);
      const pid = await pidHere(worker, processes, options);
      return worker === undefined || typeof pid === 'string' ? null : options.processState(pid);
    },
    async pidsOf(row) {
      const {pid} = await pidOf(row);
      const usage = typeof pid === 'number' ? await readUsage(pid) : null;
      return usage === null ? [] : pidsIn(usage);
    },
    async describe(row, missing) {
      const {child, worker, pid} = await pidOf(row);
      return {
        worker:
          worker === undefined
            ? missing.because('worker', whyNoWorker(found.candidates.get(row.id) ?? [], child))
            : {id: worker.id, pid: worker.pid, host: worker.ip},
        process:
          typeof pid === 'number'
            ? await processFact(pid, options, missing)
            : missing.because('process', pid),
      };
    },
  };
}

function pidsIn({pid, children}: ProcessUsage): number[] {
  return [pid, ...children.flatMap(pidsIn)];
}

/** An import's child, and the worker that is its parent; null if that has ended. */
interface ImportProcess {
  pid: number;
  worker: number | null;
}

/** The children that import the files of jobs, by job; not of a file that two of them import. */
async function importsOf(
  {evidence}: LiveReport,
  {imports, workers, unreadable}: ProcessEvidence,
): Promise<Map<number, ImportProcess>> {
  const pids = new Set(workers.map(({pid}) => pid));
  const found = new Map<number, ImportProcess>();
  for (const {id, importFile} of evidence.rows) {
    const own = importFile === null ? [] : imports.filter(({argv}) => argv.includes(importFile));
    const pid = own[0]?.pid;
    if (pid === undefined || own.length > 1) continue;
    const worker = (await ancestorsOf(pid)).find((parent) => pids.has(parent)) ?? null;
    // A process that is hidden is not one that has ended.
    if (worker !== null || unreadable === null) found.set(id, {pid, worker});
  }
  return found;
}

/** Journals are slow to read: they are asked only if Gearman does not show who executes what. */
async function withJournals(
  found: Executions,
  known: ReadonlyMap<number, number>,
  report: LiveReport,
  {journalPids}: ExecutorOptions,
): Promise<Executions> {
  if (found.candidates.size === 0) return found;
  const pids = await journalPids(executingJobs(report));
  return pids.size === 0 ? found : executions(report, new Map([...pids, ...known]));
}

function whyNoWorker(candidates: readonly ConnectedWorker[], child: ImportProcess | undefined): string {
  if (child?.worker === null) return `Its worker has ended; its child ${child.pid} continues.`;
  if (child !== undefined) return `Its worker, process ${child.worker}, is not connected to Gearman.`;
  if (candidates.length === 0) return 'No connected worker can have it.';
  const [{id}] = candidates as [ConnectedWorker];
  if (candidates.length === 1) return `It is not proved to execute; only ${id} could have it.`;
  return `Gearman does not show which worker has it; one of: ${candidates.map(({id}) => id).join(', ')}.`;
}

/** The id of a connected worker's process on this host, or why it is not known, a sentence. */
async function pidHere(
  worker: ConnectedWorker | undefined,
  {workers, unreadable}: ProcessEvidence,
  {host}: ExecutorOptions,
): Promise<number | string> {
  if (worker === undefined) return 'Its worker is not known.';
  const {pid, ip, server} = worker;
  if (pid === null) return 'Its worker does not say its process id.';
  if (!(await host.comesFromHere(ip, server))) return `Its worker runs on another host, ${ip}.`;
  if (workers.some((each) => each.pid === pid)) return pid;
  return (
    unreadable ??
    `Process ${pid} of this host is not a worker of the site: its worker has ended, or runs in a container.`
  );
}

async function processFact(
  pid: number,
  {database, servers}: ExecutorOptions,
  missing: MissingFacts,
): Promise<JobWhy['process']> {
  const usage = await readUsage(pid);
  if (usage === null)
    return missing.because('process', `Process ${pid} has ended meanwhile, or cannot be read.`);
  const gearmanPorts = new Set(servers.map(({address}) => address.port));
  return describeProcess(usage, 'process', {database, gearmanPorts, missing});
}
