import {AtomctlError} from '../errors.ts';

/** What oclif's parser wraps around a message, folded into one sentence. */
function parserSentence(message: string): string {
  return message
    .replace(/^Parsing --?[\w-]+ *\n\s*/, '')
    .replace(/\n*Note: [\s\S]*$/, '')
    .replace(/\n?See more help with --help\s*$/, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/**
 * Any thrown thing as the one kind of error that is shown. What oclif's parser throws is the user's bad input;
 * what else is not an AtomctlError is our own mistake and says so.
 */
export function toAtomctlError(thrown: unknown): AtomctlError {
  if (thrown instanceof AtomctlError) {
    const message = parserSentence(thrown.message);
    return message === thrown.message ? thrown : new AtomctlError(thrown.code, message, thrown);
  }
  if (thrown instanceof Error && 'oclif' in thrown) {
    const sentence = parserSentence(thrown.message);
    return new AtomctlError('USAGE', /[.!?]$/.test(sentence) ? sentence : `${sentence}.`, {
      hint: 'Run the command with --help to see what it takes.',
      cause: thrown,
    });
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new AtomctlError('INTERNAL', `atomctl made a mistake: ${message.split('\n')[0]}.`, {
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
  return secrets.reduce((text, secret) => text.replaceAll(secret, '***'), stacks.join('\ncaused by '));
}
