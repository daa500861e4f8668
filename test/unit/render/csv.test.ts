import {parse} from 'csv-parse/sync';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {renderCsv} from '../../../src/render/csv.ts';

async function csv(header: string[], rows: string[][], options = {}): Promise<string> {
  const chunks: string[] = [];
  for await (const chunk of renderCsv(header, [rows], {escapeFormulas: false, bom: false, ...options})) {
    chunks.push(chunk);
  }
  return chunks.join('');
}

describe('renderCsv', () => {
  test('quotes only if necessary', async () => {
    expect(await csv(['a', 'b'], [['plain', 'say "hi", twice\nover']])).toBe(
      'a,b\nplain,"say ""hi"", twice\nover"\n',
    );
  });

  test('escapes formulas if asked to, and changes nothing else', async () => {
    const cells = ['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx', 'a=b', ''];
    const escaped = parse(
      await csv(
        ['c'],
        cells.map((cell) => [cell]),
        {escapeFormulas: true},
      ),
    );
    expect(escaped.flat().slice(1)).toEqual([
      ...["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\tx", '\\x0dx', 'a=b', ''],
    ]);
  });

  test.each([
    ['a;=1+1', "a;'=1+1"],
    ['a; "=1+1"', 'a; "\'=1+1"'],
    ['\n=1+1', "'\n'=1+1"],
    ['\nx', "'\nx"],
    ['a\n-1', "a\n'-1"],
    ['a\t@x', "a\t'@x"],
    ['"=1+1', '"\'=1+1'],
    ['\uff1d1', "'\uff1d1"],
    ['a;b = c; d', 'a;b = c; d'],
  ])('S16: %j is harmless also for a spreadsheet that splits at semicolons', async (cell, harmless) => {
    const [, row] = parse(await csv(['a', 'b'], [['x', cell]], {escapeFormulas: true}));
    expect(row).toEqual(['x', harmless]);
  });

  test('S16: an escape sequence in a cell is visible, and does nothing', async () => {
    const options = {escapeFormulas: true};
    expect(await csv(['a', 'b'], [['x', '\u001b]0;t\u0007\u009b1m\u202e']], options)).toBe(
      'a,b\nx,\\x1b]0;t\\x07\\x9b1m\\u202e\n',
    );
    expect(await csv(['a', 'b'], [['x', '\u001b[1m']])).toBe('a,b\nx,\u001b[1m\n');
  });

  test('begins with a byte order mark if asked to', async () => {
    expect(await csv(['a'], [], {bom: true})).toBe('\uFEFFa\n');
  });

  test('parses back to the same cells for any text', {timeout: 60_000}, async () => {
    const cell = fc.oneof(
      fc.string({unit: 'binary'}),
      fc.stringMatching(/^[",\n\r\t' |=+@-]{0,6}$/),
      fc.constantFrom('😀', 'שלום', '\u202Eabc', '"', '\r\n'),
    );
    const rows = fc
      .integer({min: 1, max: 4})
      .chain((width) =>
        fc.array(fc.array(cell, {minLength: width, maxLength: width}), {minLength: 1, maxLength: 5}),
      );
    await fc.assert(
      fc.asyncProperty(rows, async (expected) => {
        const header = expected[0]!.map((_, index) => `column${index}`);
        const parsed = parse(await csv(header, expected), {record_delimiter: '\n'});
        expect(parsed).toEqual([header, ...expected]);
      }),
      {numRuns: 1000},
    );
  });
});
