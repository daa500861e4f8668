import {isPlain, sanitizeBlock} from './sanitize.ts';

export interface CsvOptions {
  /** Makes cells harmless for the spreadsheet or terminal that shows them: see harmlessCell. */
  escapeFormulas: boolean;
  /** Begins with a byte order mark, so that Excel recognises UTF-8. */
  bom: boolean;
  /** Whether the first line has the names of the columns; it has unless this is false. */
  header?: boolean;
}

/**
 * A header and any number of rows as CSV, in chunks as the rows come. Lines end with a newline; cells are quoted only
 * if necessary (AtoM's own CSV, by PHP's fputcsv, also quotes cells with a space, a tab or a backslash). The header comes
 * with the first rows: if these fail, nothing is written.
 */
export async function* renderCsv(
  header: readonly string[],
  batches: AsyncIterable<string[][]> | Iterable<string[][]>,
  {escapeFormulas, bom, header: hasHeader = true}: CsvOptions,
): AsyncIterable<string> {
  const {stringify} = await import('csv-stringify/sync');
  // A row of one empty cell would otherwise be an empty line, which most readers skip.
  const quoted_empty = header.length === 1;
  let head = hasHeader ? stringify([[...header]], {bom}) : '';
  for await (const rows of batches) {
    if (rows.length === 0) continue;
    const cells = escapeFormulas ? rows.map((row) => row.map(harmlessCell)) : rows;
    const lines = cells.map((row) =>
      needsNoQuotes(row) ? `${row.join(',')}\n` : stringify([row], {quoted_empty}),
    );
    yield head + lines.join('');
    head = '';
  }
  if (head !== '') yield head;
}

/**
 * What a spreadsheet takes for a formula at the beginning of a cell, after spaces and quotes. A spreadsheet that splits at
 * semicolons or tabs knows no quotes in the middle of a line: there a cell may begin after each of them, and after a line
 * break.
 */
const FORMULA = /(^|[;\t\n])([ \u00a0"']*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])/g;

/** Of printable ASCII; most cells have none of it, and there may be millions. */
const MAY_BEGIN_FORMULA = /^[ "'=+\-@]|;/;

/**
 * A cell that no spreadsheet runs as a formula, whether it splits at commas, semicolons or tabs: with an apostrophe
 * before what it would run. Control characters become visible escapes, but for tabs and line breaks.
 */
export function harmlessCell(cell: string): string {
  if (isPlain(cell) && !MAY_BEGIN_FORMULA.test(cell)) return cell;
  const text = isPlain(cell) ? cell : sanitizeBlock(cell);
  return text.replace(/^[\t\n]/, "'$&").replace(FORMULA, "$1$2'");
}

const PLAIN_CELL = /^[^",\r\n]*$/;

/** True for most rows. Joining them takes a fifth of csv-stringify's time. */
function needsNoQuotes(row: readonly string[]): boolean {
  return row.length > 1 && row.every((cell) => PLAIN_CELL.test(cell));
}
