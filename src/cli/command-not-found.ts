import type {Command} from '@oclif/core';
import {AtomctlError, EXIT} from '../errors.ts';
import {renderError, renderErrorDocument} from '../render/error.ts';
import {maskPasswords, secretsIn} from './mask.ts';
import {nearest, orOf} from './suggest.ts';
import {errorScreen} from './terminal/io.ts';

/**
 * Reports that no command has this name, with the nearest one that exists, and ends the process with exit status 2.
 * @param helpTopics what `atomctl help` takes besides a command; absent if a command was meant to be run
 */
export function commandNotFound({
  id,
  argv,
  commands,
  helpTopics = [],
}: {
  id: string;
  argv: readonly string[];
  commands: readonly Command.Loadable[];
  helpTopics?: readonly string[];
}): never {
  const known = commands.filter(({hidden}) => !hidden).map((command) => command.id);
  const topicsMeant = nearest(id, helpTopics);
  const meant = topicsMeant.length > 0 ? topicsMeant : meantCommands(id, known, argv[1]);
  const suggestion =
    meant.length > 0 ? `Did you mean ${orOf(meant)}?` : 'To see the commands: atomctl --help';
  const topics = helpTopics.length > 0 ? `Topics of the help: ${helpTopics.join(', ')}.` : '';
  const error = new AtomctlError(
    'USAGE',
    `Unknown ${id.startsWith('-') ? 'flag' : 'command'} ${JSON.stringify(maskPasswords(id, secretsIn([id, ...argv])))}.`,
    {hint: [suggestion, topics].filter(Boolean).join(suggestion.endsWith('?') ? ' ' : '. ')},
  );
  if (argv.includes('--json')) process.stdout.write(renderErrorDocument(error));
  else process.stderr.write(renderError(error, errorScreen(process, argv)));
  process.exit(EXIT.usage);
}

/** Other tools' words for what a command does. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  abort: ['jobs:kill'],
  cancel: ['jobs:kill'],
  check: ['doctor'],
  delete: ['jobs:clear', 'jobs:kill'],
  debug: ['jobs:why'],
  describe: ['jobs:show', 'worker:status'],
  end: ['jobs:kill'],
  explain: ['jobs:why'],
  export: ['jobs:export-csv'],
  fix: ['doctor'],
  follow: ['jobs:show', 'worker:logs'],
  get: ['jobs:list', 'jobs:show'],
  health: ['queue:status', 'doctor'],
  info: ['jobs:show', 'config'],
  inspect: ['jobs:show', 'worker:status'],
  list: ['queue:status', 'worker:status'],
  log: ['jobs:show', 'worker:logs'],
  logs: ['jobs:show'],
  ls: ['jobs:list', 'queue:status', 'worker:status'],
  prune: ['jobs:clear'],
  ps: ['jobs:list', 'queue:workers', 'worker:status'],
  purge: ['jobs:clear'],
  remove: ['jobs:clear', 'jobs:kill'],
  rerun: ['jobs:retry'],
  resubmit: ['jobs:retry'],
  restart: ['jobs:retry'],
  rm: ['jobs:clear', 'jobs:kill'],
  settings: ['config'],
  start: ['jobs:retry'],
  status: ['jobs:show', 'jobs:list'],
  stop: ['jobs:kill'],
  tail: ['jobs:show', 'worker:logs'],
  top: ['jobs:list', 'jobs:stats'],
  version: ['--version'],
  view: ['jobs:show'],
};

/**
 * The commands that somebody may have meant: in the topic that was typed, otherwise those of this name in any topic, those that
 * other tools call so, or those with a name like it.
 * @param next the word after it: in `job list`, `job` is a topic
 */
export function meantCommands(id: string, known: readonly string[], next = ''): string[] {
  const word = lastWord(id);
  const {namesakes, synonyms} = called(word, known);
  const topic = id.slice(0, id.length - word.length);
  const inTopics = [
    inTopic([...namesakes, ...synonyms], topic),
    topic === '' ? inTopic(Object.values(called(next, known)).flat(), `${id}:`) : [],
  ];
  const found = [...inTopics, namesakes, synonyms, nearest(id, known)].find((list) => list.length > 0);
  if (found !== undefined) return found;
  const near = new Set(nearest(word, known.map(lastWord)));
  return known.filter((command) => near.has(lastWord(command)));
}

/** The commands with this name in any topic, and those that other tools call so. */
function called(word: string, known: readonly string[]) {
  return {
    namesakes: known.filter((command) => lastWord(command) === word),
    synonyms: (Object.hasOwn(SYNONYMS, word) ? SYNONYMS[word]! : []).filter(
      (command) => known.includes(command) || command.startsWith('-'),
    ),
  };
}

/** Those in this topic; `job:` and `queues:` are topics, too. */
function inTopic(commands: readonly string[], topic: string): string[] {
  if (topic === '') return [];
  const topics = [...new Set(commands.map((command) => command.slice(0, command.indexOf(':') + 1)))];
  const [meant] = topics.includes(topic) ? [topic] : nearest(topic, topics.filter(Boolean));
  return meant === undefined ? [] : commands.filter((command) => command.startsWith(meant));
}

function lastWord(id: string): string {
  return id.slice(id.lastIndexOf(':') + 1);
}
