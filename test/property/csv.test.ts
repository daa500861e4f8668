import {parse} from 'csv-parse/sync';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {renderCsv} from '../../src/render/csv.ts';
import {anyText, holdsLater} from './many.ts';

const ROWS = 20;

async function roundTrip(
  rows: string[][],
  options: {escapeFormulas: boolean; bom: boolean},
): Promise<string[][]> {
  const header = rows[0]!.map((_, index) => `column ${index}`);
  let csv = '';
  for await (const chunk of renderCsv(header, [rows.slice(0, 1), rows.slice(1)], options)) csv += chunk;
  const [first, ...cells] = parse(csv, {record_delimiter: '\n', bom: options.bom});
  expect(first).toEqual(header);
  return cells;
}

/** What utf8mb4 can hold: no half of a surrogate pair. */
const storedText = anyText.map((text) => text.replace(/\p{Surrogate}/gu, '\ufffd'));

const table = fc.integer({min: 1, max: 4}).chain((columns) =>
  fc.array(fc.array(storedText, {minLength: columns, maxLength: columns}), {
    minLength: ROWS,
    maxLength: ROWS,
  }),
);

test('cells of any text come back from a CSV parser as they were', async () => {
  await holdsLater(
    fc.asyncProperty(table, fc.boolean(), async (rows, bom) => {
      expect(await roundTrip(rows, {escapeFormulas: false, bom})).toEqual(rows);
    }),
    ROWS,
  );
});

test('with formulas escaped no cell begins one, and taking the apostrophe away gives the text', async () => {
  await holdsLater(
    fc.asyncProperty(table, async (rows) => {
      const cells = await roundTrip(rows, {escapeFormulas: true, bom: false});
      for (const cell of cells.flat()) expect(cell).not.toMatch(/^[=+\-@\t\r]/);
      expect(
        cells.map((row, at) =>
          row.map((cell, column) => (cell === rows[at]![column] ? cell : cell.slice(1))),
        ),
      ).toEqual(rows);
    }),
    ROWS,
  );
});
