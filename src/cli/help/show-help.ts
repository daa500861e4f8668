import type {Interfaces} from '@oclif/core';
import {renderCommandHelp, renderOverviewHelp} from '../../render/help/command.ts';
import {renderHelpTopic} from '../../render/help/topic.ts';
import {type Screen, screenOf} from '../../render/screen.ts';
import {processIO} from '../terminal/io.ts';
import {commandHelp, overviewHelp, type Program} from './command-help.ts';
import {helpTopics} from './help-topics.ts';

/** oclif's plugin, and its configuration, have both. */
type App = Pick<Interfaces.Plugin, 'commands' | 'pjson'>;

/**
 * Prints the help that the words ask for: of a command, of a topic, or the list of commands. If they name none, that is an error with
 * exit status 2. On a terminal, complete help goes through the pager.
 * @param words the command line, like `jobs:list --help` or `help filters --help-all`
 */
export async function showHelp(words: readonly string[], app: App): Promise<void> {
  const {stdout, env} = processIO;
  const screen = screenOf(stdout, {noColor: words.includes('--no-color'), env});
  const text = helpText(words, app, screen);
  if (text === null) {
    const {commandNotFound} = await import('../command-not-found.ts');
    const id = subjectOf(words) ?? '';
    const topics = Object.keys(helpTopics(app.commands));
    return commandNotFound({id, argv: words, commands: app.commands, helpTopics: topics});
  }
  if (!screen.isTTY || !words.includes('--help-all')) return void stdout.write(text);
  const {page} = await import('../terminal/pager.ts');
  await page(text, processIO);
}

/** null if there is no help of that name. */
function helpText(words: readonly string[], {commands, pjson}: App, screen: Screen): string | null {
  const texts = helpTopics(commands);
  const program: Program = {
    bin: pjson.oclif.bin!,
    purpose: `${pjson.description}.`,
    commands,
    topics: Object.entries(pjson.oclif.topics ?? {}).map(([name, topic]) => ({...topic, name})),
    helpTopics: Object.keys(texts),
  };
  const subject = subjectOf(words);
  if (subject === undefined) return renderOverviewHelp(overviewHelp(program), screen);
  if (Object.hasOwn(texts, subject)) return renderHelpTopic(texts[subject]!, screen.width);
  const command = commands.find(({id}) => id === subject);
  if (command !== undefined)
    return renderCommandHelp(commandHelp(command, program, words.includes('--help-all')), screen);
  const topic = program.topics.find(({name}) => name === subject);
  return topic === undefined ? null : renderOverviewHelp(overviewHelp(program, topic), screen);
}

/** What the help is about: the first word; after `help`, the next one that is not a flag. */
function subjectOf([first, ...rest]: readonly string[]): string | undefined {
  if (first === undefined || first.startsWith('-')) return undefined;
  return first === 'help' ? (rest.find((word) => !word.startsWith('-')) ?? first) : first;
}
