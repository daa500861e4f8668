import type {Command, Config} from '@oclif/core';
import {EXIT} from '../../errors.ts';
import {LIVE_STATES, type LiveState} from '../../jobs/model/job.ts';
import type {Term} from '../../render/help/terms.ts';
import type {HelpTopic} from '../../render/help/topic.ts';
import {FILTER_GROUP, flagTerm} from './flag-terms.ts';

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
  {
    term: 'ATOMCTL_PAGER, PAGER',
    meaning: 'The pager of jobs:show on a terminal, otherwise less; cat for none. Under sudo it is less.',
  },
  {term: 'XDG_CONFIG_HOME', meaning: 'Where atomctl/config.yml of the user is; ~/.config otherwise.'},
  {term: 'DEBUG', meaning: 'Show the stack of an error, passwords masked.'},
];

/** What to do about a job in this state. */
const LIVE_REMEDIES: Record<LiveState, string> = {
  executing: 'Wait, or end it: jobs:kill ID --restart-worker.',
  queued: 'Wait, start a worker (worker:start), or end it: jobs:kill ID.',
  finished: 'Correct its row: doctor --fix, or jobs:mark ID --as completed.',
  lost: 'Run it again: jobs:retry ID. Or end it: jobs:kill ID, or doctor --fix for all.',
  uncertain: 'See what is missing: jobs:show ID. jobs:list --probe tells queued from lost.',
};

/** What the commands that show more than a text print. */
const FORMATS: Term[] = [
  {
    term: '--json',
    meaning:
      'One document, and nothing else there. An error is {"error": {"code", "message", "hint"}}. Times are ISO 8601 with the offset of the zone of the site; what is not known is null.',
  },
  {term: '--jsonl', meaning: 'One job per line, each a JSON object. With --all-sites it has the site, too.'},
  {
    term: '--csv',
    meaning:
      'The columns of the table, with a header. A text that a spreadsheet would take for a formula begins with an apostrophe.',
  },
  {term: '--tsv', meaning: 'The same with tabs, nothing quoted: for cut, awk and sort.'},
  {term: '--ids', meaning: 'Only the ids, one per line: for xargs.'},
  {term: '--prometheus', meaning: "Metrics for Prometheus; --output FILE for node_exporter's directory."},
  {term: '--nagios', meaning: 'One line for a monitoring system, with the exit codes of its plugins.'},
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
        'The same on jobs:list, jobs:clear, jobs:export-csv and jobs:stats; jobs:kill and jobs:retry take them with --all-matching. Of a repeated flag any value may match, of different flags all must.',
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
    formats: {
      title: 'Formats',
      before: [
        'Without one of these flags a command prints a text for people, which may change. Data goes to stdout; questions, progress, warnings and errors go to stderr.',
      ],
      terms: FORMATS.map(({term, meaning}) => ({
        term,
        meaning: `${meaning} ${commandsWith(term, commands)}`,
      })),
      after: [
        'Durations and ages are whole seconds in all of them. The columns of --csv and --tsv are chosen with --columns; --no-header leaves the names of the columns out. Their times are the wall clock of the site.',
        "jobs:export-csv prints the history as AtoM's own CSV, which AtoM's users know from Manage > Jobs.",
        'On a terminal a table fits the width of the screen; in a pipe nothing is cut. --watch --json prints one document per line.',
      ],
    },
    'live-states': {
      title: 'Live states',
      before: [
        "AtoM's database says Running from the moment in which a job is submitted. The live state says what the job really is. It is claimed only if it is proved.",
      ],
      terms: Object.entries(LIVE_STATES).map(([state, {meaning}]) => ({
        term: state,
        meaning: `${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}. ${LIVE_REMEDIES[state as LiveState]}`,
      })),
      after: [
        'queued?, lost? and the like are uncertain jobs with a likely state. --live queued finds only jobs whose state is proved; --live uncertain finds the others.',
        'That no Gearman server knows a job does not prove that it is lost: after a restart of gearmand a worker goes on with a job that no server knows any more. So every server must have answered, no worker may be at work on it, and its log must have been silent for 15 minutes, or the servers must be older than the job.',
        'A job has a live state only while its row says Running.',
      ],
    },
  };
}

function filterTerms(commands: readonly Command.Loadable[]): Term[] {
  const {flags} = commands.find(({id}) => id === 'jobs:list')!;
  return Object.values(flags)
    .filter(({helpGroup}) => helpGroup === FILTER_GROUP)
    .map((flag) => ({term: flagTerm(flag), meaning: flag.summary ?? ''}));
}

function variableTerms(commands: readonly Command.Loadable[]): Term[] {
  const variables = new Map<string, Term>();
  for (const {name, env, summary = ''} of commands.flatMap(({flags}) => Object.values(flags))) {
    if (env !== undefined) variables.set(env, {term: env, meaning: `For --${name}. ${summary}`});
  }
  return [...variables.values()];
}

/** The commands that have the flag; `every command` if more have it than can be listed. */
function commandsWith(flag: string, commands: readonly Command.Loadable[]): string {
  const ids = commands.filter(({hidden, flags}) => !hidden && flag.slice(2) in flags).map(({id}) => id);
  return ids.length > MOST_COMMANDS ? 'On every command that reports.' : `On ${ids.join(', ')}.`;
}

const MOST_COMMANDS = 5;

/** What `atomctl help` takes beside a command: topics of commands, and the topics of help. */
export function helpSubjects({commands, topics}: Pick<Config, 'commands' | 'topics'>): string[] {
  return [...topics.map(({name}) => name), ...Object.keys(helpTopics(commands))];
}
