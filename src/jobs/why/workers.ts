/** Which workers can do a job, and which of them executes which job: Gearman says what runs, but not in which worker. */
import {mayBeFunctionOf} from '../../atom/job-classes.ts';
import {splitFunctionName} from '../../queue/function-name.ts';
import {claimsToBeProbe} from '../../queue/probe/probe-id.ts';
import {type SitePrefixes, serverOfQueue} from '../../queue/snapshot.ts';
import type {LiveEvidence, RowEvidence, WorkerConnection} from '../live/evidence.ts';
import type {LiveReport} from '../live/live-state.ts';

/** A worker, however many servers it is connected to. */
export interface ConnectedWorker extends Pick<WorkerConnection, 'id' | 'pid' | 'ip'> {
  /** One of its servers, `host:port`. */
  server: string;
  queues: ReadonlySet<string>;
  /** It can do functions too that are not this site's. */
  doesOthers: boolean;
}

/** The connected workers that can do jobs of the site, by id. A client that calls itself as a probe does is none. */
export function siteWorkers({workers}: Pick<LiveEvidence, 'workers'>): ConnectedWorker[] {
  const byId = new Map<string, ConnectedWorker & {queues: Set<string>}>();
  for (const {id, pid, ip, server, queues, doesOthers = false} of workers) {
    if (claimsToBeProbe(id)) continue;
    const worker = byId.get(id) ?? {id, pid, ip, server, queues: new Set(), doesOthers: false};
    byId.set(id, worker);
    for (const queue of queues) worker.queues.add(queue);
    worker.doesOthers ||= doesOthers;
  }
  return [...byId.values()];
}

/**
 * Those that can do a row's job: on the server and under the prefix that it has, or if it is in no known queue, under the site's
 * own prefixes. If these are not known, under any.
 * @param waitingIn the queue in which its payload was seen
 */
export function ableWorkers(
  row: Pick<RowEvidence, 'name' | 'known'>,
  {waitingIn, prefixes}: {waitingIn: string | undefined; prefixes: Pick<SitePrefixes, 'own' | 'also'>},
  workers: readonly ConnectedWorker[],
): ConnectedWorker[] {
  const queue = row.known?.queue ?? waitingIn;
  const isOwn = (prefix: string | null) =>
    prefixes.own === null || (prefix ?? '') === prefixes.own || prefixes.also.includes(prefix ?? '');
  const can = (each: string) => {
    if (queue !== undefined) return each === queue;
    const {prefix, jobClass} = splitFunctionName(each.slice(0, -serverOfQueue(each).length - 1));
    return isOwn(prefix) && mayBeFunctionOf(row.name, jobClass);
  };
  return workers.filter(({queues}) => [...queues].some(can));
}

/** True if none of the functions that a worker can do has a running job; null if one has. */
export function isIdle(worker: ConnectedWorker, {queues}: Pick<LiveEvidence, 'queues'>): boolean | null {
  const runs = queues.some(({queue, running}) => running > 0 && worker.queues.has(queue));
  return runs || worker.doesOthers ? null : true;
}

export interface Executions {
  /** By job id: the worker that executes it. */
  workerOf: ReadonlyMap<number, ConnectedWorker>;
  /** Those that may have a job of which it is not known who has it, by its id. */
  candidates: ReadonlyMap<number, readonly ConnectedWorker[]>;
}

/**
 * Which worker executes which job. What is known for sure comes first: an import's child shows its worker. Then a job goes to
 * the only worker that can have it, and that worker can have no other. A job that no server knows may be in a worker that has
 * lost its connection, so that only a process shows who has it.
 * @param known workers' process ids, by job: from their children, or from their journals
 */
export function executions(
  report: Pick<LiveReport, 'evidence' | 'verdicts'>,
  known: ReadonlyMap<number, number>,
): Executions {
  const {evidence, verdicts} = report;
  const workers = siteWorkers(evidence);
  const workerOf = new Map<number, ConnectedWorker>();
  const open = new Map<number, ConnectedWorker[]>();
  // Of those that are not proved to execute, only who could have them.
  const likely = new Map<number, ConnectedWorker[]>();
  for (const row of evidence.rows) {
    const verdict = verdicts.get(row.id);
    if ((verdict?.likely ?? verdict?.state) !== 'executing') continue;
    const pid = known.get(row.id);
    const own = pid === undefined ? undefined : workers.find((worker) => worker.pid === pid);
    if (own !== undefined) workerOf.set(row.id, own);
    else if (pid === undefined && verdict?.state === 'executing')
      open.set(row.id, mayHave(row, workers, evidence));
    else if (pid === undefined) likely.set(row.id, mayHave(row, workers, evidence));
  }
  for (const [id, worker] of workerOf) {
    take(open, id, worker);
    take(likely, id, worker);
  }
  for (;;) {
    const found = [...open].find(([, candidates]) => candidates.length === 1);
    if (found === undefined) return {workerOf, candidates: new Map([...open, ...likely])};
    const [id, [worker]] = found;
    workerOf.set(id, worker!);
    take(open, id, worker!);
    take(likely, id, worker!);
  }
}

function take(open: Map<number, ConnectedWorker[]>, id: number, worker: ConnectedWorker): void {
  open.delete(id);
  for (const [other, candidates] of open)
    open.set(
      other,
      candidates.filter((each) => each !== worker),
    );
}

/** The workers to which a server may have assigned a job. */
function mayHave(
  row: RowEvidence,
  workers: readonly ConnectedWorker[],
  {queues}: LiveEvidence,
): ConnectedWorker[] {
  const runs = (name: string) => queues.some(({queue, running}) => queue === name && running > 0);
  const places = row.known === null ? row.queues.filter(runs) : row.known.running ? [row.known.queue] : [];
  return workers.filter((worker) => places.some((place) => worker.queues.has(place)));
}
