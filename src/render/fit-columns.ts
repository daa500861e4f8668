import {sanitizeLine} from './sanitize.ts';
import type {Color} from './screen.ts';

export interface Column<Row> {
  header: string;
  /** The cell's text; it is sanitised here. */
  text: (row: Row) => string;
  color?: (row: Row) => Color | undefined;
  align?: 'left' | 'right';
  /** Is cut if the table is wider than the screen, the widest column first. */
  shrinks?: boolean;
  /** A shorter text for a table that is wider than the screen. */
  short?: (row: Row) => string;
  /** Is cut to this width at first, and further only if nothing else can give way. */
  keeps?: number;
  /** Is never cut: there to be copied. If it does not fit beside the others, the line is wider than the screen. */
  whole?: boolean;
  /** Is left out if the table is still too wide, the lowest number first, or before that if it is empty. Infinity: only then. */
  leaves?: number;
}

/** Blanks between two columns. */
export const GAP = 2;
/** Columns that shrink keep at least the first width. If that is not enough, every column shrinks to the second. */
const MIN_SHRUNK_WIDTH = 6;
const MIN_WIDTH = 4;

/** A column with the texts of all rows, without its header, and its widths in columns of the screen. */
export interface FittedColumn<Row> {
  column: Column<Row>;
  texts: readonly string[];
  /** What its widest text needs. */
  natural: number;
  /** What it gets. */
  width: number;
}

export interface Fitting<Row> {
  rows: readonly Row[];
  /** Infinity if everything fits. */
  screenWidth: number;
  widthOf: (text: string) => number;
  /** Columns of the terminal beside the table: it shows the same columns as a table without them, a little narrower. */
  margin?: number;
}

/**
 * The columns that are shown, with widths that fit the screen; `texts` has those of all rows for each column. Where
 * the screen is too narrow, they give way in this order: empty columns that may be left out, short texts, columns that
 * shrink, columns that may be left out, and at last every column that is not whole.
 */
export function fitColumns<Row>(
  columns: readonly Column<Row>[],
  texts: readonly (readonly string[])[],
  fitting: Fitting<Row>,
): FittedColumn<Row>[] {
  const whole = columns.map((column, index) => measured(column, texts[index]!, fitting));
  if (excess(whole, fitting) <= 0) return whole;
  let shown = whole
    .filter(({column, texts}) => column.leaves === undefined || texts.some((text) => text !== ''))
    .map((each) =>
      each.column.short === undefined ? each : shortened(each.column, each.column.short, fitting),
    );
  for (;;) {
    shrink(
      shown,
      fitting,
      ({column, width}) => column.shrinks === true && width > (column.keeps ?? MIN_SHRUNK_WIDTH),
    );
    if (excess(shown, fitting) <= 0) return shown;
    if (excess(shown, fitting) <= (fitting.margin ?? 0)) break;
    const next = nextToLeave(shown);
    if (next === undefined) break;
    shown = shown.filter((each) => each !== next).map((each) => ({...each, width: each.natural}));
  }
  const cut = shown.filter(({column}) => column.whole !== true);
  if (cut.length < shown.length) for (const each of cut) each.width = each.natural;
  shrink(cut, fitting, ({column, width}) => column.shrinks === true && width > MIN_SHRUNK_WIDTH);
  shrink(cut, fitting, ({width}) => width > MIN_WIDTH);
  return shown;
}

function measured<Row>(
  column: Column<Row>,
  texts: readonly string[],
  {widthOf}: Fitting<Row>,
): FittedColumn<Row> {
  const natural = texts.reduce((widest, text) => Math.max(widest, widthOf(text)), column.header.length);
  return {column, texts, natural, width: natural};
}

function shortened<Row>(
  column: Column<Row>,
  short: (row: Row) => string,
  fitting: Fitting<Row>,
): FittedColumn<Row> {
  return measured(
    column,
    fitting.rows.map((row) => sanitizeLine(short(row))),
    fitting,
  );
}

function excess<Row>(columns: readonly FittedColumn<Row>[], {screenWidth}: Fitting<Row>): number {
  return columns.reduce((sum, {width}) => sum + width + GAP, -GAP) - screenWidth;
}

/** Takes from the widest that may shrink, column by column of the screen, until all fit or none may shrink further. */
function shrink<Row>(
  columns: readonly FittedColumn<Row>[],
  fitting: Fitting<Row>,
  mayShrink: (column: FittedColumn<Row>) => boolean,
): void {
  for (const each of columns) if (mayShrink(each)) each.width = Math.min(each.width, fitting.screenWidth);
  for (let over = excess(columns, fitting); over > 0; over -= 1) {
    let widest: FittedColumn<Row> | undefined;
    for (const each of columns) if (mayShrink(each) && each.width > (widest?.width ?? 0)) widest = each;
    if (widest === undefined) return;
    widest.width -= 1;
  }
}

function nextToLeave<Row>(columns: readonly FittedColumn<Row>[]): FittedColumn<Row> | undefined {
  const leaving = columns.filter(({column}) => Number.isFinite(column.leaves));
  return leaving.toSorted((one, other) => one.column.leaves! - other.column.leaves!)[0];
}
