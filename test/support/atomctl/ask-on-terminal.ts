import {type ChildProcessWithoutNullStreams, spawn} from 'node:child_process';
import {once} from 'node:events';
import {until} from '../until.ts';
import {ATOMCTL, cleanEnvironment} from './run-atomctl.ts';

/** atomctl on a terminal, up to its question. @returns what answers it, and gives the screen from the question on, unwrapped */
export async function askOnTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<(answer: string) => Promise<{code: number; screen: string}>> {
  const command = [...ATOMCTL, ...args].join(' ');
  const child: ChildProcessWithoutNullStreams = spawn('script', ['-qefc', command, '/dev/null'], {
    env: cleanEnvironment({...env, TERM: 'dumb'}),
  });
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    screen += chunk;
  });
  await until(() => screen.includes('(y/N)'));
  const closed = once(child, 'close');
  child.once('exit', () => child.stdin.end());
  return async (answer) => {
    child.stdin.write(`${answer}\n`);
    const [code] = (await closed) as [number];
    return {
      code,
      screen: screen
        .slice(screen.indexOf('(y/N)'))
        .replace(/\r\n {2}/g, ' ')
        .replaceAll('\r\n', '\n'),
    };
  };
}
