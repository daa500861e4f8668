import type {LiveState} from '../model/job.ts';

/** A job that a Gearman server answered for by its unique key. */
export interface KnownJob {
  queue: string;
  running: boolean;
}

/** A queued job whose payload was read; `jobId` is null where the payload is not AtoM's. */
export interface SeenPayload {
  queue: string;
  jobId: number | null;
}

/** What is known of one row that the database calls running, read before and after Gearman was asked. */
export interface RowEvidence {
  id: number;
  /** Queues with jobs in them that may hold this row's job. */
  queues: ReadonlySet<string>;
  /** The answer for its key; null where no server knows it, or none could be asked. */
  known: KnownJob | null;
  /** Whether every server that may hold the job was asked for its key. */
  keyAsked: boolean;
  /** So young that it may not have been submitted yet. */
  young: boolean;
  /** Why a worker may be working on it although no server knows it; null if it never began, or none can be. */
  work: string | null;
}

interface Count {
  total: number;
  running: number;
}

export interface Evidence {
  rows: readonly RowEvidence[];
  /** Jobs and executing jobs of each queue: of each function on each server. */
  counts: ReadonlyMap<string, Count>;
  /** Every server answered. */
  complete: boolean;
  /** The functions are the site's own, not guessed at: see functionsOfSite. */
  own: boolean;
  /** No job was seen to start or end while the evidence was gathered: counts and keys speak of one moment. */
  unchanged: boolean;
  /**
   * Another atomctl holds a server: queued jobs that it looks at are called running there, and of those that it kills
   * the rows may not have changed yet.
   */
  probing: boolean;
  /** What the payloads of queued jobs said, read before the counts; none where these were not looked at. */
  payloads: readonly SeenPayload[];
}

export interface LiveVerdicts {
  states: Map<number, LiveState>;
  /** Of rows that are uncertain only because a worker may be working on them: why, one sentence. */
  reasons: Map<number, string>;
}

/**
 * The state of each row. Claims executing, queued or lost only where the evidence leaves nothing else:
 * - a server's answer for the key, or a payload that was seen, settles it; but what it calls running may be held by
 *   another atomctl;
 * - lost needs an answer from every server, none of which another atomctl holds, and either nothing in any
 *   queue that may hold the job, or a key that no server knows, or payloads and counts that leave no room for it; and
 *   nobody may be working on a job that has begun;
 * - queued by count needs as many unexplained jobs as unexplained rows, and none of them executing.
 */
export function liveVerdicts(evidence: Evidence): LiveVerdicts {
  const left = unexplained(evidence);
  const verdicts: LiveVerdicts = {states: new Map(), reasons: new Map()};
  for (const row of evidence.rows) {
    const state = verdict(row, evidence, left);
    if (state === 'lost' && row.work !== null) verdicts.reasons.set(row.id, row.work);
    verdicts.states.set(row.id, verdicts.reasons.has(row.id) ? 'uncertain' : state);
  }
  return verdicts;
}

type Unexplained = ReadonlyMap<string, Count>;

function verdict(row: RowEvidence, evidence: Evidence, left: Unexplained): LiveState {
  if (row.known !== null) {
    // Under a prefix that is not known to be the site's it may be the same job of a copy of the site.
    if (!evidence.own) return 'uncertain';
    if (!row.known.running) return 'queued';
    return evidence.probing ? 'uncertain' : 'executing';
  }
  if (wasSeen(row, evidence)) return 'queued';
  if (row.young || evidence.probing || !evidence.complete) return 'uncertain';
  if (row.queues.size === 0 || row.keyAsked) return 'lost';
  return verdictByCount(row, evidence, left);
}

function wasSeen({id}: RowEvidence, {payloads}: Evidence): boolean {
  return payloads.some(({jobId}) => jobId === id);
}

/** For a row whose key cannot be asked: what the counts of its queues leave over for it. */
function verdictByCount(row: RowEvidence, evidence: Evidence, left: Unexplained): LiveState {
  if (!evidence.own || !evidence.unchanged) return 'uncertain';
  const total = sum([...row.queues].map((queue) => left.get(queue)?.total ?? 0));
  const running = sum([...row.queues].map((queue) => left.get(queue)?.running ?? 0));
  if (running > 0) return 'uncertain';
  if (total === 0) return 'lost';
  const rivals = evidence.rows.filter(
    (other) =>
      other.known === null &&
      !other.keyAsked &&
      !wasSeen(other, evidence) &&
      [...other.queues].some((queue) => row.queues.has(queue)),
  );
  const settled = rivals.every(({queues}) => [...queues].every((queue) => row.queues.has(queue)));
  return settled && rivals.length === total ? 'queued' : 'uncertain';
}

/**
 * How many jobs of each queue neither a known key nor a payload accounts for. Of each queue on its own: a payload whose
 * job has ended since it was seen must not account for a job that waits elsewhere.
 */
function unexplained({rows, counts, payloads}: Evidence): Map<string, Count> {
  const known = rows.flatMap((row) => (row.known === null ? [] : {id: row.id, ...row.known}));
  return new Map(
    [...counts].map(([queue, {total, running}]) => {
      const here = known.filter((job) => job.queue === queue);
      const knownIds = new Set<number | null>(here.map(({id}) => id));
      const seen = payloads.filter((payload) => payload.queue === queue && !knownIds.has(payload.jobId));
      const left = {
        total: Math.max(0, total - here.length - seen.length),
        running: Math.max(0, running - here.filter((job) => job.running).length),
      };
      return [queue, left];
    }),
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((one, other) => one + other, 0);
}
