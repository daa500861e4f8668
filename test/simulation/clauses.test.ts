import {expect, it} from 'vitest';
import places from './clause-histories.json' with {type: 'json'};
import {CLAUSES, type HistoryPlace, type NamedClause, needs} from './clauses.ts';

it('has a history for each clause of each proof', () => {
  expect(places.map(({proof, clause}) => ({proof, clause}))).toEqual(CLAUSES);
});

it.each(places as (NamedClause & HistoryPlace)[])('$proof needs: $clause', (place) => {
  expect(needs(place, place)).toBe(true);
});
