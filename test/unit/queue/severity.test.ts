import {expect, test} from 'vitest';
import {bySeverity, type Severity} from '../../../src/queue/severity.ts';

test('the most severe come first, equally severe ones in the order they had', () => {
  const problems: {severity: Severity; text: string}[] = [
    {severity: 'warning', text: 'a'},
    {severity: 'unknown', text: 'b'},
    {severity: 'critical', text: 'c'},
    {severity: 'warning', text: 'd'},
    {severity: 'critical', text: 'e'},
    {severity: 'ok', text: 'f'},
  ];
  expect(problems.sort(bySeverity).map(({text}) => text)).toEqual(['c', 'e', 'a', 'd', 'b', 'f']);
});
