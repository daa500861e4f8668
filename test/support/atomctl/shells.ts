import {spawn} from 'node:child_process';
import {join} from 'node:path';
import {cleanEnvironment} from './run-atomctl.ts';

/** Interactive shells without the user's settings, and the line that turns atomctl's completion on in each. */
export const SHELLS = [
  {shell: 'bash', run: 'bash --norc --noprofile -i', setUp: 'source <(atomctl completion bash)'},
  {
    shell: 'zsh',
    run: 'zsh -f -i',
    setUp: 'autoload -Uz compinit; compinit -u -D; source <(atomctl completion zsh)',
  },
  {shell: 'fish', run: 'fish --no-config -i', setUp: 'atomctl completion fish | source'},
];

/**
 * What the screen shows as lines are typed into a shell on a terminal; each `\t` presses Tab, and the last has to end the shell.
 * @param directory is its working directory and its home; in its `bin` is the command that it finds first
 */
export function typeIntoShell(
  run: string,
  lines: readonly string[],
  {directory, env}: {directory: string; env: Readonly<Record<string, string>>},
): Promise<string> {
  const child = spawn('script', ['-qec', run, '/dev/null'], {
    cwd: directory,
    env: cleanEnvironment({
      ...env,
      PATH: `${join(directory, 'bin')}:${process.env.PATH}`,
      HOME: directory,
      XDG_CONFIG_HOME: directory,
      TERM: 'xterm',
    }),
  });
  child.stdin.write(lines.map((line) => `${line}\n`).join(''));
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    screen += chunk;
  });
  return new Promise((resolve) => {
    child.on('close', () => resolve(screen));
  });
}
