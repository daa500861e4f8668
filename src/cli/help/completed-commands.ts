import type {Command} from '@oclif/core';
import {JOB_CLASSES} from '../../atom/job-classes.ts';
import {HISTORY_COLUMN_NAMES} from '../../jobs/export/columns.ts';
import {SORT_KEYS} from '../../jobs/model/list.ts';
import {JOB_COLUMN_NAMES} from '../../render/jobs/columns.ts';
import {SITE_FLAGS} from '../context.ts';

/** The possible values of a flag or an argument. */
export type Values =
  | {kind: 'words'; words: readonly string[]}
  /** Any number of the words, separated by commas. */
  | {kind: 'list'; words: readonly string[]}
  | {kind: 'files' | 'directories' | 'jobs' | 'sites' | 'any'};

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
  flags: readonly CompletedFlag[];
}

/** The manifest's commands, without the hidden ones. */
export function completedCommands(commands: readonly Command.Loadable[]): CompletedCommand[] {
  const shown = commands.filter(({hidden}) => !hidden);
  const ids = shown.map(({id}) => id);
  return shown.map(({id, summary, args, flags}) => ({
    id,
    summary: summary ?? '',
    argument: argumentValues(Object.values(args)[0], ids),
    flags: Object.values(flags)
      .filter(({hidden}) => !hidden)
      .map((flag) => completedFlag(id, flag)),
  }));
}

function argumentValues(arg: Command.Arg.Cached | undefined, ids: readonly string[]): Values | null {
  if (arg === undefined) return null;
  if (arg.options !== undefined) return {kind: 'words', words: arg.options};
  if (arg.name === 'id') return {kind: 'jobs'};
  return {kind: 'words', words: ids};
}

function completedFlag(id: string, flag: Command.Flag.Cached): CompletedFlag {
  const {name, char, summary = flag.description ?? ''} = flag;
  const repeatable = flag.type === 'option' && flag.multiple === true;
  return {name, char, summary, repeatable, values: flagValues(id, flag)};
}

function flagValues(id: string, flag: Command.Flag.Cached): Values | null {
  if (flag.type === 'boolean') return null;
  const kind = flag.delimiter === undefined ? 'words' : 'list';
  if (flag.options !== undefined) return {kind, words: flag.options};
  if (flag.helpValue === 'CLASS' || flag.helpValue === 'CLASS,...') return {kind, words: CLASSES};
  return (
    VALUES_BY_FLAG[`${id} ${flag.name}`] ??
    VALUES_BY_FLAG[flag.name] ??
    VALUES_BY_HELP[flag.helpValue as string] ?? {kind: 'any'}
  );
}

const CLASSES = Object.keys(JOB_CLASSES);
const STORED_NAMES = Object.values(JOB_CLASSES).flatMap(({storedAs}) => storedAs ?? []);

const VALUES_BY_FLAG: Readonly<Record<string, Values>> = {
  site: {kind: 'sites'},
  id: {kind: 'jobs'},
  job: {kind: 'jobs'},
  sort: {kind: 'words', words: SORT_KEYS.flatMap((key) => [key, `-${key}`])},
  'jobs:list columns': {kind: 'list', words: JOB_COLUMN_NAMES},
  'jobs:export-csv columns': {kind: 'list', words: HISTORY_COLUMN_NAMES},
};

/** By the placeholder that help shows for the value. */
const VALUES_BY_HELP: Readonly<Record<string, Values>> = {
  FILE: {kind: 'files'},
  PATH: {kind: 'files'},
  DIR: {kind: 'directories'},
  PATTERN: {kind: 'words', words: [...CLASSES, ...new Set(STORED_NAMES)]},
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
