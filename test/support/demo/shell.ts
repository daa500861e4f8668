import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {DemoSite} from './demo-site.ts';

const WELCOME = `
A site of your own, with about 200 jobs, a queue and a worker. Nothing here
touches anything else, and all of it goes when you leave the shell. It has no
systemd for the worker:* commands, and its executing job never ends. Try:

    atomctl jobs:list            atomctl queue:status         atomctl config
    atomctl jobs:show 1100       atomctl jobs:kill --help     atomctl --help
`;

/** Opens a shell on the demo's site and waits until the user leaves it. */
export async function openShell({env, cwd}: DemoSite): Promise<void> {
  const startup = join(cwd, '.bashrc');
  await writeFile(startup, "PS1='atomctl demo \\$ '\n");
  console.log(WELCOME);
  // Ctrl-C at the prompt is the shell's; it must not take the servers away.
  process.on('SIGINT', () => {});
  await once(spawn('bash', ['--rcfile', startup], {env, cwd, stdio: 'inherit'}), 'exit');
}
