import {expect, it} from 'vitest';
import places from './clause-histories.json' with {type: 'json'};
import {CLAUSES, type HistoryPlace, type NamedClause, needs} from './clauses.ts';

const nameOf = ({proof, clause}: NamedClause) => `${proof}: ${clause}`;

it('has a history for each clause of each proof', () => {
  expect(places.map(nameOf)).toEqual(CLAUSES.map(nameOf));
});

it.each(places as (NamedClause & HistoryPlace)[])('$proof needs: $clause', (place) => {
  expect(needs(place, place)).toBe(true);
});
