import {PassThrough} from 'node:stream';
import {describe, expect, it} from 'vitest';
import {type ConfirmOptions, confirm} from '../../../../src/cli/terminal/confirm.ts';

type Terminal = PassThrough & {isTTY: boolean};

function terminal(isTTY = true): Terminal {
  return Object.assign(new PassThrough(), {isTTY});
}

function options(stdin: Terminal, stderr: Terminal, more: object = {}): ConfirmOptions {
  const streams = {stdin, stdout: terminal(), stderr} as unknown as Pick<
    ConfirmOptions,
    'stdin' | 'stdout' | 'stderr'
  >;
  return {site: async () => 'Site x.', question: 'Sure? (y/N)', assumeYes: false, ...streams, ...more};
}

/** The outcome of an answer, and the question that was printed. */
async function answered(text: string): Promise<[outcome: string, asked: string]> {
  const [stdin, stderr] = [terminal(), terminal()];
  stdin.end(text);
  const outcome = await confirm(options(stdin, stderr)).then(
    () => 'yes',
    (error) => error.code,
  );
  return [outcome, String(stderr.read())];
}

describe('confirm', () => {
  it.each(['y\n', 'Y\n', 'yes\n', ' YES \r\n'])('goes ahead on %j', async (text) => {
    expect(await answered(text)).toEqual(['yes', expect.stringContaining('Sure? (y/N) ')]);
  });

  it.each(['\n', 'n\n', 'yep\n', 'ja\n', 'y es\n'])('takes %j as no', async (text) => {
    expect((await answered(text))[0]).toBe('DECLINED');
  });

  it('takes the end of input as an interruption', async () => {
    expect((await answered(''))[0]).toBe('INTERRUPTED');
  });

  it('does not ask if a flag has answered, and refuses to ask without a terminal', async () => {
    const stderr = terminal();
    await confirm(options(terminal(false), stderr, {assumeYes: true}));
    for (const silent of [{stdin: terminal(false)}, {stdout: terminal(false)}]) {
      await expect(confirm(options(terminal(), stderr, silent))).rejects.toMatchObject({
        code: 'NEEDS_CONFIRMATION',
        exitStatus: 2,
      });
    }
    expect(stderr.read()).toBeNull();
  });
});
