import {Flags} from '@oclif/core';
import {usageError} from '../../errors.ts';
import type {WorkerChoices} from '../../worker/unit-file.ts';
import {wholeNumber} from '../flags/shared-flags.ts';

/** What jobs:worker can be told, under the names that it gives it. */
export const workerChoiceFlags = {
  abilities: namesFlag('Do only these job classes.', 'CLASS,...'),
  types: namesFlag('Do only the job classes of these worker types of gearman.yml.', 'TYPE,...'),
  'max-job-count': limitFlag('End after this many jobs, with exit status 111.'),
  'max-mem-usage': limitFlag('End, with exit status 111, when PHP uses more memory than this.'),
};

export interface WorkerChoiceFlags {
  abilities?: string;
  types?: string;
  'max-job-count'?: number;
  'max-mem-usage'?: number;
}

export function workerChoices(flags: WorkerChoiceFlags): WorkerChoices {
  const {abilities, types, 'max-job-count': maxJobCount, 'max-mem-usage': maxMemUsage} = flags;
  return {abilities, types, maxJobCount, maxMemUsage};
}

function namesFlag(summary: string, helpValue: string) {
  return Flags.custom<string>({
    summary,
    helpValue,
    parse: async (text) => {
      if (/^\w+(,\w+)*$/.test(text)) return text;
      throw usageError(`"${text}" is no list of names.`, 'Give names separated by commas, without spaces.');
    },
  })();
}

function limitFlag(summary: string) {
  return Flags.custom<number>({summary, helpValue: 'N', parse: wholeNumber(1, 'limit')})();
}
