import {sanitizeLine} from './sanitize.ts';
import {paint, type Screen} from './screen.ts';

/** What a frame of a watch shows, the same thing rendered three times. */
export interface Frame {
  /** What is watched and how often. */
  title: string;
  /** Wall-clock time of the look. */
  at: string;
  /** What the look had to complain about. */
  notices: readonly string[];
  /** As it is to be seen, at the width that `bodyWidth` leaves. */
  body: string;
  /** Without colour and not cut, to compare; as many lines as `body`. */
  plain: string;
  /** As `plain` was the last time; null the first time. */
  before: string | null;
}

/** Before each line, for the mark of what changed. */
const MARGIN = 2;
/** A column left free: in the last one, terminals differ on when they wrap and what they erase. */
const FREE = 1;

/** The width that a frame leaves for what is watched. */
export function bodyWidth(columns: number): number {
  return Math.max(1, columns - MARGIN - FREE);
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

/** One write that puts the lines in the place of the last frame's, without a moment in which the screen is empty. */
export function drawFrame(lines: readonly string[], rows: number): string {
  const text = lines.map((line) => `${line}${ERASE_LINE}`).join('\r\n');
  const rest = lines.length < rows ? `\r\n${ERASE_BELOW}` : '';
  return `${BEGIN_UPDATE}${HOME}${text}${rest}${END_UPDATE}`;
}

const ERASE_LINE = '\u001b[K';
const ERASE_BELOW = '\u001b[J';
const HOME = '\u001b[H';
/** Terminals that know synchronised updates show a frame at once; others take no notice. */
const BEGIN_UPDATE = '\u001b[?2026h';
const END_UPDATE = '\u001b[?2026l';

/**
 * For each line, whether nothing like it was there before. Lines may move and columns may grow; a duration that
 * counts up by itself is no change.
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

/** Cut to a width in columns, colours and wide characters kept whole. */
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
