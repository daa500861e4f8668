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

/** The wrong claims of the history without the clause; with it there are none. */
export function needs(clause: NamedClause, {seed, run}: HistoryPlace): boolean {
  return isNeeded(clause, sample(seed, run + 1)[run]!);
}

function isNeeded(clause: NamedClause, history: History): boolean {
  return wrongGroup(history, judgeWithout(clause)) !== undefined && wrongGroup(history) === undefined;
}

/** The history without what the wrong claim does not need. */
export function shortStory(clause: NamedClause, {seed, run}: HistoryPlace): string[] {
  const judge = judgeWithout(clause);
  const history = sample(seed, run + 1)[run]!;
  return storyOf(history, wrongGroup(history, judge)!, judge).story;
}

function wrongGroup(history: History, judge?: Judge): string | undefined {
  return play(history, {judge}).find(({kind}) => kind !== 'missing')?.group;
}

function sample(seed: number, count = BLOCK): History[] {
  return fc.sample(histories(40, 60), {seed, numRuns: count});
}
