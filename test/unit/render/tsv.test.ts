import {expect, test} from 'vitest';
import {renderTsv} from '../../../src/render/tsv.ts';

async function* batches(...parts: string[][][]): AsyncIterable<string[][]> {
  yield* parts;
}

async function textOf(chunks: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += chunk;
  return text;
}

test('S16: no cell begins a formula, a line or a column of its own', async () => {
  const rows = [
    ['=1+1', 'a\tb'],
    ['c\nd', '\u001b]0;owned\u0007'],
  ];
  const [header, first, second, ...rest] = (
    await textOf(renderTsv(['one', 'two'], batches(rows), {header: true}))
  ).split('\n');
  expect([header, second, rest]).toEqual(['one\ttwo', 'c d\t\\x1b]0;owned\\x07', ['']]);
  expect(first).toMatch(/^[^=\t]+=1\+1\ta b$/);
});

test('the header is printed once, also if there is no row', async () => {
  expect(await textOf(renderTsv(['id'], batches([], [['1']], [['2']]), {header: true}))).toBe('id\n1\n2\n');
  expect(await textOf(renderTsv(['id'], batches(), {header: true}))).toBe('id\n');
  expect(await textOf(renderTsv(['id'], batches([['1']]), {header: false}))).toBe('1\n');
});
