import {parse} from 'csv-parse/sync';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {renderCsv} from '../../src/render/csv.ts';
import {anyText, holdsLater, near} from './many.ts';

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

/** Cells as spreadsheets may cut them: at a separator outside quotes, which only the beginning of a cell may open. */
function cellsOf(csv: string, separator: string): string[] {
  const cells = [''];
  let quoted = false;
  let fresh = true;
  for (let at = 0; at < csv.length; at += 1) {
    const character = csv[at]!;
    if (quoted && character === '"' && csv[at + 1] === '"') at += 1;
    else if (character === '"' && (quoted || fresh)) {
      quoted = !quoted;
      fresh = false;
      continue;
    } else if (!quoted && (character === separator || character === '\n')) {
      cells.push('');
      fresh = true;
      continue;
    }
    cells[cells.length - 1] += character;
    fresh = false;
  }
  return cells;
}

test.each([',', ';', '\t'])('S16: split at %j, no cell begins a formula', async (separator) => {
  const parts = near(
    '=',
    '+',
    '-',
    '@',
    ';',
    '"',
    "'",
    '\n',
    '\r',
    '\t',
    ' ',
    ',',
    '1',
    'a',
    '\uff1d',
    '\u001b',
  );
  const rows = fc.array(fc.tuple(parts, parts, parts), {minLength: 1, maxLength: 5});
  await holdsLater(
    fc.asyncProperty(rows, async (cells) => {
      let csv = '';
      for await (const chunk of renderCsv(['a', 'b', 'c'], [cells], {escapeFormulas: true, bom: false}))
        csv += chunk;
      expect(csv).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
      for (const cell of cellsOf(csv, separator))
        expect(cell).not.toMatch(/^[\s"]*[=+\-@\uff1d\uff0b\uff0d\uff20]/);
    }),
    ROWS,
  );
});

test('text without formulas and control characters is not changed', async () => {
  const plain = fc
    .array(fc.constantFrom('a', '1', '"', "'", ' ', ',', 'é', '\n', 'a = b'))
    .map((parts) => parts.join('').replace(/^\n/, ''))
    .filter((text) => !text.startsWith('\n'));
  const rows = fc.array(fc.tuple(plain, plain), {minLength: 1, maxLength: 5});
  await holdsLater(
    fc.asyncProperty(rows, async (cells) => {
      expect(await roundTrip(cells, {escapeFormulas: true, bom: false})).toEqual(cells);
    }),
    ROWS,
  );
});
