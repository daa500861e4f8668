import type {LiveState} from '../model/job.ts';
import type {Counts} from './counts.ts';
import type {LiveEvidence, QueueCount, RowEvidence, ServerEvidence} from './evidence.ts';

/** One row, with the evidence and what was computed from it once for all rows. */
export interface Seen {
  row: RowEvidence;
  evidence: LiveEvidence;
  counts: Counts;
  index: EvidenceIndex;
}

export interface EvidenceIndex {
  /** By address. */
  servers: ReadonlyMap<string, ServerEvidence>;
  queues: ReadonlyMap<string, QueueCount>;
  /** The queue in which a row's payload was seen waiting, by the row's id. */
  waiting: ReadonlyMap<number, string>;
  /** Clients under the name of an atomctl that hold jobs of a queue for longer than a probe lasts, by queue: id and address. */
  holders: ReadonlyMap<string, string>;
}

/** What a proof lacks. */
export interface Missing {
  /** One sentence. */
  reason: string;
  /** The state that the evidence points to; null if it points to none. */
  likely: LiveState | null;
  /** Only time is missing. */
  needsTime?: boolean;
}

export interface Clause {
  name: string;
  /** What the clause lacks; null if it holds. */
  check(seen: Seen): Missing | null;
}

/** A way in which evidence proves a state: it suggests the state, and every clause holds. */
export interface Proof {
  name: string;
  state: LiveState;
  suggests(seen: Seen): boolean;
  clauses: readonly Clause[];
  /** If a clause does not hold, the state is uncertain; otherwise the next proof is tried. */
  decides: boolean;
  /** The proof in one sentence. */
  reason(seen: Seen): string;
}
