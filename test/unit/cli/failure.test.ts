import {describe, expect, it} from 'vitest';
import {debugTrace, toAtomctlError} from '../../../src/cli/failure.ts';
import {AtomctlError, usageError} from '../../../src/errors.ts';

/** An error as oclif's parser throws it. */
function parserError(message: string): Error {
  return Object.assign(new Error(`${message}\nSee more help with --help`), {oclif: {exit: 2}});
}

describe('toAtomctlError', () => {
  it.each([
    ['Nonexistent flag: --nope', 'Unknown flag: --nope.'],
    ['Unexpected argument: mysql://u:secret@h/d', 'Unexpected argument: mysql://u:***@h/d.'],
    [
      "Missing 1 required arg:\nid  A job's id.\n\nNote: --id allows multiple values.",
      'The argument id is missing.',
    ],
    [
      'The following error occurred:\n  \u001b[2m--limit=3 cannot also be provided when using --all\u001b[22m',
      '--limit cannot be used with --all.',
    ],
    [
      'The following error occurred:\n  All of the following must be provided when using --force: --output',
      '--force also needs --output.',
    ],
    [
      'The following errors occurred:\n  --ids=true cannot also be provided when using --tsv\n  --tsv=true cannot also be provided when using --ids',
      '--ids cannot be used with --tsv.',
    ],
    ['Expected --as=done to be one of: completed, error', '"done" (--as) is not a valid value.'],
    ['Expected tcsh to be one of: bash, zsh, fish', '"tcsh" is not a valid value.'],
  ])('makes one sentence of: %s', (said, sentence) => {
    expect(toAtomctlError(parserError(said), [])).toMatchObject({code: 'USAGE', message: sentence});
  });

  it.each([
    ['Unexpected argument: x', [], 'To see its arguments and flags: atomctl jobs:list --help'],
    ['Unexpected argument: 5', ['jobs:list', '--watch', '5'], 'Did you mean --watch=5?'],
    ['Unexpected arguments: 1191, 1192', ['jobs:list', '1191'], 'To see this job: atomctl jobs:show 1191'],
    ['Nonexistent flag: -o', [], 'Did you mean --json?'],
    ['Nonexistent flag: -f', [], 'Did you mean --watch?'],
    ['Nonexistent flag: -x', [], 'To see its arguments and flags: atomctl jobs:list --help'],
    ['Missing required flag as', [], 'Give --as completed|error.'],
    [
      'Expected --as=eror to be one of: completed, error',
      [],
      'Did you mean error? Valid values: completed, error.',
    ],
  ])('says what to type instead: %s', (said, argv, hint) => {
    const command = {id: 'jobs:list', flags: {as: {options: ['completed', 'error']}, json: {}, watch: {}}};
    expect(toAtomctlError(parserError(said), argv, command).hint).toBe(hint);
  });

  it('masks what the command line shows as a password, in the message and in the hint', () => {
    const argv = ['--databse-url=mysql:host=h;password=S3 cret'];
    const said = parserError(`Nonexistent flag: ${argv[0]}`);
    expect(toAtomctlError(said, argv).message).toBe('Unknown flag: --databse-url=mysql:host=h;password=***.');
    const error = usageError('"S3 cret" is no host.', 'Give another host than S3 cret.');
    expect(toAtomctlError(error, argv)).toMatchObject({
      code: 'USAGE',
      message: '"***" is no host.',
      hint: 'Give another host than ***.',
    });
  });

  it("removes the text that oclif's parser puts around our own error, and keeps its code and hint", () => {
    const error = usageError('"0" (--timeout) is not a valid number of seconds.', 'Give 5.');
    error.message = `Parsing --timeout \n\t${error.message}\nSee more help with --help`;
    expect(toAtomctlError(error, [])).toMatchObject({
      code: 'USAGE',
      message: '"0" (--timeout) is not a valid number of seconds.',
      hint: 'Give 5.',
    });
  });

  it('leaves our own errors unchanged; any other error is an internal error with its first line', () => {
    const error = new AtomctlError('LOCKED', 'Note: this stays\nas it is.');
    expect(toAtomctlError(error, [])).toBe(error);
    const mistake = toAtomctlError(new TypeError('x of mysql://u:secret@h is\nnot a function'), []);
    expect([mistake.code, mistake.message]).toEqual(['INTERNAL', 'Internal error: x of mysql://u:***@h is.']);
    expect(toAtomctlError('thrown text', []).message).toContain('thrown text');
  });
});

describe('debugTrace', () => {
  it('has the stack of each cause and masks every secret, also if URL-encoded', () => {
    const cause = new Error('refused s3cret% for mysql://u:o/th@er@h/d');
    const trace = debugTrace(new AtomctlError('FAILED', 'Failed.', {cause}), ['s3cret%', 's3cret%25']);
    expect(trace).toMatch(
      /^AtomctlError: Failed\.\n {4}at [\s\S]+caused by Error: refused \*\*\* for mysql:\/\/u:\*\*\*@h\/d\n {4}at /,
    );
  });

  it('ends if causes form a circle', () => {
    const error = new Error('round');
    error.cause = error;
    expect(debugTrace(error, []).match(/round/g)!.length).toBeLessThan(10);
  });
});
