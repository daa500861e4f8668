import {once} from 'node:events';
import {type AddressInfo, connect, createServer, type Socket} from 'node:net';

/** A way to a server that can fall silent at any moment, as a stopped machine or a cut network does. */
export interface StallingProxy {
  readonly port: number;
  /** How many connections it has taken. */
  connections(): number;
  /** How many bytes it has passed on from the server. */
  received(): number;
  /** From now on nothing passes, in no connection, and none is closed. */
  stall(): void;
  /** Everything passes again, what was held back first. */
  resume(): void;
  /** Cuts every connection at once, without a farewell. */
  cut(): void;
  close(): Promise<void>;
}

/**
 * Starts one in front of a server on 127.0.0.1.
 * @param stallAfter how many bytes from the server pass before it falls silent by itself
 */
export async function startStallingProxy(
  port: number,
  {stallAfter = Number.POSITIVE_INFINITY} = {},
): Promise<StallingProxy> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let received = 0;
  let stalled = false;
  const heldBack: (() => void)[] = [];
  const server = createServer((client) => {
    connections++;
    const upstream = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => {}).on('close', () => to.destroy());
      from.on('data', (chunk) => {
        if (stalled) {
          heldBack.push(() => to.write(chunk));
          return;
        }
        if (from === upstream) received += chunk.length;
        if (received >= stallAfter) stalled = true;
        // Back-pressure goes through, so that a slow reader slows the server.
        if (!to.write(chunk)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    received: () => received,
    stall: () => {
      stalled = true;
    },
    resume: () => {
      stalled = false;
      stallAfter = Number.POSITIVE_INFINITY;
      for (const pass of heldBack.splice(0)) pass();
    },
    cut,
    close: async () => {
      cut();
      await once(server.close(), 'close');
    },
  };
}
