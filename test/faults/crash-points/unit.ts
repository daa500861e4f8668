import {chmodSync, existsSync, mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {WorkerProcess} from '../../support/workers/worker.ts';

/** The unit atom-worker.service of a machine whose systemctl is a script, and the worker that it runs. */
export interface Unit {
  /** A PATH with the script. */
  path: string;
  isRunning(): boolean;
  start(): Promise<void>;
  stop(): Promise<void>;
  close(): Promise<void>;
}

/** How often this process looks for what the script wants. */
const POLL_MS = 10;

/**
 * systemctl as atomctl uses it. For `stop` and `start` it leaves a file and waits until this process has removed it, as systemctl
 * waits for systemd: if atomctl is killed meanwhile, the change goes on.
 */
function script(directory: string, root: string, ability: string): string {
  return `#!/bin/sh
cd ${directory}
case "$*" in
  *UnitPath*) echo UnitPath= ;;
  *show*)
    echo Id=atom-worker.service
    echo LoadState=loaded
    if [ -e running ]; then
      echo ActiveState=active
      echo SubState=running
      echo "MainPID=$(cat running)"
    else
      echo ActiveState=inactive
      echo SubState=dead
    fi
    echo Result=success
    echo "WorkingDirectory=${root}"
    echo "ExecStart={ path=/usr/bin/php ; argv[]=/usr/bin/php symfony jobs:worker --abilities=${ability} ; ignore_errors=no ; }" ;;
  *' stop '*) touch stop; while [ -e stop ]; do sleep 0.02; done ;;
  *' start '*) touch start; while [ -e start ]; do sleep 0.02; done ;;
esac
`;
}

export function createUnit(options: {
  scratch: string;
  root: string;
  ability: string;
  startWorker: () => Promise<WorkerProcess>;
}): Unit {
  const {scratch, root, ability} = options;
  const bin = join(scratch, 'bin');
  mkdirSync(bin);
  const tools = {systemctl: script(scratch, root, ability), journalctl: '#!/bin/sh\n'};
  for (const [name, text] of Object.entries(tools)) {
    writeFileSync(join(bin, name), text);
    chmodSync(join(bin, name), 0o755);
  }
  const file = (name: string) => join(scratch, name);
  let worker: WorkerProcess | null = null;
  let isClosed = false;

  async function start(): Promise<void> {
    worker ??= await options.startWorker();
    writeFileSync(file('running'), `${worker.pid}`);
  }

  async function stop(): Promise<void> {
    await worker?.stop();
    worker = null;
    rmSync(file('running'), {force: true});
  }

  async function serve(): Promise<void> {
    for (; !isClosed; await sleep(POLL_MS)) {
      for (const [name, change] of Object.entries({stop, start})) {
        if (!existsSync(file(name))) continue;
        await change();
        rmSync(file(name), {force: true});
      }
    }
  }
  const served = serve();

  return {
    path: `${bin}:${process.env.PATH}`,
    isRunning: () => worker !== null,
    start,
    stop,
    async close() {
      isClosed = true;
      await served;
      await stop();
    },
  };
}
