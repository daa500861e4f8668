import {once} from 'node:events';
import {type AddressInfo, connect, createServer, type Socket} from 'node:net';

/** Where a connection breaks: before the n-th request reaches the server, or after the server has sent its n-th reply. */
export interface Break {
  at: 'request' | 'reply';
  /** From 1, counted over all connections in the order in which they pass. */
  step: number;
}

/** A way to a server on which one connection is reset at a chosen step; the others live on. */
export interface BreakingProxy {
  readonly port: number;
  /** Whether the step was reached. */
  broken(): boolean;
  close(): Promise<void>;
}

/** Starts one in front of a server on 127.0.0.1. A reply that is cut short has lost its second half. */
export async function startBreakingProxy(port: number, {at, step}: Break): Promise<BreakingProxy> {
  const sockets = new Set<Socket>();
  let passed = 0;
  let broken = false;
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const [from, to, kind] of [
      [client, upstream, 'request'],
      [upstream, client, 'reply'],
    ] as const) {
      sockets.add(from);
      from.on('error', () => {}).on('close', () => to.destroy());
      from.on('data', (chunk) => {
        if (kind === at && ++passed === step) {
          broken = true;
          if (kind === 'reply') to.write(chunk.subarray(0, chunk.length / 2));
          // The half is to arrive before the reset overtakes it.
          setTimeout(() => {
            client.resetAndDestroy();
            upstream.resetAndDestroy();
          }, 5);
          from.pause();
        } else to.write(chunk);
      });
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    broken: () => broken,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}

/** Runs `work` once for each step at which a connection can break, until it gets by without meeting the break. */
export async function atEachStep(
  port: number,
  at: Break['at'],
  work: (port: number, step: number, broken: () => boolean) => Promise<void>,
): Promise<number> {
  for (let step = 1; ; step++) {
    const proxy = await startBreakingProxy(port, {at, step});
    try {
      await work(proxy.port, step, proxy.broken);
      if (!proxy.broken()) return step - 1;
    } finally {
      await proxy.close();
    }
  }
}
