import type {Command, Config} from '@oclif/core';
import type {Term} from '../render/help-topic.ts';
import type {Manual, ManualCommand} from '../render/man-page.ts';
import {flagTerm, helpTopics} from './help-topics.ts';

/** The manual page's content: all that the manifest says, and the help topics. */
export function manual(config: Config): Manual {
  const commands = config.commands.filter(({hidden}) => !hidden).sort((a, b) => (a.id < b.id ? -1 : 1));
  const {description = ''} = config.pjson;
  const everywhere = commands.find(({id}) => id === 'config')!;
  const shared = new Set(Object.keys(everywhere.flags));
  return {
    program: config.bin,
    version: config.version,
    purpose: description.charAt(0).toLowerCase() + description.slice(1),
    description: [
      'AtoM runs its long work as jobs: a row in MySQL, a job in Gearman, a PHP worker under systemd. atomctl asks all three, says which job is executing, queued or lost, and ends, clears, exports and watches jobs without losing one that is alive.',
      `Both "${config.bin} jobs:list" and "${config.bin} jobs list" work. Data goes to standard output; questions, progress, warnings and errors go to standard error.`,
    ],
    commands: commands.map((command) => manualCommand(command, shared, config.bin)),
    sharedFlags: flagTerms(everywhere),
    topics: Object.values(helpTopics(commands)),
    files: [
      {
        term: '/etc/atomctl/config.yml, ~/.config/atomctl/config.yml',
        meaning:
          "Sites by their names: under \"sites:\", for each name root, database, defaultsFile, gearman, functionPrefix, timezone. The user's stands over the system's. One that holds a password must be its owner's alone.",
      },
    ],
    seeAlso: ['gearmand(8)', 'systemctl(1)', 'journalctl(1)', 'logger(1)'],
  };
}

function manualCommand(command: Command.Loadable, shared: ReadonlySet<string>, bin: string): ManualCommand {
  const {id, summary = '', description = '', examples = []} = command;
  const usage = typeof command.usage === 'string' ? command.usage : '<%= command.id %>';
  const filled = (text: string) =>
    text.replaceAll('<%= config.bin %>', bin).replaceAll('<%= command.id %>', id);
  return {
    usage: filled(usage),
    summary,
    description: description.split('\n\n').map((paragraph) => paragraph.replaceAll('\n', ' ')),
    flags: flagTerms(command).filter((_, index) => !shared.has(Object.keys(command.flags)[index]!)),
    examples: examples.map((example) =>
      typeof example === 'string'
        ? {term: filled(example), meaning: ''}
        : {term: filled(example.command), meaning: example.description},
    ),
  };
}

function flagTerms({flags}: Command.Loadable): Term[] {
  return Object.values(flags).map((flag) => ({
    term: flagTerm(flag),
    meaning: flag.summary ?? flag.description ?? '',
  }));
}
