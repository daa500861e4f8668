import {Flags} from '@oclif/core';
import {usageError} from '../../errors.ts';

/** `--columns`, which `parseColumns` reads. */
export function columnsFlag(known: readonly string[]) {
  return Flags.string({summary: `Which columns, in which order: ${known.join(',')}.`, helpValue: 'A,B,C'});
}

/** Reads a comma-separated list of columns of `known`. @throws AtomctlError USAGE naming the columns */
export function parseColumns<Column extends string>(text: string, known: readonly Column[]): Column[] {
  return text.split(',').map((wanted) => {
    const column = known.find((name) => name === wanted.trim());
    if (column === undefined)
      throw usageError(`Unknown column "${wanted}" (--columns).`, `Choose from ${known.join(',')}.`);
    return column;
  });
}
