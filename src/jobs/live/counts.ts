import type {PayloadFields} from '../../queue/payload.ts';
import type {LiveEvidence, QueueCount, RowEvidence} from './evidence.ts';

/** Jobs that neither a known key nor a payload explains, and the rows to which they may belong. */
export interface Unexplained {
  total: number;
  running: number;
  rows: number;
  /** Every queue among them is this site's own. */
  own: boolean;
}

export interface Counts {
  /** What is unexplained in the queues that may hold a row's job, and in the queues that these rows share. */
  around(row: RowEvidence): Unexplained;
  /** What the row's own queues leave unexplained. */
  room(row: RowEvidence): {total: number; running: number};
  /** Jobs that run in any queue of the site and that no key explains. */
  runningUnexplained: number;
  /** How many rows import this file. */
  rowsWithFile(file: string): number;
  /** What is unexplained, for each group of queues that share rows. */
  groups: readonly UnexplainedGroup[];
}

export interface UnexplainedGroup extends Unexplained {
  queues: readonly UnexplainedQueue[];
}

export interface UnexplainedQueue extends QueueCount {
  unexplained: {total: number; running: number};
}

/** True if neither a server's answer nor a payload tells where the row's job is. */
export function isUnplaced(row: RowEvidence, waiting: ReadonlyMap<number, string>): boolean {
  return row.known === null && !waiting.has(row.id) && !(row.key === 'exact' && row.keyAsked);
}

type CountedEvidence = Pick<LiveEvidence, 'rows' | 'queues' | 'payloads'>;

/**
 * The queue in which a row's payload was seen waiting, by the row's id. Two sites may have jobs of one id. A payload is
 * another site's if it lies in a queue that cannot hold the row's job, or if it contradicts the row under a prefix that
 * is not known to be this site's.
 */
export function seenWaiting({rows, queues, payloads}: CountedEvidence): Map<number, string> {
  if (payloads.length === 0) return new Map();
  const rowsById = new Map(rows.map((row) => [row.id, row]));
  const owners = new Map(queues.map(({queue, owner}) => [queue, owner]));
  return new Map(
    payloads.flatMap((payload): [number, string][] => {
      const {jobId, queue} = payload;
      const row = jobId === null ? undefined : rowsById.get(jobId);
      if (!row?.queues.includes(queue)) return [];
      return owners.get(queue) === 'site' || !contradicts(payload, row) ? [[row.id, queue]] : [];
    }),
  );
}

const ASCII = /^[\x20-\x7e]*$/;

/**
 * Whether a payload with a row's id is not the row's all the same. AtoM sends the row's name, and its object if it has one
 * (QubitJob::runJob, 2.4 to 2.8). The database may have stored other letters in another encoding, and the row loses its
 * object if that is deleted.
 */
export function contradicts(payload: PayloadFields, row: {name: string; objectId: number | null}): boolean {
  if (payload.name !== null && ASCII.test(payload.name) && payload.name !== row.name) return true;
  return row.objectId !== null && payload.objectId !== row.objectId;
}

/**
 * Subtracts from each queue's counts what is explained, each queue on its own: a payload on one server must not
 * account for a job on another. Queues are joined if a row may be in either. Linear in rows and queues.
 */
export function countUnexplained(evidence: CountedEvidence): Counts {
  const waiting = seenWaiting(evidence);
  const left = leftByQueue(evidence);
  const groups = new QueueGroups();
  const unplaced = evidence.rows.filter((row) => row.queues.length > 0 && isUnplaced(row, waiting));
  for (const {queues} of unplaced) groups.join(queues);

  const sums = new Map<string, GroupSum>();
  for (const counted of evidence.queues) {
    const sum = sumOf(sums, groups.of(counted.queue));
    const {total, running} = left.get(counted.queue)!;
    sum.queues.push({...counted, unexplained: {total, running}});
    sum.total += total;
    sum.running += running;
    sum.own &&= counted.owner === 'site';
  }
  for (const {queues} of unplaced) sumOf(sums, groups.of(queues[0]!)).rows += 1;
  const files = new Map<string, number>();
  for (const {importFile} of evidence.rows) {
    if (importFile !== null) files.set(importFile, (files.get(importFile) ?? 0) + 1);
  }

  return {
    around: ({queues: [first]}) =>
      first === undefined ? {...NOTHING} : (sums.get(groups.of(first)) ?? {...NOTHING}),
    room: ({queues}) => ({
      total: sum(queues.map((queue) => left.get(queue)?.total ?? 0)),
      running: sum(queues.map((queue) => left.get(queue)?.running ?? 0)),
    }),
    runningUnexplained: sum([...left.values()].map(({running}) => running)),
    rowsWithFile: (file) => files.get(file) ?? 0,
    groups: [...sums.values()].filter(({queues}) => queues.length > 0),
  };
}

interface GroupSum extends Unexplained {
  queues: UnexplainedQueue[];
}

const NOTHING: Unexplained = {total: 0, running: 0, rows: 0, own: true};

function sumOf(sums: Map<string, GroupSum>, group: string): GroupSum {
  const found = sums.get(group) ?? {...NOTHING, queues: []};
  sums.set(group, found);
  return found;
}

function leftByQueue({
  rows,
  queues,
  payloads,
}: CountedEvidence): Map<string, {total: number; running: number}> {
  const left = new Map(queues.map(({queue, total, running}) => [queue, {total, running}]));
  const knownIds = new Map<string, Set<number>>();
  for (const {id, known} of rows) {
    if (known === null) continue;
    const count = left.get(known.queue);
    if (count === undefined) continue;
    count.total -= 1;
    if (known.running) count.running -= 1;
    knownIds.set(known.queue, (knownIds.get(known.queue) ?? new Set()).add(id));
  }
  for (const {queue, jobId} of payloads) {
    const count = left.get(queue);
    if (count !== undefined && (jobId === null || !knownIds.get(queue)?.has(jobId))) count.total -= 1;
  }
  for (const count of left.values()) {
    count.running = Math.max(0, count.running);
    count.total = Math.max(count.running, count.total);
  }
  return left;
}

/** Queues joined into groups (union-find). */
class QueueGroups {
  readonly #parents = new Map<string, string>();

  of(queue: string): string {
    let root = queue;
    for (let parent = this.#parents.get(root); parent !== undefined; parent = this.#parents.get(root))
      root = parent;
    if (root !== queue) this.#parents.set(queue, root);
    return root;
  }

  join([first, ...others]: readonly string[]): void {
    for (const other of others) {
      const [one, two] = [this.of(first!), this.of(other)];
      if (one !== two) this.#parents.set(two, one);
    }
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((one, other) => one + other, 0);
}
