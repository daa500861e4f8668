import {expect, it} from 'vitest';
import places from './clause-histories.json' with {type: 'json'};
import {CLAUSES, type HistoryPlace, type NamedClause, needs} from './clauses.ts';

/**
 * Clauses for which no history is known yet. Some need what the model lacks (servers that were guessed); some are covered
 * by another clause as long as no two rare things meet.
 */
const WITHOUT_HISTORY = [
  'a process imports its file: no other row names the file',
  "the jobs that run are as many as the rows: every queue is the site's own",
  'the jobs that run are as many as the rows: every server answered',
  'the jobs that run are as many as the rows: every server that AtoM names was asked',
  'the jobs that run are as many as the rows: no other atomctl holds jobs',
  'the jobs that run are as many as the rows: a worker is old enough for it',
  'its log says that it finished: every server answered',
  'its log says that it finished: the servers are those of the site',
  'its log says that it finished: counts and keys speak of one moment',
  'its log says that it finished: the database is not a replica',
  'its log says that it finished: no process here can be working on it',
  'its log says that it finished: workers run only on this host',
  'its log says that it finished: its log is silent, or the servers are older',
  'nothing has it: the servers are those of the site',
  'nothing has it: counts and keys speak of one moment',
  'nothing has it: its log is silent, or the servers are older',
];

const nameOf = ({proof, clause}: NamedClause) => `${proof}: ${clause}`;

it('has a history for each clause of each proof, but for those named here', () => {
  const shown = new Set(places.map(nameOf));
  expect(CLAUSES.map(nameOf).filter((name) => !shown.has(name))).toEqual(WITHOUT_HISTORY);
});

it.each(places as (NamedClause & HistoryPlace)[])('$proof needs: $clause', (place) => {
  expect(needs(place, place)).toBe(true);
});
