import {styleText} from 'node:util';

/** Where text will be shown. Handed to every renderer, so that rendering is a pure function. */
export interface Screen {
  isTTY: boolean;
  /** Columns; Infinity where nothing is to be cut. */
  width: number;
  color: boolean;
}

export type Color = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold';

/** The text in a colour where the screen has colours, otherwise as it is. */
export function paint(screen: Screen, color: Color, text: string): string {
  return screen.color && text !== '' ? styleText(color, text, {validateStream: false}) : text;
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
    width: isTTY ? stream.columns || 80 : Number.POSITIVE_INFINITY,
    color: !refused && (forced || (isTTY && TERM !== 'dumb')),
  };
}
