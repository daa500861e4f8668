import {type AddressInfo, createServer, type Server, type Socket} from 'node:net';
import {onTestFinished} from 'vitest';
import type {ServerAddress} from '../../../src/gearman/address.ts';
import {request} from '../../../src/gearman/packet.ts';

/** A server on a free loopback port that does as the test says, and is gone after it. */
export async function scriptedServer(
  onConnection: (socket: Socket) => void,
  host = '127.0.0.1',
): Promise<ServerAddress> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({allowHalfOpen: true}, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {host, port: (server.address() as AddressInfo).port};
}

/** A server's packet: a request's but for the magic word. */
export function response(type: number, ...args: string[]): Buffer {
  const bytes = request(type, ...args);
  bytes.write('\0RES', 'latin1');
  return bytes;
}
