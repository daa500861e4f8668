import {isAtomClass} from '../../atom/job-classes.ts';
import {claimsToBeProbe} from '../../queue/probe-id.ts';
import type {LiveState} from '../model/job.ts';
import {type Counts, countUnexplained, isUnplaced, seenWaiting} from './counts.ts';
import type {LiveEvidence, RowEvidence, WorkerConnection} from './evidence.ts';
import {type Clause, firstMissing, LOST_PROOF, PROCESS_MARGIN_MS} from './lost-proof.ts';

/** A job's live state, and why. */
export interface LiveVerdict {
  state: LiveState;
  /** The state that the evidence points to, if it proves none. */
  likely: LiveState | null;
  /** One sentence: the proof, or what is missing. */
  reason: string;
  /** Only time is missing: the same evidence ten seconds later proves the likely state. */
  needsTime: boolean;
}

/**
 * The state of each row. A state is claimed only if its proof is complete; whatever is not proved is `uncertain`,
 * with the state that the evidence points to.
 * @param proof the clauses for `lost`; a test leaves one out to show that it is needed
 */
export function liveVerdicts(
  evidence: LiveEvidence,
  proof: readonly Clause[] = LOST_PROOF,
): Map<number, LiveVerdict> {
  const counts = countUnexplained(evidence);
  const waiting = seenWaiting(evidence);
  const judge = new Judge(evidence, counts, waiting, proof);
  return new Map(evidence.rows.map((row) => [row.id, judge.verdict(row)]));
}

class Judge {
  readonly #evidence: LiveEvidence;
  readonly #counts: Counts;
  readonly #waiting: ReadonlyMap<number, string>;
  readonly #proof: readonly Clause[];
  /** By server address. */
  readonly #servers: ReadonlyMap<string, LiveEvidence['servers'][number]>;
  readonly #queues: ReadonlyMap<string, LiveEvidence['queues'][number]>;
  readonly #holders: ReadonlyMap<string, string>;

  constructor(
    evidence: LiveEvidence,
    counts: Counts,
    waiting: ReadonlyMap<number, string>,
    proof: readonly Clause[],
  ) {
    this.#evidence = evidence;
    this.#counts = counts;
    this.#waiting = waiting;
    this.#proof = proof;
    this.#servers = new Map(evidence.servers.map((server) => [server.address, server]));
    this.#queues = new Map(evidence.queues.map((queue) => [queue.queue, queue]));
    this.#holders = holdersByQueue(evidence);
  }

  verdict(row: RowEvidence): LiveVerdict {
    return (
      this.#knownRunning(row) ??
      this.#process(row) ??
      this.#growingLog(row) ??
      this.#payload(row) ??
      this.#knownWaiting(row) ??
      this.#byCount(row) ??
      this.#finishedOrLost(row)
    );
  }

  /** A server that knows the key as running has assigned the job, unless another atomctl holds it for a moment. */
  #knownRunning({known, ...row}: RowEvidence): LiveVerdict | null {
    if (!known?.running) return null;
    const {server, owner} = this.#queues.get(known.queue)!;
    const holder = this.#holders.get(known.queue);
    const probing = this.#servers.get(server)?.probing === true;
    if (probing || holder !== undefined) {
      const who = probing ? 'Another atomctl' : `The client ${holder}`;
      return uncertain(
        row.begun === null ? 'queued' : null,
        `${who} holds jobs of ${server} and may hold this one.`,
      );
    }
    const prefix = owner === 'site' ? '' : ', under the function prefix of another root';
    return proved('executing', `${server} assigned it to a worker${prefix}.`);
  }

  /** A file of two rows, as after a retry, does not tell which of them its process imports. */
  #process({importFile}: RowEvidence): LiveVerdict | null {
    if (importFile === null || this.#counts.rowsWithFile(importFile) > 1) return null;
    const child = this.#evidence.host?.processes.imports.find(({argv}) => argv.includes(importFile));
    return child === undefined
      ? null
      : proved('executing', `Process ${child.pid} on this host imports its file.`);
  }

  #growingLog({logGrew}: RowEvidence): LiveVerdict | null {
    // A replica may only be catching up.
    return logGrew && this.#evidence.writable
      ? proved('executing', 'Its log grew while atomctl read it.')
      : null;
  }

  #knownWaiting({known, begun}: RowEvidence): LiveVerdict | null {
    if (known === null || known.running) return null;
    const {server, owner} = this.#queues.get(known.queue)!;
    const {ignored = 0} = this.#servers.get(server) ?? {};
    if (ignored > 0) {
      return uncertain(
        'queued',
        `${server} has it or a cancelled entry of it: ${ignored} cancelled entries are there.`,
      );
    }
    const prefix = owner === 'site' ? '' : ' under the function prefix of another root';
    const again = begun === null ? '' : '; it began before and will run again from its start';
    return proved('queued', `It waits on ${server}${prefix}${again}.`);
  }

  #payload({id, begun}: RowEvidence): LiveVerdict | null {
    const queue = this.#waiting.get(id);
    if (queue === undefined) return null;
    const prefix =
      this.#queues.get(queue)?.owner === 'unknown' ? ' under the function prefix of another root' : '';
    const again = begun === null ? '' : '; it began before and will run again from its start';
    return proved('queued', `Its payload was seen waiting${prefix}${again}.`);
  }

  /**
   * As many jobs run unexplained as there are rows to which they may belong, and none of them waits. A worker logs as
   * soon as it has a job: a row without a log is not what has been running.
   */
  #byCount(row: RowEvidence): LiveVerdict | null {
    const {unchanged, servers, writable, endedAtWork} = this.#evidence;
    if (!writable || endedAtWork.some((name) => mayShareClass(name, row.name))) return null;
    if (!isUnplaced(row, this.#waiting) || !unchanged || row.begun === null || row.finished) return null;
    if (servers.some(({error, probing}) => error !== null || probing)) return null;
    if (row.queues.some((queue) => this.#holders.has(queue))) return null;
    const {total, running, rows, own} = this.#counts.around(row);
    if (!own || running === 0 || running !== total || rows !== running) return null;
    if (this.#everyWorkerIsYounger(row)) return null;
    return proved(
      'executing',
      running === 1
        ? 'One job of its class is assigned to a worker, and no other row explains it.'
        : `${running} jobs of its class are assigned to workers, and no other rows explain them.`,
    );
  }

  /**
   * A job that runs may be that of a row which was marked or deleted by hand. If every worker that can do it started
   * after this row's job began, it is not this row's.
   */
  #everyWorkerIsYounger({queues, begun}: RowEvidence): boolean {
    const {workers, host} = this.#evidence;
    const lastMs = begun?.lastMs ?? null;
    if (host === null || lastMs === null) return false;
    const capable = workers.filter((worker) => worker.queues.some((queue) => queues.includes(queue)));
    const startedMs = new Map(host.processes.workers.map((worker) => [worker.pid, worker.startedMs]));
    const isYounger = ({pid}: WorkerConnection) =>
      pid !== null && (startedMs.get(pid) ?? Number.NEGATIVE_INFINITY) > lastMs + PROCESS_MARGIN_MS;
    return capable.length > 0 && capable.every(isYounger);
  }

  #finishedOrLost(row: RowEvidence): LiveVerdict {
    const seen = {row, evidence: this.#evidence, counts: this.#counts};
    if (row.finished) {
      // One run has finished. An earlier one, which a restarted server forgot, must have ended too.
      const missing =
        firstMissing('finished', seen, this.#proof) ??
        (row.starts > 1 ? firstMissing('lost', seen, this.#proof) : null);
      return missing === null
        ? proved('finished', finishedReason(row))
        : uncertain('finished', missing.reason);
    }
    const missing = firstMissing('lost', seen, this.#proof);
    if (missing === null) return proved('lost', lostReason(row));
    return {...uncertain(missing.likely, missing.reason), needsTime: missing.needsTime ?? false};
  }
}

/** True if jobs of these names may be of one class. */
function mayShareClass(one: string, other: string): boolean {
  return one === other || !(isAtomClass(one) && isAtomClass(other));
}

/** Connections that hold jobs of a queue under atomctl's own name, for longer than a probe lasts. */
function holdersByQueue({workers}: LiveEvidence): Map<string, string> {
  return new Map(
    workers
      .filter(({id}) => claimsToBeProbe(id))
      .flatMap(({id, queues}) => queues.map((queue) => [queue, id])),
  );
}

function finishedReason({failed}: RowEvidence): string {
  return failed
    ? 'Its log says "Job finished." after an error; only the row was not saved.'
    : 'Its log says "Job finished."; only the row was not saved.';
}

function lostReason({begun}: RowEvidence): string {
  return begun === null
    ? 'No Gearman server has it, and no worker ever began it.'
    : 'No Gearman server has it, and no worker can be working on it.';
}

function proved(state: LiveState, reason: string): LiveVerdict {
  return {state, likely: null, reason, needsTime: false};
}

function uncertain(likely: LiveState | null, reason: string): LiveVerdict {
  return {state: 'uncertain', likely, reason, needsTime: false};
}
