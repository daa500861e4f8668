import {stripVTControlCharacters} from 'node:util';
import {AtomctlError} from '../errors.ts';

/** What oclif's parser wraps around the message of an error that a flag's own parser threw. */
const WRAPPED = /^Parsing --?[\w-]+ *\n\s*([\s\S]*)\nSee more help with --help$/;

/** What oclif says about a command line, and what atomctl says instead. */
const REPHRASED: readonly [RegExp, string][] = [
  [WRAPPED, '$1'],
  [/\n*Note: [\s\S]*$/, ''],
  [/\nSee more help with --help\s*$/, ''],
  [/^The following errors? occurred:/, ''],
  [/(--[\w-]+)=.*? cannot also be provided when using/g, '$1 does not go with'],
  [/All of the following must be provided when using (--[\w-]+):/g, '$1 also needs'],
  [/^Missing \d+ required args?:\s*(\S+)[\s\S]*$/, 'The argument $1 is missing'],
];

function parserSentence(message: string): string {
  const text = REPHRASED.reduce(
    (said, [pattern, instead]) => said.replace(pattern, instead),
    stripVTControlCharacters(message),
  );
  const sentence = text.replace(/\s+/g, ' ').trim();
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

/** Strikes out the password of every URL in a text: what was mistyped is quoted, and may be one. */
export function maskPasswords(text: string): string {
  return text.replace(/(:\/\/[^:@/\s]*):\S*@/g, '$1:***@');
}

/**
 * Any thrown thing as the one kind of error that is shown. What oclif's parser throws is the user's bad input;
 * what else is not an AtomctlError is our own mistake and says so.
 */
export function toAtomctlError(thrown: unknown): AtomctlError {
  if (thrown instanceof AtomctlError) {
    const message = maskPasswords(thrown.message.replace(WRAPPED, '$1'));
    return message === thrown.message ? thrown : new AtomctlError(thrown.code, message, thrown);
  }
  if (thrown instanceof Error && 'oclif' in thrown) {
    return new AtomctlError('USAGE', maskPasswords(parserSentence(thrown.message)), {
      hint: 'Run the command with --help to see what it takes.',
      cause: thrown,
    });
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new AtomctlError('INTERNAL', `atomctl made a mistake: ${maskPasswords(message.split('\n')[0]!)}.`, {
    hint: 'Run it again with DEBUG=* and report what it prints.',
    cause: thrown,
  });
}

/** The stack of an error and of what caused it, with every known secret struck out; for DEBUG alone. */
export function debugTrace(thrown: unknown, secrets: readonly string[]): string {
  const stacks: string[] = [];
  for (let error = thrown; error instanceof Error && stacks.length < 5; error = error.cause) {
    stacks.push(error.stack ?? error.message);
  }
  const trace = maskPasswords(stacks.join('\ncaused by '));
  return secrets.reduce((text, secret) => text.replaceAll(secret, '***'), trace);
}
