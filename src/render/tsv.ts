import {harmlessCell} from './csv.ts';
import {sanitizeLine} from './sanitize.ts';

/**
 * A header and rows with tabs between the cells, in chunks as the rows come. Nothing is quoted: a tab or line break in a cell is a
 * space. No cell begins a formula for a spreadsheet.
 */
export async function* renderTsv(
  names: readonly string[],
  batches: AsyncIterable<string[][]>,
  {header}: {header: boolean},
): AsyncIterable<string> {
  let head = header ? `${names.join('\t')}\n` : '';
  for await (const rows of batches) {
    if (rows.length === 0) continue;
    const lines = rows.map((row) => `${row.map((cell) => harmlessCell(sanitizeLine(cell))).join('\t')}\n`);
    yield head + lines.join('');
    head = '';
  }
  if (head !== '') yield head;
}
