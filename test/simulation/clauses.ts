import fc from 'fast-check';
import type {Clause, Proof} from '../../src/jobs/live/proof.ts';
import {PROOFS} from '../../src/jobs/live/proofs.ts';
import {liveVerdicts} from '../../src/jobs/live/verdict.ts';
import {type History, histories} from './histories.ts';
import {type Judge, play} from './play.ts';
import {BLOCK, storyOf} from './simulation.ts';

/** A clause of a proof, by name. */
export interface NamedClause {
  proof: string;
  clause: string;
}

export const CLAUSES: readonly NamedClause[] = PROOFS.flatMap(({name, clauses}) =>
  clauses.map((clause) => ({proof: name, clause: clause.name})),
);

/**
 * Clauses that only narrow a limit of docs/faults.md, with the reason: without them a state is claimed that is not true, but
 * only in histories that can look just alike where the clause holds.
 */
export const NARROWS_A_LIMIT: ReadonlyMap<string, string> = new Map([
  [
    'a process imports its file: the process is not older than the job',
    'Only the import of a job whose row was deleted can be older than the one row that names its file.',
  ],
  [
    'the jobs that run are as many as the rows: a worker is old enough for it',
    'Only a job whose row was deleted can be counted in place of this one. Where every worker is younger than this job, that shows.',
  ],
  [
    'the jobs that run are as many as the rows: no server was restarted since it began',
    'Only a job whose row was deleted can be counted in place of this one. Where a server is younger than this job, that shows.',
  ],
]);

export function nameOf({proof, clause}: NamedClause): string {
  return `${proof}: ${clause}`;
}

/** A history by the seed of its block and its place there. */
export interface HistoryPlace {
  seed: number;
  run: number;
}

/** atomctl's judgement with one clause left out of one proof. */
function judgeWithout({proof, clause}: NamedClause): Judge {
  const others = (clauses: readonly Clause[]) => clauses.filter(({name}) => name !== clause);
  const proofs: Proof[] = PROOFS.map((each) =>
    each.name === proof ? {...each, clauses: others(each.clauses)} : each,
  );
  return (evidence) => liveVerdicts(evidence, proofs);
}

/**
 * For each clause the first history in which a state is claimed that is not true, only because the clause is left out.
 * Every history is played once for all of them.
 */
export function findNeeding(
  clauses: readonly NamedClause[],
  {
    seed: first,
    blocks,
    found,
  }: {seed: number; blocks: number; found: (clause: NamedClause, place: HistoryPlace) => void},
): void {
  const open = new Map(clauses.map((clause) => [clause, judgeWithout(clause)]));
  for (let seed = first; seed < first + blocks && open.size > 0; seed += 1) {
    for (const [run, history] of sample(seed).entries()) {
      const suspects = new Set<NamedClause>();
      const judged: Parameters<typeof play>[1] = {
        judged: (evidence, truths) => {
          for (const [clause, judge] of open) {
            if (suspects.has(clause)) continue;
            for (const [id, {state}] of judge(evidence))
              if (state !== 'uncertain' && !truths.get(id)!.has(state)) suspects.add(clause);
          }
        },
      };
      play(history, judged);
      for (const clause of suspects) {
        if (!needs(clause, {seed, run})) continue;
        open.delete(clause);
        found(clause, {seed, run});
      }
    }
  }
}

/**
 * True if a state is claimed without the clause that is not true, and none with it. A wrong claim within a limit of
 * docs/faults.md does not show that a clause is needed, unless all that it does is to narrow one.
 */
export function needs(clause: NamedClause, {seed, run}: HistoryPlace): boolean {
  return isNeeded(clause, sample(seed, run + 1)[run]!);
}

function isNeeded(clause: NamedClause, history: History): boolean {
  return (
    wrongGroup(clause, history, judgeWithout(clause)) !== undefined &&
    wrongGroup(clause, history) === undefined
  );
}

/** The history without what the wrong claim does not need. */
export function shortStory(clause: NamedClause, {seed, run}: HistoryPlace): string[] {
  const judge = judgeWithout(clause);
  const history = sample(seed, run + 1)[run]!;
  return storyOf(history, wrongGroup(clause, history, judge)!, judge).story;
}

function wrongGroup(clause: NamedClause, history: History, judge?: Judge): string | undefined {
  const sought = NARROWS_A_LIMIT.has(nameOf(clause)) ? 'limit' : 'wrong';
  return play(history, {judge}).find(({kind}) => kind === sought)?.group;
}

function sample(seed: number, count = BLOCK): History[] {
  return fc.sample(histories(40, 60), {seed, numRuns: count});
}
