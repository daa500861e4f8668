import {claimsToBeProbe} from '../../queue/probe/probe-id.ts';
import type {LiveState} from '../model/job.ts';
import {countUnexplained, seenWaiting} from './counts.ts';
import type {LiveEvidence} from './evidence.ts';
import type {EvidenceIndex, Missing, Proof, Seen} from './proof.ts';
import {PROOFS} from './proofs.ts';

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
 * with the state that the evidence points to. Linear in the number of rows.
 * @param proofs a test leaves a clause out to show that it is needed
 */
export function liveVerdicts(
  evidence: LiveEvidence,
  proofs: readonly Proof[] = PROOFS,
): Map<number, LiveVerdict> {
  const counts = countUnexplained(evidence);
  const index = indexOf(evidence);
  return new Map(evidence.rows.map((row) => [row.id, verdict({row, evidence, counts, index}, proofs)]));
}

function verdict(seen: Seen, proofs: readonly Proof[]): LiveVerdict {
  for (const proof of proofs) {
    if (!proof.suggests(seen)) continue;
    const missing = firstMissing(proof, seen);
    if (missing === null)
      return {state: proof.state, likely: null, reason: proof.reason(seen), needsTime: false};
    if (proof.decides) {
      const {reason, needsTime = false} = missing;
      // What finished is not lost, whatever is missing.
      const likely = proof.state === 'finished' ? 'finished' : missing.likely;
      return {state: 'uncertain', likely, reason, needsTime};
    }
  }
  throw new Error('The last proof must decide.');
}

function firstMissing({clauses}: Proof, seen: Seen): Missing | null {
  for (const {check} of clauses) {
    const missing = check(seen);
    if (missing !== null) return missing;
  }
  return null;
}

function indexOf(evidence: LiveEvidence): EvidenceIndex {
  return {
    servers: new Map(evidence.servers.map((server) => [server.address, server])),
    queues: new Map(evidence.queues.map((queue) => [queue.queue, queue])),
    waiting: seenWaiting(evidence),
    holders: holdersByQueue(evidence),
  };
}

function holdersByQueue({workers}: LiveEvidence): Map<string, string> {
  return new Map(
    workers
      .filter(({id}) => claimsToBeProbe(id))
      .flatMap(({id, ip, queues}) => queues.map((queue) => [queue, `${id} from ${ip}`])),
  );
}
