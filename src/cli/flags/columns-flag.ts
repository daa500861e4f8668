import {Flags} from '@oclif/core';
import {usageError} from '../../errors.ts';
import {didYouMean} from '../suggest.ts';

/** `--columns`, which `parseColumns` reads. */
export function columnsFlag(known: readonly string[]) {
  return Flags.string({
    summary: `The columns to show, in this order: ${known.join(', ')}.`,
    helpValue: 'A,B,C',
    multiple: true,
    multipleNonGreedy: true,
  });
}

/** Reads comma-separated lists of columns of `known`. @throws AtomctlError USAGE naming the columns */
export function parseColumns<Column extends string>(
  texts: readonly string[],
  known: readonly Column[],
): Column[] {
  return texts
    .join(',')
    .split(',')
    .map((wanted) => {
      const column = known.find((name) => name === wanted.trim());
      if (column === undefined) {
        const hint = `${didYouMean(wanted, known)}Known columns: ${known.join(', ')}.`;
        throw usageError(`Unknown column "${wanted}" (--columns).`, hint);
      }
      return column;
    });
}
