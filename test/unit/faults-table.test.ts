import {readdirSync, readFileSync} from 'node:fs';
import {expect, test} from 'vitest';

const table = readFileSync(new URL('../../docs/faults.md', import.meta.url), 'utf8');
/** The last cell of each row: files below test/, each with words from a title in it, or without. */
const named = [...table.matchAll(/\| ([^|]*`[^|]*) \|$/gm)].flatMap(([, cell]) =>
  [...cell!.matchAll(/`([\w/.-]+)`(?:: ([^;]+))?/g)].map(([, file, title]) => ({
    file: file!,
    title: title ?? '',
  })),
);

test('there are tests in the table of faults', () => {
  expect(named.length).toBeGreaterThan(40);
});

test.each(named)('the table of faults names $file: $title', ({file, title}) => {
  const source = readFileSync(new URL(`../${file}.test.ts`, import.meta.url), 'utf8');
  expect(source.replaceAll('’', "'")).toContain(title.replaceAll('’', "'"));
});

test('each file of live states is in the table', () => {
  const files = readdirSync(new URL('../integration/jobs/live/', import.meta.url));
  const inTable = new Set(named.map(({file}) => file));
  expect(
    files.filter((name) => !inTable.has(`integration/jobs/live/${name.replace('.test.ts', '')}`)),
  ).toEqual([]);
});
