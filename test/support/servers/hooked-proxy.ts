import {once} from 'node:events';
import {type AddressInfo, connect, createServer} from 'node:net';

/** A way to a server that lets something happen between two requests. */
export interface HookedProxy {
  readonly port: number;
  close(): void;
}

/**
 * Starts one in front of a server on 127.0.0.1, for connections without TLS.
 * @param before is awaited before each request of a client is passed on
 */
export async function startHookedProxy(
  port: number,
  before: (request: string) => Promise<void> | undefined,
): Promise<HookedProxy> {
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    let passed = Promise.resolve();
    client.on('data', (chunk) => {
      passed = passed.then(() => before(chunk.toString('latin1'))).then(() => void upstream.write(chunk));
    });
    upstream.on('data', (chunk) => client.write(chunk));
    client.on('error', () => {}).on('close', () => upstream.destroy());
    upstream.on('error', () => {}).on('close', () => client.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const {port: ownPort} = server.address() as AddressInfo;
  return {port: ownPort, close: () => server.close()};
}
