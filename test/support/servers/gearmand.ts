import {type ServerProcess, spawnServer, startOnFreePort} from './server-process.ts';

/** A Gearman server of our own on 127.0.0.1. */
export interface GearmanProcess {
  address: {host: string; port: number};
  /** `host:port`, as flags and gearman.yml have it. */
  endpoint: string;
  pid: number;
  /** SIGTERM; `kill` is SIGKILL. Either way a queue in memory is gone. */
  stop(): Promise<unknown>;
  kill(): Promise<unknown>;
}

export interface GearmandOptions {
  /** A port of one's choice, to come back on the same one after a stop. */
  port?: number;
}

/** gearmand, the C server (Debian's gearman-job-server). `args` go to it as they are, e.g. `--job-retries=2`. */
export function startGearmand(
  args: readonly string[] = [],
  options: GearmandOptions = {},
): Promise<GearmanProcess> {
  return startGearmanServer(options.port, (port) =>
    spawnServer('/usr/sbin/gearmand', ['--listen=127.0.0.1', `--port=${port}`, '--log-file=stderr', ...args]),
  );
}

/** Gearman::Server, the Perl one (Debian's gearman-server, whose script is called gearmand too). */
export function startPerlGearmand(options: GearmandOptions = {}): Promise<GearmanProcess> {
  return startGearmanServer(options.port, (port) =>
    spawnServer('perl', ['/usr/bin/gearmand', '--listen=127.0.0.1', `--port=${port}`]),
  );
}

async function startGearmanServer(
  wantedPort: number | undefined,
  start: (port: number) => ServerProcess,
): Promise<GearmanProcess> {
  const {server, port} = await startOnFreePort(start, {port: wantedPort});
  return {
    address: {host: '127.0.0.1', port},
    endpoint: `127.0.0.1:${port}`,
    pid: server.pid,
    stop: server.stop,
    kill: server.kill,
  };
}
