import type {Command, Config} from '@oclif/core';
import {EXIT} from '../../errors.ts';
import {LIVE_STATES, type LiveState} from '../../jobs/model/job.ts';
import type {Term} from '../../render/help/terms.ts';
import type {HelpTopic} from '../../render/help/topic.ts';
import {FILTER_GROUP, flagTerm} from './flag-terms.ts';

const EXIT_MEANINGS: Record<keyof typeof EXIT, string> = {
  ok: 'Done; healthy.',
  failed: 'The command failed, or a check found a problem; also if only some of several jobs failed.',
  usage: 'Usage error; nothing was changed.',
  unreachable:
    'A server cannot be reached, refuses the login, or does not answer in time; or systemd does not run on this machine.',
  noSuchJob: 'No such job.',
  refused:
    'Declined at the prompt, refused by a safety check (also if no Gearman server proves the state of a job), or another atomctl holds the lock of the site.',
  timeOver: 'jobs:wait or queue:hold: timed out.',
  commandNotRun: 'queue:hold: the command cannot be run.',
  commandNotFound: 'queue:hold: the command was not found.',
  interrupted: 'Interrupted.',
};

const OTHER_VARIABLES: Term[] = [
  {
    term: 'ATOM_MYSQL_DSN, ATOM_MYSQL_USERNAME, ATOM_MYSQL_PASSWORD, ATOM_GEARMAND_HOST',
    meaning: "AtoM's own variables in containers; the variables of atomctl above override them.",
  },
  {term: 'NO_COLOR, FORCE_COLOR', meaning: 'Print without colours, or with colours also without a terminal.'},
  {
    term: 'ATOMCTL_PAGER, PAGER',
    meaning:
      'The pager of jobs:show on a terminal; the default is less. Set it to cat for no pager. Under sudo, atomctl always uses less.',
  },
  {
    term: 'XDG_CONFIG_HOME',
    meaning: "The directory of the user's atomctl/config.yml; the default is ~/.config.",
  },
  {term: 'DEBUG', meaning: 'Show the stack trace of an error, with passwords masked.'},
];

/** What to do about a job in this state. */
const LIVE_REMEDIES: Record<LiveState, string> = {
  executing: 'Wait, or end it: with systemd, jobs:kill ID --restart-worker; without, jobs:kill ID says how.',
  queued: 'Wait, start a worker (worker:start; without systemd, worker:run), or end it: jobs:kill ID.',
  finished: 'Correct its row: doctor --fix, or jobs:mark ID --as completed.',
  lost: 'Run it again: jobs:retry ID. Or mark it as an error: jobs:kill ID, or doctor --fix for all lost jobs.',
  uncertain: 'To see what is missing: jobs:why ID. To distinguish queued from lost: jobs:why ID --probe.',
};

/** What the commands that show more than a text print. */
const FORMATS: Term[] = [
  {
    term: '--json',
    meaning:
      'One document and nothing else. An error is {"error": {"code", "message", "hint"}}. Times are ISO 8601 with the offset of the site\'s timezone; unknown values are null.',
  },
  {
    term: '--jsonl',
    meaning: 'One JSON object per line, for each job. With --all-sites each object also has the site.',
  },
  {
    term: '--csv',
    meaning:
      'The columns of the table, with a header. If a text could be a formula in a spreadsheet, an apostrophe is put before it.',
  },
  {term: '--tsv', meaning: 'The same with tabs and without quotes: for cut, awk and sort.'},
  {term: '--ids', meaning: 'Only the ids, one per line: for xargs.'},
  {term: '--prometheus', meaning: "Metrics for Prometheus; --output FILE for node_exporter's directory."},
  {term: '--nagios', meaning: 'One line for a monitoring system, with the exit codes of Nagios plugins.'},
];

/** The topics of `atomctl help`, from the commands' flags and the table of exit codes. */
export function helpTopics(commands: readonly Command.Loadable[]): Readonly<Record<string, HelpTopic>> {
  return {
    'exit-codes': {
      title: 'Exit status',
      before: [
        'Exit statuses are the same in text and with --json. queue:status --nagios uses the plugin codes 0 to 3 instead. queue:hold and worker:run end with the status of what they run.',
      ],
      terms: Object.entries(EXIT).map(([name, code]) => ({
        term: String(code),
        meaning: EXIT_MEANINGS[name as keyof typeof EXIT],
      })),
    },
    filters: {
      title: 'Job filters',
      before: [
        'These filters work on jobs:list, jobs:clear, jobs:export-csv and jobs:stats, and with --all-matching on jobs:kill and jobs:retry. If a flag is repeated, one of its values must match. If several flags are given, all must match.',
      ],
      terms: filterTerms(commands),
      after: [
        'WHEN is an ISO 8601 date or date-time on the site\'s wall clock (2026-11-23, 2026-11-23T14:30, or with an offset 2026-11-23T14:30:00Z), a month (2026-10), today, yesterday, now, or an age (7d, "2h ago"). A day or month means its first moment. AGE is a number with s, m, h, d or w: 45s, 30m, 12h, 90d, 2w. They are compared with the start of the job: --since is inclusive, --until is exclusive, --older-than means strictly older.',
        'Values can be separated by commas, and flags can be repeated: --status running,error. A name or user that contains a comma must be given as a whole.',
        'In PATTERN only * is special. Quote the pattern, so that the shell does not expand it. Without *, the pattern is the whole name or, if no job has that name, a part of the name. Upper and lower case are the same in names and users.',
        '--object takes an id, a slug, or a URL that ends with the slug. --download takes the path that AtoM stores, the end of this path, or a path or URL that ends with it. --param finds the parameters that jobs log since AtoM 2.7. If one KEY is given several times, one of its values must match; different KEYs must all match. --grep and --param read the log of each job that meets the other filters, a few seconds for 100,000 jobs.',
      ],
    },
    environment: {
      title: 'Environment',
      before: ['A flag overrides its variable. To see where each value comes from: atomctl config'],
      terms: [...variableTerms(commands), ...OTHER_VARIABLES],
    },
    formats: {
      title: 'Formats',
      before: [
        'Without these flags, a command prints text for people; its format may change. Data goes to stdout; questions, progress, warnings and errors go to stderr.',
      ],
      terms: FORMATS.map(({term, meaning}) => ({
        term,
        meaning: `${meaning} ${commandsWith(term, commands)}`,
      })),
      after: [
        "In all of these formats, durations and ages are whole seconds. --columns chooses the columns of --csv and --tsv, and --no-header omits the header. Their times are in the site's timezone.",
        "jobs:export-csv prints the history in the same CSV format as AtoM's Manage > Jobs page.",
        'On a terminal, a table fits the width of the screen. In a pipe, nothing is cut. --watch --json prints one document per line.',
      ],
    },
    'live-states': {
      title: 'Live states',
      before: [
        "AtoM's database says Running as soon as a job is submitted. The live state says what the job really does. atomctl reports a live state only if it is proved.",
      ],
      terms: Object.entries(LIVE_STATES).map(([state, {meaning}]) => ({
        term: state,
        meaning: `${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}. ${LIVE_REMEDIES[state as LiveState]}`,
      })),
      after: [
        'queued? and lost? are uncertain jobs with a likely state. --live queued finds only jobs with a proved state; --live uncertain finds the others.',
        'A job is not proved lost only because no Gearman server knows it: after a restart of gearmand, a worker continues a job that no server knows any more. For the proof, every server must answer, no worker may be running the job, and its log must be silent for 15 minutes or the servers must have started before the job.',
        'A job has a live state only as long as its row says Running.',
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
  return ids.length > MOST_COMMANDS ? 'On every command that prints data.' : `On ${ids.join(', ')}.`;
}

const MOST_COMMANDS = 5;

/** What `atomctl help` takes beside a command: topics of commands, and the topics of help. */
export function helpSubjects({commands, topics}: Pick<Config, 'commands' | 'topics'>): string[] {
  const ids = new Set(commands.map(({id}) => id));
  // oclif makes a topic of every command, too.
  const names = topics.map(({name}) => name).filter((name) => !ids.has(name));
  return [...names, ...Object.keys(helpTopics(commands))];
}
