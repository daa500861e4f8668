import {Flags} from '@oclif/core';
import {usageError} from '../../errors.ts';
import {type JobSort, SORT_KEYS} from '../../jobs/model/list.ts';
import {JOB_COLUMN_NAMES} from '../../render/jobs/columns.ts';
import {wholeNumber} from './shared-flags.ts';

/** Which page of a listing, and in which order. */
export const pageFlags = {
  limit: Flags.custom<number>({
    summary: 'At most this many jobs.',
    helpValue: 'N',
    default: 50,
    parse: wholeNumber(1, 'number of jobs'),
    exclusive: ['all'],
  })(),
  offset: Flags.custom<number>({
    summary: 'Leave out the first N.',
    helpValue: 'N',
    default: 0,
    parse: wholeNumber(0, 'number of jobs'),
  })(),
  all: Flags.boolean({summary: 'All jobs, no page.'}),
  sort: Flags.string({
    summary: `Sort by ${SORT_KEYS.join('|')}, with - for descending; ties by id.`,
    helpValue: 'KEY',
    default: '-id',
  }),
};

/** Reads `name` or `-name`. @throws AtomctlError USAGE naming the sort keys */
export function parseSort(text: string): JobSort {
  const descending = text.startsWith('-');
  const key = SORT_KEYS.find((name) => name === text.slice(descending ? 1 : 0));
  if (key === undefined) {
    throw usageError(
      `"${text}" (--sort) is nothing to sort by.`,
      `Sort by one of ${SORT_KEYS.join(', ')}, with - for descending.`,
    );
  }
  return {key, descending};
}

/** Reads a comma-separated list of columns of `known`. @throws AtomctlError USAGE naming the columns */
export function parseColumns<Column extends string>(text: string, known: readonly Column[]): Column[] {
  return text.split(',').map((wanted) => {
    const column = known.find((name) => name === wanted.trim());
    if (column === undefined)
      throw usageError(`"${wanted}" (--columns) is no column.`, `Choose from ${known.join(',')}.`);
    return column;
  });
}

/** The flag that `parseColumns` reads. */
export function columnsFlag(known: readonly string[]) {
  return Flags.string({summary: `Which columns, in which order: ${known.join(',')}.`, helpValue: 'A,B,C'});
}

/** How a listing of jobs is shown. */
export const listFlags = {
  columns: columnsFlag(JOB_COLUMN_NAMES),
  csv: Flags.boolean({summary: 'Print CSV, with the columns of the table.', exclusive: ['json']}),
  'no-truncate': Flags.boolean({summary: 'Cut nothing, even where the terminal is too narrow.'}),
  'no-live': Flags.boolean({
    summary: 'Do not ask Gearman for the live state.',
    exclusive: ['live', 'probe'],
  }),
  probe: Flags.boolean({
    summary:
      'Look at the payloads of the queued jobs too, which settles every state. Hands all back in order.',
  }),
};
