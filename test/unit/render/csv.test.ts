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
    expect(escaped.flat().slice(1)).toEqual(["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\tx", "'\rx", 'a=b', '']);
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
