import type {Command} from '@oclif/core';
import type {Term} from '../../render/help/terms.ts';

type Flag = Command.Flag.Cached;

/** A flag's own group comes with its command; these come with every command that has them, and have the same texts. */
export const FILTER_GROUP = 'FILTER';
export const COMMON_GROUPS: readonly string[] = ['SITE', 'GLOBAL'];

const MOST_VALUES = 6;

/** `-o, --output FILE`, or the values themselves if they are few. */
export function flagTerm(flag: Flag): string {
  const letter = flag.char === undefined ? '' : `-${flag.char}, `;
  if (flag.type === 'boolean') return `${letter}--${flag.name}`;
  if (flag.helpLabel !== undefined) return `${flag.helpLabel.trim()}${flag.helpValue}`.replace('[', '[=');
  const {options = []} = flag;
  const few = options.length > 0 && options.length <= MOST_VALUES;
  return `${letter}--${flag.name} ${few ? options.join('|') : flag.helpValue}`;
}

/** What the flag does, its default, and the variable that stands for it. */
export function flagMeaning(flag: Flag): string {
  const {summary = flag.description ?? '', env} = flag;
  const value = flag.type === 'boolean' || !flag.default ? null : `default: ${flag.default}`;
  const notes = [value, env === undefined ? null : `env: ${env}`].filter((note) => note !== null);
  return notes.length === 0 ? summary : `${summary} [${notes.join(', ')}]`;
}

/** The flags as terms; those without a letter are aligned with those that have one. */
export function alignedTerms(flags: readonly Flag[]): Term[] {
  const indent = flags.some(({char}) => char !== undefined) ? '    ' : '';
  return flags.map((flag) => ({
    term: flag.char === undefined ? `${indent}${flagTerm(flag)}` : flagTerm(flag),
    meaning: flagMeaning(flag),
  }));
}

/** A command's flags that help shows. */
export function shownFlags({flags}: Command.Loadable): Flag[] {
  return Object.values(flags).filter(({hidden}) => !hidden);
}

/** A command's usage and examples, with the program's name and the command's own. */
export function usageAndExamples(
  {id, usage, examples = []}: Command.Loadable,
  bin: string,
): {usage: string; examples: Term[]} {
  const filled = (text: string) =>
    text.replaceAll('<%= config.bin %>', bin).replaceAll('<%= command.id %>', id);
  return {
    usage: filled(typeof usage === 'string' ? usage : '<%= command.id %>'),
    examples: examples.map((example) =>
      typeof example === 'string'
        ? {term: filled(example), meaning: ''}
        : {term: filled(example.command), meaning: example.description},
    ),
  };
}

/** The paragraphs of a command's description. */
export function paragraphsOf({description = ''}: Command.Loadable): string[] {
  return description.split('\n\n').map((paragraph) => paragraph.replaceAll('\n', ' '));
}
