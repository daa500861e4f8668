import {Flags} from '@oclif/core';
import {usageError} from '../../errors.ts';
import {validValues} from '../suggest.ts';

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
        throw usageError(`"${wanted}" (--columns) is not a valid column.`, validValues(wanted, known));
      }
      return column;
    });
}
