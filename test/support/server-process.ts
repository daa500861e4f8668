import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {connect, createServer, type NetConnectOpts} from 'node:net';
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
  /** Resolves to its exit status once it and its watchdog have ended; null where a signal ended it. */
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

/** Waits until the server accepts connections. False where it ended before that. */
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
 * @param wanted.socketPath a Unix socket that the server opens after its port, where there is one
 * @throws Error with what the server said, where it never listens
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
