import {once} from 'node:events';
import {connect, createServer, type Server, type Socket} from 'node:net';
import {join} from 'node:path';
import {parseAddress} from '../../../src/gearman/address.ts';
import {connectServer, type GearmanServer} from '../../../src/gearman/server.ts';
import {
  freePort,
  type ServerProcess,
  spawnServer,
  startOnFreePort,
} from '../../support/servers/server-process.ts';
import type {GearmandOptions} from '../gearmand.ts';

/**
 * A gearmand that can be stopped and comes back on its port. One that is not on the host of atomctl is here too, but is
 * reached through a forwarded port, as through a tunnel: no process here has that port.
 */
export class RealGearmand {
  /** What AtoM and atomctl call it, `host:port`. */
  readonly endpoint: string;
  private process: ServerProcess | null = null;
  private admin: GearmanServer | null = null;
  private readonly forward: Forward | null;

  private constructor(
    private readonly options: Omit<GearmandOptions, 'address'>,
    private readonly port: number,
    publicPort: number,
    private readonly directory: string,
  ) {
    this.endpoint = `127.0.0.1:${publicPort}`;
    this.forward = publicPort === port ? null : new Forward(publicPort, port);
  }

  static async create(options: Omit<GearmandOptions, 'address'>, directory: string): Promise<RealGearmand> {
    const port = await freePort();
    return new RealGearmand(options, port, options.here ? port : await freePort(), directory);
  }

  async start(): Promise<void> {
    const {here, onlyLoopback, durable, retryLimit} = this.options;
    const args = [
      ...(here && !onlyLoopback ? [] : ['--listen=127.0.0.1']),
      `--port=${this.port}`,
      '--log-file=stderr',
      ...(retryLimit > 0 ? [`--job-retries=${retryLimit}`] : []),
      ...(durable
        ? ['--queue-type=libsqlite3', `--libsqlite3-db=${join(this.directory, `queue-${this.port}`)}`]
        : []),
    ];
    const {server} = await startOnFreePort(() => spawnServer('/usr/sbin/gearmand', args), {port: this.port});
    this.process = server;
    await this.forward?.open();
    this.admin = await connectServer(parseAddress(this.endpoint, 'the simulation'), {timeoutSeconds: 5});
  }

  /** As a crash or kill -9 ends it. */
  async stop(): Promise<void> {
    this.admin?.close();
    this.admin = null;
    this.forward?.close();
    await this.process?.kill();
    this.process = null;
  }

  /** Undefined while it is stopped. */
  get connection(): GearmanServer | undefined {
    return this.admin ?? undefined;
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }
}

/** A port that leads to another one. */
class Forward {
  private server: Server | null = null;
  private readonly sockets = new Set<Socket>();

  constructor(
    private readonly from: number,
    private readonly to: number,
  ) {}

  async open(): Promise<void> {
    this.server = createServer((client) => {
      const server = connect(this.to, '127.0.0.1');
      for (const [one, other] of [
        [client, server],
        [server, client],
      ] as const) {
        this.sockets.add(one);
        one.pipe(other);
        one.on('error', () => {});
        one.on('close', () => {
          this.sockets.delete(one);
          other.destroy();
        });
      }
    }).listen(this.from, '127.0.0.1');
    await once(this.server, 'listening');
  }

  close(): void {
    this.server?.close();
    this.server = null;
    for (const socket of this.sockets) socket.destroy();
  }
}
