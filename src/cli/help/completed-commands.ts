import type {Command} from '@oclif/core';
import {JOB_CLASSES} from '../../atom/job-classes.ts';
import {HISTORY_COLUMN_NAMES} from '../../jobs/export/columns.ts';
import {SORT_KEYS} from '../../jobs/model/list.ts';
import {JOB_COLUMN_NAMES} from '../../render/jobs/columns.ts';
import {SITE_FLAGS} from '../context.ts';

/** The possible values of a flag or an argument; of a list, any number of them, separated by commas. */
export type Values =
  | {kind: 'words'; words: readonly string[]; list: boolean}
  | {kind: 'asked'; values: AskedValues; list: boolean}
  | {kind: 'files'}
  | {kind: 'directories'}
  | {kind: 'any'};

/** Values that a site, its configuration or the host has. `jobs`: those that the command can act on. */
export type AskedValues = 'jobs' | 'names' | 'sites' | 'units' | 'users' | 'zones';

export interface CompletedFlag {
  name: string;
  char?: string;
  summary: string;
  repeatable: boolean;
  /** null for a flag that takes no value. */
  values: Values | null;
}

/** What completion knows of a command. */
export interface CompletedCommand {
  id: string;
  summary: string;
  /** null if it takes no argument. */
  argument: Values | null;
  manyArguments: boolean;
  flags: readonly CompletedFlag[];
}

/**
 * The manifest's commands, without the hidden ones.
 * @param subjects what `help` takes beside commands
 */
export function completedCommands(
  commands: readonly Command.Loadable[],
  subjects: readonly string[],
): CompletedCommand[] {
  const shown = commands.filter(({hidden}) => !hidden);
  const ids = shown.map(({id}) => id);
  return shown.map(({id, summary, args, flags}) => {
    const [arg] = Object.values(args);
    return {
      id,
      summary: summary ?? '',
      argument: argumentValues(arg, [...subjects, ...ids]),
      manyArguments: arg?.multiple === true,
      flags: Object.values(flags)
        .filter(({hidden}) => !hidden)
        .map((flag) => completedFlag(id, flag)),
    };
  });
}

function argumentValues(arg: Command.Arg.Cached | undefined, subjects: readonly string[]): Values | null {
  if (arg === undefined) return null;
  if (arg.options !== undefined) return {kind: 'words', words: arg.options, list: false};
  if (arg.name === 'id') return {kind: 'asked', values: 'jobs', list: false};
  if (arg.name === 'file') return {kind: 'files'};
  return arg.name === 'command' ? {kind: 'words', words: subjects, list: false} : {kind: 'any'};
}

function completedFlag(id: string, flag: Command.Flag.Cached): CompletedFlag {
  const {name, char, summary = flag.description ?? ''} = flag;
  const repeatable = flag.type === 'option' && flag.multiple === true;
  return {name, char, summary, repeatable, values: flagValues(id, flag)};
}

function flagValues(id: string, flag: Command.Flag.Cached): Values | null {
  // The value of --watch is optional, and only after a "=".
  if (flag.type === 'boolean' || flag.helpLabel?.includes('[')) return null;
  const list = flag.multiple === true;
  const words = flag.options ?? WORDS[`${id} ${flag.name}`] ?? WORDS[flag.name] ?? WORDS[`${flag.helpValue}`];
  if (words !== undefined) return {kind: 'words', words, list};
  const values = ASKED[`${flag.helpGroup ?? ''} ${flag.name}`.trim()];
  if (values !== undefined) return {kind: 'asked', values, list};
  return {kind: FILES[`${flag.helpValue}`] ?? 'any'};
}

const CLASSES = Object.keys(JOB_CLASSES);

/** By command and flag, by flag, or by the placeholder that help shows for the value. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  CLASS: CLASSES,
  'CLASS,...': CLASSES,
  WHEN: ['today', 'yesterday', 'now'],
  sort: SORT_KEYS.flatMap((key) => [key, `-${key}`]),
  'jobs:list columns': JOB_COLUMN_NAMES,
  'jobs:export-csv columns': HISTORY_COLUMN_NAMES,
};

/** By the flag and its group: --name of worker:unit is not a job's. */
const ASKED: Readonly<Record<string, AskedValues>> = {
  job: 'jobs',
  'FILTER id': 'jobs',
  'FILTER name': 'names',
  'FILTER user': 'users',
  'SITE site': 'sites',
  'SITE timezone': 'zones',
  'UNIT unit': 'units',
};

const FILES: Readonly<Record<string, 'files' | 'directories'>> = {
  FILE: 'files',
  PATH: 'files',
  DIR: 'directories',
};

/** The flags of a command line that describe the site, with their values. */
export function siteFlagWords(words: readonly string[]): string[] {
  const spellings = Object.keys(SITE_FLAGS).map((name) => `--${name}`);
  return words.flatMap((word, index) => {
    const value = words[index + 1];
    if (spellings.includes(word)) return value === undefined ? [] : [`${word}=${value}`];
    return spellings.some((spelling) => word.startsWith(`${spelling}=`)) ? [word] : [];
  });
}
