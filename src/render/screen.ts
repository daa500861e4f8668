import {styleText} from 'node:util';

/** The properties of the output that renderers need. They get it as an argument, so that they are pure functions. */
export interface Screen {
  isTTY: boolean;
  /** In columns; Infinity if nothing is cut. */
  width: number;
  color: boolean;
  /** Columns of the terminal beside this screen, for example for a mark before each line. */
  margin?: number;
}

export type Color = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold';

/** The text in a colour if the screen has colours, otherwise unchanged. */
export function paint(screen: Screen, color: Color, text: string): string {
  return screen.color && text !== '' ? styleText(color, text, {validateStream: false}) : text;
}

/** The columns of a terminal; Infinity if the stream goes elsewhere. */
export function widthOf(stream: {isTTY?: boolean; columns?: number}): number {
  return stream.isTTY === true ? stream.columns || 80 : Number.POSITIVE_INFINITY;
}

/** The screen behind a stream, by its size, the flag and the NO_COLOR and FORCE_COLOR conventions. */
export function screenOf(
  stream: {isTTY?: boolean; columns?: number},
  options: {noColor: boolean; env: Readonly<Record<string, string | undefined>>},
): Screen {
  const isTTY = stream.isTTY === true;
  const {NO_COLOR, FORCE_COLOR, TERM} = options.env;
  const forced = FORCE_COLOR !== undefined && FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  const refused = options.noColor || Boolean(NO_COLOR) || FORCE_COLOR === '0' || FORCE_COLOR === 'false';
  return {
    isTTY,
    width: widthOf(stream),
    color: !refused && (forced || (isTTY && TERM !== 'dumb')),
  };
}
