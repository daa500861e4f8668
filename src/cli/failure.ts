import {stripVTControlCharacters} from 'node:util';
import {AtomctlError} from '../errors.ts';
import {systemReason} from '../system-failure.ts';
import {maskPasswords, secretsIn} from './mask.ts';
import {ALL_SITES_COMMANDS} from './site/all-sites.ts';
import {nearest, orOf, validValues} from './suggest.ts';

/** The text that oclif's parser puts around the message of an error from a flag's own parser. */
const WRAPPED = /^Parsing --?[\w-]+ *\n\s*([\s\S]*)\nSee more help with --help$/;

/** oclif's messages about a command line, and atomctl's. */
const REPHRASED: readonly [RegExp, string][] = [
  [WRAPPED, '$1'],
  [/\n*Note: [\s\S]*$/, ''],
  [/\nSee more help with --help\s*$/, ''],
  // Of several errors the first: mending it often mends the others.
  [/^The following errors? occurred:\s*(.*)[\s\S]*$/, '$1'],
  [/^Nonexistent (flags?):/, 'Unknown $1:'],
  [/(--[\w-]+)=.*? cannot also be provided when using/g, '$1 cannot be used with'],
  [/All of the following must be provided when using (--[\w-]+):/g, '$1 also needs'],
  [/^Missing required flag (\S+)$/, '--$1 is missing'],
  [/^Expected --([\w-]+)=([\s\S]*) to be one of: .*$/, '"$2" (--$1) is not a valid value'],
  [/^Expected ([\s\S]*) to be one of: .*$/, '"$1" is not a valid value'],
  [/^Missing \d+ required args?:\s*(\S+)\s+\(([^)]*)\)[\s\S]*$/, 'The argument $1 ($2) is missing'],
  [/^Missing \d+ required args?:\s*(\S+)[\s\S]*$/, 'The argument $1 is missing'],
];

function parserSentence(message: string): string {
  const text = REPHRASED.reduce(
    (sentence, [pattern, replacement]) => sentence.replace(pattern, replacement),
    stripVTControlCharacters(message),
  );
  const sentence = text.replace(/\s+/g, ' ').trim();
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

/** The command that failed, for what to type instead. */
export interface FailedCommand {
  id: string;
  /** Its flags by name, with the values of those that have a fixed set. */
  flags: Readonly<Record<string, {options?: readonly string[]}>>;
}

/** Other tools' flags, and atomctl's for the same. */
const FOREIGN_FLAGS: Readonly<Record<string, readonly string[]>> = {
  '-f': ['follow', 'watch'],
  '-o': ['json'],
  '-w': ['watch'],
  '--csv': ['json'],
  '--jsonl': ['json'],
  '--tsv': ['json'],
};

/** What to type instead of an argument, flag or value that is wrong. */
function parserHint(message: string, argv: readonly string[], command: FailedCommand): string {
  const text = stripVTControlCharacters(message);
  return (
    flagHint(text, command) ??
    valueHint(text) ??
    requiredHint(text, command) ??
    argumentHint(text, argv, command) ??
    `To see its arguments and flags: ${['atomctl', command.id, '--help'].filter(Boolean).join(' ')}`
  );
}

function flagHint(text: string, {flags}: FailedCommand): string | null {
  const [, flag] = /^Nonexistent flags?: (--?[\w-]+)/.exec(text) ?? [];
  if (flag === undefined) return null;
  const names = Object.keys(flags);
  const near = flag.startsWith('--') ? nearest(flag.slice(2), names) : [];
  const foreign = Object.hasOwn(FOREIGN_FLAGS, flag) ? FOREIGN_FLAGS[flag]! : [];
  const meant = near.length > 0 ? near : foreign.filter((name) => names.includes(name)).slice(0, 1);
  return meant.length === 0 ? null : `Did you mean ${orOf(meant.map((name) => `--${name}`))}?`;
}

function valueHint(text: string): string | null {
  const [, value, options] = /^Expected (?:--[\w-]+=)?([\s\S]*) to be one of: (.*)/.exec(text) ?? [];
  return options === undefined ? null : validValues(value!, options.split(', '));
}

function requiredHint(text: string, {flags}: FailedCommand): string | null {
  const [, name] = /Missing required flag ([\w-]+)/.exec(text) ?? [];
  const options = flags[name ?? '']?.options;
  return options === undefined ? null : `Give --${name} ${options.join('|')}.`;
}

function argumentHint(text: string, argv: readonly string[], {id}: FailedCommand): string | null {
  const [, word] = /^Unexpected arguments?: (\d+)\b/.exec(text) ?? [];
  if (word === undefined) return null;
  if (/^--watch(=2)?$/.test(argv[argv.indexOf(word) - 1] ?? '')) return `Did you mean --watch=${word}?`;
  return id === 'jobs:list' ? `To see this job: atomctl jobs:show ${word}` : null;
}

const ALL_SITES = /^Nonexistent flags?: (?:.*, )?--all-sites\b/;

/**
 * Turns anything thrown into an AtomctlError. An error from oclif's parser is a usage error; any other is an internal
 * error. Passwords on the command line, which may be quoted, are masked.
 */
export function toAtomctlError(
  thrown: unknown,
  argv: readonly string[],
  command: FailedCommand = {id: '', flags: {}},
): AtomctlError {
  const secrets = secretsIn(argv);
  const masked = (text: string) => maskPasswords(text, secrets);
  if (thrown instanceof AtomctlError) {
    const message = masked(thrown.message.replace(WRAPPED, '$1'));
    const hint = thrown.hint === undefined ? undefined : masked(thrown.hint);
    if (message === thrown.message && hint === thrown.hint) return thrown;
    return new AtomctlError(thrown.code, message, {...thrown, hint, cause: thrown});
  }
  if (thrown instanceof Error && 'oclif' in thrown) {
    if (ALL_SITES.test(thrown.message)) {
      return new AtomctlError('USAGE', `${command.id} works on one site and does not support --all-sites.`, {
        hint: `Choose the site with --site NAME. These commands support --all-sites: ${ALL_SITES_COMMANDS.join(', ')}.`,
        cause: thrown,
      });
    }
    // Before the sentence is made: that joins spaces, of which a password may have two.
    return new AtomctlError('USAGE', masked(parserSentence(masked(thrown.message))), {
      hint: masked(parserHint(thrown.message, argv, command)),
      cause: thrown,
    });
  }
  const message = internalText(thrown);
  return new AtomctlError('INTERNAL', `Internal error: ${masked(message).split('\n')[0]!}.`, {
    hint: 'Run the command again with DEBUG=* and report its output.',
    cause: thrown,
  });
}

/** A system's error that nobody expected: what was done, with what, and why it failed. */
function internalText(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const {syscall, path} = thrown as NodeJS.ErrnoException;
  return syscall === undefined
    ? thrown.message
    : `${[syscall, path].filter(Boolean).join(' ')}: ${systemReason(thrown)}`;
}

/** The stacks of an error and its causes, with every known secret masked. Shown only with DEBUG. */
export function debugTrace(thrown: unknown, secrets: readonly string[]): string {
  const stacks: string[] = [];
  for (let error = thrown; error instanceof Error && stacks.length < 5; error = error.cause) {
    stacks.push(error.stack ?? error.message);
  }
  return maskPasswords(stacks.join('\ncaused by '), secrets);
}
