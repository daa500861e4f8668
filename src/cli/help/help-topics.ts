import type {Command, Config} from '@oclif/core';
import {EXIT} from '../../errors.ts';
import type {HelpTopic, Term} from '../../render/help-topic.ts';
import type {Manual, ManualCommand} from '../../render/man-page.ts';

const EXIT_MEANINGS: Record<keyof typeof EXIT, string> = {
  ok: 'Done; healthy.',
  failed: 'The work failed or a check found a problem; also: some of several failed.',
  usage: 'Usage error; nothing was touched.',
  unreachable: 'A server could not be reached, refused the login, or did not answer in time.',
  noSuchJob: 'No such job.',
  refused: "Declined at the prompt, refused by a safety check, or another run holds the site's lock.",
  timeOver: 'jobs:wait: timed out.',
  interrupted: 'Interrupted.',
};

const OTHER_VARIABLES: Term[] = [
  {
    term: 'ATOM_MYSQL_DSN, ATOM_MYSQL_USERNAME, ATOM_MYSQL_PASSWORD, ATOM_GEARMAND_HOST',
    meaning: "AtoM's own in containers; atomctl's above override them.",
  },
  {term: 'NO_COLOR, FORCE_COLOR', meaning: 'No colour, or colour also without a terminal.'},
  {term: 'XDG_CONFIG_HOME', meaning: 'Where atomctl/config.yml of the user is; ~/.config otherwise.'},
  {term: 'DEBUG', meaning: 'Show the stack of an error, passwords masked.'},
];

/** The topics of `atomctl help`, from the commands' flags and the table of exit codes. */
export function helpTopics(commands: readonly Command.Loadable[]): Readonly<Record<string, HelpTopic>> {
  return {
    'exit-codes': {
      title: 'Exit status',
      before: [
        'The same in text and under --json. queue:status --nagios uses the plugin codes 0 to 3 instead.',
      ],
      terms: Object.entries(EXIT).map(([name, code]) => ({
        term: String(code),
        meaning: EXIT_MEANINGS[name as keyof typeof EXIT],
      })),
    },
    filters: {
      title: 'Job filters',
      before: [
        'The same on jobs:list, jobs:clear, jobs:export-csv and jobs:stats; jobs:kill takes them with --all-matching. Of a repeated flag any value may match, of different flags all must.',
      ],
      terms: filterTerms(commands),
      after: [
        'WHEN is an ISO 8601 date or date-time on the site\'s wall clock (2026-11-23, 2026-11-23T14:30, or with an offset 2026-11-23T14:30:00Z), a month (2026-10), today, yesterday, now, or an age (7d, "2h ago"). A day or month means its beginning. AGE is a number with s, m, h, d or w: 45s, 30m, 12h, 90d, 2w. All of them go by the start of the job: --since is inclusive, --until exclusive, --older-than strictly older.',
        'Lists take commas and repetition: --status running,error. A name or user with a comma in it is found by its whole text.',
        'In PATTERN only * is special: quote it, so that the shell does not expand it. Without *, it is the whole name or, if no job has that name, a part of the name. Names and users match in upper and lower case.',
        '--object takes an id, a slug, or a URL that ends with the slug. --download takes the path as AtoM stores it, the end of it, or a path or URL that ends with it. --param finds the parameters that jobs log since AtoM 2.7: of one KEY any value may match, of different ones all must. --grep and --param read the log of each job that meets the other filters, a few seconds for 100,000 jobs.',
      ],
    },
    environment: {
      title: 'Environment',
      before: ['A flag wins over its variable; atomctl config shows where each value came from.'],
      terms: [...variableTerms(commands), ...OTHER_VARIABLES],
    },
  };
}

function filterTerms(commands: readonly Command.Loadable[]): Term[] {
  const {flags} = commands.find(({id}) => id === 'jobs:list')!;
  return Object.values(flags)
    .filter(({helpGroup}) => helpGroup === 'FILTER')
    .map((flag) => ({term: flagTerm(flag), meaning: flag.summary ?? ''}));
}

function variableTerms(commands: readonly Command.Loadable[]): Term[] {
  const variables = new Map<string, Term>();
  for (const {name, env, summary = ''} of commands.flatMap(({flags}) => Object.values(flags))) {
    if (env !== undefined) variables.set(env, {term: env, meaning: `For --${name}. ${summary}`});
  }
  return [...variables.values()];
}

const MOST_VALUES = 6;

/** `-o, --output FILE`, or the values themselves if they are few. */
export function flagTerm(flag: Command.Flag.Cached): string {
  const letter = flag.char === undefined ? '' : `-${flag.char}, `;
  if (flag.type === 'boolean') return `${letter}--${flag.name}`;
  if (flag.helpLabel !== undefined) return `${flag.helpLabel.trim()}${flag.helpValue}`.replace('[', '[=');
  const {options = []} = flag;
  const few = options.length > 0 && options.length <= MOST_VALUES;
  return `${letter}--${flag.name} ${few ? options.join('|') : flag.helpValue}`;
}

/** The content of the manual page: the manifest's commands and the help topics. */
export function manual(config: Config): Manual {
  const commands = config.commands.filter(({hidden}) => !hidden).sort((a, b) => (a.id < b.id ? -1 : 1));
  const {description = ''} = config.pjson;
  const configCommand = commands.find(({id}) => id === 'config')!;
  const shared = new Set(Object.keys(configCommand.flags));
  return {
    program: config.bin,
    version: config.version,
    purpose: description.charAt(0).toLowerCase() + description.slice(1),
    description: [
      'AtoM runs its long work as jobs: a row in MySQL, a job in Gearman, a PHP worker under systemd. atomctl asks all three, says which job is executing, queued or lost, and ends, clears, exports and watches jobs without losing one that is alive.',
      `Both "${config.bin} jobs:list" and "${config.bin} jobs list" work. Data goes to standard output; questions, progress, warnings and errors go to standard error.`,
    ],
    commands: commands.map((command) => manualCommand(command, shared, config.bin)),
    sharedFlags: flagTerms(configCommand),
    topics: Object.values(helpTopics(commands)),
    files: [
      {
        term: '/etc/atomctl/config.yml, ~/.config/atomctl/config.yml',
        meaning:
          "Sites by their names: under \"sites:\", for each name root, database, defaultsFile, gearman, functionPrefix, timezone, workers (this-host: its workers run on this host only). The user's stands over the system's. One that holds a password must be its owner's alone.",
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
