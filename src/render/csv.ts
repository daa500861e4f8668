export interface CsvOptions {
  /** Puts an apostrophe before cells that a spreadsheet would run as a formula (= + - @, tab, carriage return). */
  escapeFormulas: boolean;
  /** Begins with a byte order mark, so that Excel recognises UTF-8. */
  bom: boolean;
}

/**
 * A header and any number of rows as CSV, in chunks as the rows come. Lines end with a newline; cells are quoted only
 * if necessary (AtoM's own CSV, by PHP's fputcsv, also quotes cells with a space, a tab or a backslash). The header comes
 * with the first rows: if these fail, nothing is written.
 */
export async function* renderCsv(
  header: readonly string[],
  batches: AsyncIterable<string[][]> | Iterable<string[][]>,
  {escapeFormulas, bom}: CsvOptions,
): AsyncIterable<string> {
  const {stringify} = await import('csv-stringify/sync');
  // A row of one empty cell would otherwise be an empty line, which most readers skip.
  const quoted_empty = header.length === 1;
  let head = stringify([[...header]], {bom});
  for await (const rows of batches) {
    if (rows.length === 0) continue;
    const options = {escape_formulas: escapeFormulas, quoted_empty};
    const lines = rows.map((row) => (isPlain(row) ? `${row.join(',')}\n` : stringify([row], options)));
    yield head + lines.join('');
    head = '';
  }
  if (head !== '') yield head;
}

const PLAIN_CELL = /^(?![=+\-@\t\uff1d\uff0b\uff0d\uff20])[^",\r\n]*$/;

/** True if nothing needs quotes or escapes, as in most rows. Joining them takes a fifth of csv-stringify's time. */
function isPlain(row: readonly string[]): boolean {
  return row.length > 1 && row.every((cell) => PLAIN_CELL.test(cell));
}
