import {sanitizeLine} from './sanitize.ts';
import {paint, type Screen} from './screen.ts';

/** One frame of a watch. It holds the same data rendered three times. */
export interface Frame {
  /** What is watched and how often. */
  title: string;
  /** Wall-clock time of the poll. */
  at: string;
  /** Warnings and errors of the poll. */
  notices: readonly string[];
  /** As shown, on the screen that `bodyScreen` returns. */
  body: string;
  /** Without colour and not cut, for the comparison; as many lines as `body`. */
  plain: string;
  /** `plain` of the frame before; null for the first frame. */
  before: string | null;
}

/** Columns before each line, for the mark of a change. */
const MARGIN = 2;
/** The last column is left free, because terminals differ in how they wrap and erase there. */
const FREE = 1;

/** The screen of a frame's body. */
export function bodyScreen(screen: Screen): Screen {
  const margin = MARGIN + FREE;
  return {...screen, width: Math.max(1, screen.width - margin), margin};
}

/** The frame's lines, marked, cut to the screen's width and to `rows`. */
export async function renderFrame(frame: Frame, screen: Screen, rows: number): Promise<string[]> {
  const {default: stringWidth} = await import('string-width');
  const changed = changedLines(frame.before, frame.plain);
  const body = linesOf(frame.body).map((line, index) => mark(line, changed[index] === true, screen));
  const lines = [
    paint(screen, 'dim', `${frame.title}, ${frame.at}`),
    ...frame.notices.map((text) => paint(screen, 'yellow', `! ${sanitizeLine(text)}`)),
    '',
    ...body,
  ];
  return cutRows(lines, rows).map((line) => cutLine(line, screen.width - FREE, stringWidth));
}

/** One write that replaces the last frame without clearing the screen first, so that nothing flickers. */
export function drawFrame(lines: readonly string[], rows: number): string {
  const text = lines.map((line) => `${line}${ERASE_LINE}`).join('\r\n');
  const rest = lines.length < rows ? `\r\n${ERASE_BELOW}` : '';
  return `${BEGIN_UPDATE}${HOME}${text}${rest}${END_UPDATE}`;
}

const ERASE_LINE = '\u001b[K';
const ERASE_BELOW = '\u001b[J';
const HOME = '\u001b[H';
/** Terminals with synchronised updates show the frame at once; others ignore this. */
const BEGIN_UPDATE = '\u001b[?2026h';
const END_UPDATE = '\u001b[?2026l';

/**
 * For each line, whether it is new or changed. Lines may move and columns may grow; a duration that counts up is not a
 * change.
 */
export function changedLines(before: string | null, now: string): boolean[] {
  if (before === null) return [];
  const known = new Set(linesOf(before).map(normalized));
  return linesOf(now).map((line) => !known.has(normalized(line)));
}

function normalized(line: string): string {
  return line.replace(/\b\d+[dhms]( \d+[hms])?(?!\w)/g, '#').replace(/\s+/g, ' ');
}

function linesOf(text: string): string[] {
  return text.replace(/\n$/, '').split('\n');
}

function mark(line: string, changed: boolean, screen: Screen): string {
  return changed && line !== ''
    ? `${paint(screen, 'bold', '*')} ${paint(screen, 'bold', line)}`
    : `  ${line}`;
}

function cutRows(lines: readonly string[], rows: number): readonly string[] {
  if (lines.length <= rows) return lines;
  const shown = Math.max(0, rows - 1);
  return [...lines.slice(0, shown), `  … ${lines.length - shown} more lines`];
}

/** Cuts a line to a width in columns. Colours and wide characters are kept intact. */
export function cutLine(line: string, width: number, widthOf: (text: string) => number): string {
  if (widthOf(line) <= width) return line;
  let left = Math.max(0, width - 1);
  let cut = '';
  let full = false;
  for (const piece of line.split(/(\u001b\[[\d;]*m)/)) {
    if (piece.startsWith('\u001b[')) {
      cut += piece;
      continue;
    }
    for (const {segment} of new Intl.Segmenter().segment(piece)) {
      left -= widthOf(segment);
      if (left < 0 && !full) cut += '…';
      full ||= left < 0;
      if (!full) cut += segment;
    }
  }
  return cut;
}
