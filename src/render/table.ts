import {stripVTControlCharacters} from 'node:util';
import {type Column, fitColumns, GAP} from './fit-columns.ts';
import {isPlain, sanitizeLine} from './sanitize.ts';
import {type Color, paint, type Screen} from './screen.ts';

export type {Column} from './fit-columns.ts';

/** A table without rules, one line per row: see fitTable. */
export async function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  screen: Screen,
): Promise<string> {
  return (await fitTable(columns, rows, screen)).table;
}

/**
 * A table that fits the screen's width by cutting (`…`) the columns that may shrink, and the headers of those columns with a
 * text that had to be left out. Long tables are laid out column by column, which takes half the time.
 */
export async function fitTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  screen: Screen,
): Promise<{table: string; leftOut: string[]}> {
  const texts = columns.map(({text}) => rows.map((row) => sanitizeLine(text(row))));
  const widthOf = await widthOfTexts(texts);
  const shown = fitColumns(columns, texts, {
    rows,
    screenWidth: screen.width,
    widthOf,
    margin: screen.margin ?? 0,
  });
  const painted = shown.map(({column: {header, color}, texts}) => [
    paint(screen, 'bold', header),
    ...(screen.color && color ? texts.map((text, at) => paintWith(color(rows[at]!), text)) : texts),
  ]);
  const fits = shown.every(({width, natural}) => width === natural);
  const layOut = fits ? padCells : await cutCells();
  const aligns = shown.map(({column}) => column.align ?? 'left');
  const table = layOut(painted, {widths: shown.map(({width}) => width), aligns, widthOf});
  const kept = new Set(shown.map(({column}) => column));
  const leftOut = columns.filter((column, at) => !kept.has(column) && texts[at]!.some((text) => text !== ''));
  return {table, leftOut: leftOut.map(({header}) => header)};

  function paintWith(color: Color | undefined, text: string): string {
    return color === undefined ? text : paint(screen, color, text);
  }
}

interface Layout {
  widths: readonly number[];
  aligns: readonly ('left' | 'right')[];
  widthOf: (text: string) => number;
}

/** The lines of a table that is given by its columns, each line with its end and no blanks before it. */
type LayOut = (columns: readonly (readonly string[])[], layout: Layout) => string;

/**
 * Where every text fits, as in a pipe, padding is all it takes; ten thousand jobs take no longer than their query.
 * From the last column to the first, since behind the last text of a line there are to be no blanks.
 */
const padCells: LayOut = (columns, {widths, aligns, widthOf}) => {
  const longestRun = ' '.repeat(Math.max(0, ...widths) + GAP);
  const blanks = (count: number) => longestRun.slice(0, count);
  const empty = (columns[0] ?? []).map(() => '');
  const lines = columns.reduceRight<readonly string[]>((rests, texts, index) => {
    const missing = (text: string) => widths[index]! - widthOf(unpainted(text));
    const isLeft = aligns[index] !== 'right';
    return texts.map((text, at) => {
      const rest = rests[at]!;
      if (rest === '' && isLeft) return withoutTrailingBlanks(text);
      if (isLeft) return text + blanks(missing(text) + GAP) + rest;
      const moved = blanks(missing(text)) + text;
      return rest === '' ? withoutTrailingBlanks(moved) : moved + blanks(GAP) + rest;
    });
  }, empty);
  return `${lines.join('\n')}\n`;
};

/** Removes colours. After sanitising, no other escapes are left. */
function unpainted(text: string): string {
  return text.includes('\u001b') ? stripVTControlCharacters(text) : text;
}

/** Long tables are passed to cli-table3 in parts, because it needs more than linear time. */
const ROWS_AT_ONCE = 200;
const RULES =
  'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle';
const NO_RULES = Object.fromEntries(RULES.split(' ').map((rule) => [rule, '']));

/** Cuts cells with cli-table3, which handles colours and wide characters. */
async function cutCells(): Promise<LayOut> {
  const {default: Table} = await import('cli-table3');
  return (columns, {widths, aligns}) => {
    const lines = (columns[0] ?? []).map((_, at) => columns.map((texts) => texts[at]!));
    const parts: string[] = [];
    for (let start = 0; start < lines.length; start += ROWS_AT_ONCE) {
      const table = new Table({
        chars: NO_RULES,
        colWidths: widths.map((width) => width + GAP),
        colAligns: [...aligns],
        style: {head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': GAP},
        truncate: '…',
      });
      table.push(...lines.slice(start, start + ROWS_AT_ONCE));
      parts.push(table.toString());
    }
    // cli-table3 cuts between the halves of a surrogate pair.
    const text = parts.join('\n').toWellFormed();
    return `${text.split('\n').map(withoutTrailingBlanks).join('\n')}\n`;
  };
}

/** A regular expression is slow here: it tries every run of blanks, and a wide table is full of them. */
function withoutTrailingBlanks(line: string): string {
  let end = line.length;
  while (line[end - 1] === ' ') end -= 1;
  return line.slice(0, end);
}

/** Returns a function for the width of these texts in columns. Unicode's tables are loaded only if one needs them. */
async function widthOfTexts(columns: readonly (readonly string[])[]): Promise<(text: string) => number> {
  if (columns.every((texts) => texts.every(isPlain))) return (text) => text.length;
  return (await import('string-width')).default;
}
