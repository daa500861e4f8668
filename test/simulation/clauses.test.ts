import {expect, it} from 'vitest';
import places from './clause-histories.json' with {type: 'json'};
import {CLAUSES, type HistoryPlace, NARROWS_A_LIMIT, type NamedClause, nameOf, needs} from './clauses.ts';

it('has a history for each clause of each proof', () => {
  expect(places.map(nameOf)).toEqual(CLAUSES.map(nameOf));
});

it('says of clauses that exist that they only narrow a limit', () => {
  expect(CLAUSES.map(nameOf)).toEqual(expect.arrayContaining([...NARROWS_A_LIMIT.keys()]));
});

it.each(places as (NamedClause & HistoryPlace)[])('$proof needs: $clause', (place) => {
  expect(needs(place, place)).toBe(true);
});
