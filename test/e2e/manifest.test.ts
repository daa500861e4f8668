import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';
import {installed} from '../support/installed.ts';

const run = promisify(execFile);
const repository = new URL('../..', import.meta.url);

test.each(['manifest.js', 'man.js'])(
  'what bin/%s makes of the commands is what is committed',
  async (name) => {
    const script = fileURLToPath(new URL(`bin/${name}`, repository));
    await expect(run(process.execPath, [script, '--check'])).resolves.toMatchObject({stderr: ''});
  },
);

test('man renders the manual page without warnings', async ({skip}) => {
  skip(!installed('man'), 'man is not installed');
  const page = fileURLToPath(new URL('man/atomctl.1', repository));
  const env = {...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '80', MANPAGER: 'cat'};
  const manual = await run('man', ['--warnings', '--local-file', page], {env});
  expect(manual.stderr).toBe('');
  expect(manual.stdout).toContain('--older-than AGE');
  expect(manual.stdout).toMatch(/EXIT STATUS[\s\S]*124\s+jobs:wait or queue:hold: timed out/);
  expect(manual.stdout).not.toMatch(/<%=|undefined/);
});
