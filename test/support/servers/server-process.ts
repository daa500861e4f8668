import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, openSync, readFileSync} from 'node:fs';
import {connect, createServer, type NetConnectOpts, type Socket} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';

/**
 * A server never outlives the process that started it, not even after SIGKILL: a watchdog beside it reads a pipe
 * whose other end only this process holds, and kills the server when that end closes.
 * (A parent-death signal would not do: the kernel clears it when a server changes its user.)
 */
const GUARD = `
exec 3<&0
(cat <&3 >/dev/null; kill -KILL $$ 2>/dev/null) &
exec "$@" 3<&- </dev/null
`;

export interface ServerProcess {
  readonly pid: number;
  /** What it has printed so far, on stdout and stderr. */
  output(): string;
  exited(): boolean;
  /** Resolves to its exit status once it and its watchdog have ended; null if a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Asks it to end (SIGTERM), waits until it has. */
  stop(): Promise<number | null>;
  /** Ends it without warning (SIGKILL), as a crash would. */
  kill(): Promise<number | null>;
}

/** Starts a server in a session of its own, so that Ctrl-C reaches only us. */
export function spawnServer(command: string, args: readonly string[]): ServerProcess {
  const child = spawn('/bin/sh', ['-c', GUARD, command, command, ...args], {detached: true});
  let output = '';
  const collect = (chunk: string) => {
    output += chunk;
  };
  child.stdout.setEncoding('utf8').on('data', collect);
  child.stderr.setEncoding('utf8').on('data', collect);
  const closed = once(child, 'close');
  const ended = once(child, 'exit').then(async ([code]) => {
    child.stdin.destroy();
    await closed;
    return code as number | null;
  });
  const exited = () => child.exitCode !== null || child.signalCode !== null;
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended;
  };
  return {
    pid: child.pid!,
    output: () => output,
    exited,
    ended,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

/** Kills the process group of "$0" if the process that started this one ends. */
const GROUP_WATCHDOG = 'cat >/dev/null; kill -KILL "-$0" 2>/dev/null';

export interface GroupProcess extends ServerProcess {
  /** Kills what is left of its group, e.g. a child that outlived it. */
  killGroup(): void;
}

/**
 * Starts a program in a process group of its own, as nothing but itself: no shell of ours shows in /proc as its
 * parent, its child or its arguments. `stop` sends SIGTERM to the group, as systemd does to a unit; `kill` sends
 * SIGKILL to the program alone, as a crash would end it, so that its children go on. They may hold its output, which
 * is why that is a file and not a pipe.
 */
export function spawnGroup(
  command: string,
  args: readonly string[],
  {outputFile, ...options}: {cwd: string; env: NodeJS.ProcessEnv; outputFile: string},
): GroupProcess {
  const out = openSync(outputFile, 'a');
  const child = spawn(command, args, {...options, detached: true, stdio: ['ignore', out, out]});
  closeSync(out);
  const pid = child.pid!;
  const watchdog = spawn('/bin/sh', ['-c', GROUP_WATCHDOG, String(pid)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watchdog.unref();
  (watchdog.stdin as Socket).unref();
  const ended = once(child, 'exit').then(([code]) => {
    if (!signalGroup(pid, 0)) watchdog.kill('SIGKILL');
    return code as number | null;
  });
  return {
    pid,
    output: () => readFileSync(outputFile, 'utf8'),
    exited: () => child.exitCode !== null || child.signalCode !== null,
    ended,
    stop: () => {
      signalGroup(pid, 'SIGTERM');
      return ended;
    },
    kill: () => {
      child.kill('SIGKILL');
      return ended;
    },
    killGroup: () => {
      // Once the watchdog has ended, the group has too, and its number may belong to others.
      if (watchdog.exitCode !== null || watchdog.signalCode !== null) return;
      signalGroup(pid, 'SIGKILL');
      watchdog.kill('SIGKILL');
    },
  };
}

/** False if the group has no process. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}

/** Waits until the server accepts connections. False if it ended before that. */
async function waitUntilListening(server: ServerProcess, at: NetConnectOpts): Promise<boolean> {
  while (!server.exited()) {
    if (await accepts(at)) return true;
    await sleep(20);
  }
  return false;
}

/** Below the ports that the kernel gives to outgoing connections. */
const PORTS = {first: 10_000, count: 20_000};
/** Two processes that look for a port at the same time are not to find the same: each begins somewhere else. */
let nextPort = (process.pid * 101) % PORTS.count;

/** A TCP port on 127.0.0.1 that nothing listens on at the moment. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + nextPort;
    nextPort = (nextPort + 1) % PORTS.count;
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch {
    return false;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}

/**
 * Starts a server on a free port, or on the wanted one. A port may be taken between the look and the start, so a
 * server that ends at once is started again, a few times.
 * @param wanted.socketPath a Unix socket that the server opens after its port, if there is one
 * @throws Error with what the server said, if it never listens
 */
export async function startOnFreePort(
  start: (port: number) => ServerProcess,
  wanted: {port?: number | undefined; socketPath?: string} = {},
): Promise<{server: ServerProcess; port: number}> {
  for (let attempt = 1; ; attempt++) {
    const port = wanted.port ?? (await freePort());
    const server = start(port);
    const at = wanted.socketPath === undefined ? {host: '127.0.0.1', port} : {path: wanted.socketPath};
    if (await waitUntilListening(server, at)) return {server, port};
    if (attempt === 4) throw new Error(`The server did not start: ${server.output()}`);
  }
}

async function accepts(at: NetConnectOpts): Promise<boolean> {
  const socket = connect(at);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
