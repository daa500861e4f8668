import {stripVTControlCharacters} from 'node:util';
import {sanitizeLine} from './sanitize.ts';
import {type Color, paint, type Screen} from './screen.ts';

export interface Column<Row> {
  header: string;
  /** The cell's text; it is sanitised here. */
  text: (row: Row) => string;
  color?: (row: Row) => Color | undefined;
  align?: 'left' | 'right';
  /** Gives way, in proportion, where the table is wider than the screen. */
  shrinks?: boolean;
}

const GAP = 2;
/** Columns that shrink keep this much; where that is not enough, every column gives way down to the second. */
const NARROWEST = 6;
const NARROWEST_OF_ALL = 4;

/** Widths that fit the screen, the widest columns giving way first. */
function fitWidths(natural: readonly number[], shrinks: readonly boolean[], screenWidth: number): number[] {
  const widths = [...natural];
  let excess = widths.reduce((sum, width) => sum + width + GAP, -GAP) - screenWidth;
  while (excess > 0) {
    let at = widest(widths, (width, index) => shrinks[index]! && width > NARROWEST);
    if (at === -1) at = widest(widths, (width) => width > NARROWEST_OF_ALL);
    if (at === -1) break;
    widths[at]! -= 1;
    excess -= 1;
  }
  return widths;
}

function widest(widths: readonly number[], mayShrink: (width: number, index: number) => boolean): number {
  return widths.reduce((best, width, index) => {
    if (!mayShrink(width, index)) return best;
    return best === -1 || width > widths[best]! ? index : best;
  }, -1);
}

/**
 * A table without rules, one line a row. Fits a terminal's width by cutting (`…`) the columns that may shrink;
 * where the width is not bounded nothing is cut.
 */
export async function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  screen: Screen,
): Promise<string> {
  const cells = rows.map((row) => columns.map((column) => sanitizeLine(column.text(row))));
  const widthOf = await widthOfTexts(cells.flat());
  const natural = columns.map(({header}, index) =>
    cells.reduce((widest, line) => Math.max(widest, widthOf(line[index]!)), header.length),
  );
  const shrinks = columns.map((column) => column.shrinks === true);
  const widths = fitWidths(natural, shrinks, screen.width);

  const painted = (line: string[], row: Row) =>
    line.map((text, at) => {
      const color = columns[at]!.color?.(row);
      return color === undefined ? text : paint(screen, color, text);
    });
  const lines = [
    columns.map(({header}) => paint(screen, 'bold', header)),
    ...(screen.color ? cells.map((line, index) => painted(line, rows[index]!)) : cells),
  ];
  const fits = widths.every((width, index) => width === natural[index]);
  const layOut = fits ? padCells : await cutCells();
  return layOut(lines, {widths, aligns: columns.map(({align}) => align ?? 'left'), widthOf})
    .map((line) => `${withoutTrailingBlanks(line)}\n`)
    .join('');
}

/** A regular expression would try each run of blanks in turn, and a wide table is full of them. */
function withoutTrailingBlanks(line: string): string {
  let end = line.length;
  while (line[end - 1] === ' ') end -= 1;
  return line.slice(0, end);
}

interface Layout {
  widths: readonly number[];
  aligns: readonly ('left' | 'right')[];
  widthOf: (text: string) => number;
}

/** Each line as one text. */
type LayOut = (lines: readonly (readonly string[])[], layout: Layout) => string[];

/** Where every text fits, as in a pipe, padding is all it takes; ten thousand jobs take no longer than their query. */
const padCells: LayOut = (lines, {widths, aligns, widthOf}) => {
  const pad = (text: string, index: number) => {
    const blanks = ' '.repeat(widths[index]! - widthOf(unpainted(text)));
    return aligns[index] === 'right' ? blanks + text : text + blanks;
  };
  const gap = ' '.repeat(GAP);
  return lines.map((line) => line.map(pad).join(gap));
};

/** After sanitising, the only escapes are those of our own paint. */
function unpainted(text: string): string {
  return text.includes('\u001b') ? stripVTControlCharacters(text) : text;
}

/** cli-table3 lays out a whole table at once, in more than linear time: long ones are given to it in parts. */
const ROWS_AT_ONCE = 200;
const RULES =
  'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle';
const NO_RULES = Object.fromEntries(RULES.split(' ').map((rule) => [rule, '']));

/** Where texts have to be cut, cli-table3 does it, colours and wide characters in mind. */
async function cutCells(): Promise<LayOut> {
  const {default: Table} = await import('cli-table3');
  return (lines, {widths, aligns}) => {
    const parts: string[] = [];
    for (let start = 0; start < lines.length; start += ROWS_AT_ONCE) {
      const table = new Table({
        chars: NO_RULES,
        colWidths: widths.map((width) => width + GAP),
        colAligns: [...aligns],
        style: {head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': GAP},
        truncate: '…',
      });
      table.push(...lines.slice(start, start + ROWS_AT_ONCE).map((line) => [...line]));
      parts.push(table.toString());
    }
    // cli-table3 cuts between the halves of a surrogate pair.
    return parts.join('\n').toWellFormed().split('\n');
  };
}

/** How many columns of the screen each of these texts takes. Unicode's tables are loaded only where one needs them. */
async function widthOfTexts(texts: readonly string[]): Promise<(text: string) => number> {
  if (texts.every((text) => /^[ -~]*$/.test(text))) return (text) => text.length;
  return (await import('string-width')).default;
}
