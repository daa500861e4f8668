import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';

const table = readFileSync(new URL('../../docs/faults.md', import.meta.url), 'utf8');
/** The last cell of each row: files below test/, each with words from a title in it, or without. */
const named = [...table.matchAll(/\| ([^|]*`[^|]*) \|$/gm)].flatMap(([, cell]) =>
  [...cell!.matchAll(/`([\w/-]+)`(?:: ([^;]+))?/g)].map(([, file, title]) => ({
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
