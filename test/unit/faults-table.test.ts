import {readdirSync, readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';

const TESTS = new URL('../', import.meta.url);

function readDoc(name: string): string {
  return readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');
}

/** The last cell of each row: files below test/, each with words from a title in it, or without. */
function namedTests(table: string): {file: string; title: string}[] {
  return [...table.matchAll(/\| ([^|]*`[^|]*) \|$/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([\w/.-]+)`(?:: ([^;]+))?/g)].map(([, file, title]) => ({
      file: file!,
      title: title ?? '',
    })),
  );
}

describe.each([
  ['faults', 40],
  ['security', 30],
])('the table of %s', (name, atLeast) => {
  const named = namedTests(readDoc(name));

  test('names tests', () => {
    expect(named.length).toBeGreaterThan(atLeast);
  });

  test.each(named)('$file: $title', ({file, title}) => {
    const source = readFileSync(new URL(`${file}.test.ts`, TESTS), 'utf8');
    expect(source.replaceAll('’', "'")).toContain(title.replaceAll('’', "'"));
  });
});

test('each file of live states is in the table of faults', () => {
  const files = readdirSync(new URL('integration/jobs/live/', TESTS));
  const inTable = new Set(namedTests(readDoc('faults')).map(({file}) => file));
  expect(
    files.filter((name) => !inTable.has(`integration/jobs/live/${name.replace('.test.ts', '')}`)),
  ).toEqual([]);
});

test('each case of trust, S1 to S20, is in a row of security, with a test that its title names', () => {
  const rows = readDoc('security')
    .split('\n')
    .filter((line) => line.startsWith('| '));
  for (let number = 1; number <= 20; number += 1) {
    const own = new RegExp(`\\bS${number}\\b`);
    const row = rows.find((line) => own.test(line.split('|')[1]!));
    expect([number, row]).toEqual([number, expect.any(String)]);
    const sources = namedTests(`${row}`).map(({file}) =>
      readFileSync(new URL(`${file}.test.ts`, TESTS), 'utf8'),
    );
    expect([number, sources.some((source) => own.test(source))]).toEqual([number, true]);
  }
});
