import type {Command, Config} from '@oclif/core';
import type {Manual} from '../../render/help/man-page.ts';
import {
  COMMON_GROUPS,
  flagMeaning,
  flagTerm,
  paragraphsOf,
  shownFlags,
  usageAndExamples,
} from './flag-terms.ts';
import {helpTopics} from './help-topics.ts';

/** The content of the manual page: the manifest's commands and the help topics. */
export function manual(config: Config): Manual {
  const term = (flag: Command.Flag.Cached) => ({term: flagTerm(flag), meaning: flagMeaning(flag)});
  const isOwn = ({helpGroup = ''}: Command.Flag.Cached) => !COMMON_GROUPS.includes(helpGroup);
  const commands = config.commands.filter(({hidden}) => !hidden).sort((a, b) => (a.id < b.id ? -1 : 1));
  const {description = ''} = config.pjson;
  const configCommand = commands.find(({id}) => id === 'config')!;
  return {
    program: config.bin,
    version: config.version,
    purpose: description.charAt(0).toLowerCase() + description.slice(1),
    description: [
      'AtoM runs long tasks as jobs: a row in MySQL, a job in Gearman, a PHP worker under systemd. atomctl asks all three. It shows which jobs are executing, queued or lost. It ends, clears, exports and watches jobs without losing a job that is still alive.',
      `Both "${config.bin} jobs:list" and "${config.bin} jobs list" work. Data goes to standard output; questions, progress, warnings and errors go to standard error.`,
    ],
    commands: commands.map((command) => ({
      ...usageAndExamples(command, config.bin),
      summary: command.summary ?? '',
      description: paragraphsOf(command),
      flags: shownFlags(command).filter(isOwn).map(term),
    })),
    sharedFlags: shownFlags(configCommand).map(term),
    topics: Object.values(helpTopics(commands)),
    files: [
      {
        term: '/etc/atomctl/config.yml, ~/.config/atomctl/config.yml',
        meaning:
          'The sites: under "sites:", each site has a name and the keys root, database, defaultsFile, gearman, functionPrefix, timezone, workers (this-host: its workers run only on this host) and readOnly (true: atomctl refuses every change). The user\'s file overrides the system\'s. If a file has a password, only its owner may have access.',
      },
    ],
    seeAlso: ['gearmand(8)', 'systemctl(1)', 'journalctl(1)', 'logger(1)'],
  };
}
