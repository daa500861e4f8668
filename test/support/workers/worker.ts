import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {connect} from 'node:net';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {type GroupProcess, spawnGroup} from '../servers/server-process.ts';
import type {AtomSite} from '../site/atom-site.ts';

/**
 * A running `php symfony jobs:worker`. `stop` ends it and its children as systemd does: AtoM's worker exits with 0,
 * or, up to 2.6, ends by the signal. After `kill`, the child of an import goes on and keeps the connection open;
 * without one, Gearman sees the connection go and hands the worker's job out again.
 */
export interface WorkerProcess extends GroupProcess {
  /** The ids of the jobs that it began, in order; an id twice was begun twice. */
  started(): number[];
}

/** Serial jobs wait this long for one another in tests; AtoM's own ten seconds are the worker's default. */
const SERIAL_SECONDS = '0.2';

let count = 0;

/**
 * Starts a worker of the site; it is registered at every server of the site that answers once this resolves.
 * @param args as `jobs:worker` takes them, e.g. `--abilities=arFileImportJob`
 */
export async function startWorker(
  site: AtomSite,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<WorkerProcess> {
  const worker = spawnGroup('php', ['symfony', 'jobs:worker', ...args], {
    cwd: site.root,
    outputFile: join(site.root, `sandbox/output-${++count}`),
    env: {...process.env, SANDBOX_SERIAL_SECONDS: SERIAL_SECONDS, ...env},
  });
  site.onDrop(() => worker.killGroup());
  await waitFor(worker, () => worker.output().includes(`PID ${worker.pid}\n`));
  const abilities = worker.output().match(/New ability: /g)?.length ?? 0;
  for (const endpoint of site.gearman) {
    await waitFor(worker, async () => (await abilitiesAt(endpoint, worker.pid)) === abilities);
  }
  const record = join(site.root, 'sandbox/started', String(worker.pid));
  return {...worker, started: () => readIds(record)};
}

async function waitFor(worker: GroupProcess, condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) {
    if (worker.exited()) throw new Error(`The worker did not start: ${worker.output()}`);
    await sleep(10);
  }
}

/** How many functions a server has of the worker: its bytes may still be under way after it has sent them. */
async function abilitiesAt(endpoint: string, pid: number): Promise<number> {
  const [host, port] = endpoint.split(':');
  const socket = connect({host: host!, port: Number(port)});
  try {
    await once(socket, 'connect');
    socket.setEncoding('latin1').write('workers\n');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    while (!answer.endsWith('.\n')) await once(socket, 'data');
    const line = answer.split('\n').find((one) => one.includes(` pid_${pid}_`)) ?? '';
    return line
      .slice(line.lastIndexOf(' : ') + 3)
      .split(' ')
      .filter(Boolean).length;
  } finally {
    socket.destroy();
  }
}

function readIds(file: string): number[] {
  try {
    return readFileSync(file, 'utf8').trim().split('\n').map(Number);
  } catch {
    return [];
  }
}
