import {connect, createServer, type Socket} from 'node:net';
import {TYPE} from './gearman-wire.mjs';

/** `worker` is whoever has sent SET_CLIENT_ID on the connection, as AtoM's workers do at once. */
export type Sender = 'worker' | 'client' | 'server to worker' | 'server to client';

export interface RecordedPacket {
  sender: Sender;
  type: number;
  fields: string[];
}

export interface RecordingProxy {
  /** `host:port` for workers and clients. */
  endpoint: string;
  /** In the order in which they came; between connections, that order says nothing. */
  packets: RecordedPacket[];
  /** How many workers have connected. */
  workers(): number;
  /** Runs before a worker's packet of this type reaches the server. */
  beforePassing(type: number, action: () => Promise<void>): void;
  close(): void;
}

const HEADER_BYTES = 12;

/** Passes everything on between a Gearman server and those who connect, and records the binary packets. */
export async function recordGearman(endpoint: string): Promise<RecordingProxy> {
  const [host, port] = endpoint.split(':');
  const packets: RecordedPacket[] = [];
  const hooks = new Map<number, () => Promise<void>>();
  let workers = 0;
  const listener = createServer((peer) => {
    const server = connect({host: host!, port: Number(port)});
    let isWorker = false;
    pass(peer, server, async (type, fields) => {
      if (type === TYPE.SET_CLIENT_ID) {
        isWorker = true;
        workers += 1;
      }
      packets.push({sender: isWorker ? 'worker' : 'client', type, fields});
      if (isWorker) await hooks.get(type)?.();
    });
    pass(server, peer, async (type, fields) => {
      packets.push({sender: `server to ${isWorker ? 'worker' : 'client'}`, type, fields});
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const {port: ownPort} = listener.address() as {port: number};
  return {
    endpoint: `127.0.0.1:${ownPort}`,
    packets,
    workers: () => workers,
    beforePassing: (type, action) => hooks.set(type, action),
    close: () => listener.close(),
  };
}

/** One direction of a connection. Lines of the administrative protocol are passed on unrecorded. */
function pass(from: Socket, to: Socket, seen: (type: number, fields: string[]) => Promise<void>): void {
  let buffer = Buffer.alloc(0);
  let queue = Promise.resolve();
  from.on('data', (chunk: Buffer) => {
    if (buffer.length === 0 && chunk[0] !== 0) {
      to.write(chunk);
      return;
    }
    buffer = Buffer.concat([buffer, chunk]);
    while (buffer.length >= HEADER_BYTES && buffer.length >= HEADER_BYTES + buffer.readUInt32BE(8)) {
      const packet = buffer.subarray(0, HEADER_BYTES + buffer.readUInt32BE(8));
      buffer = buffer.subarray(packet.length);
      const body = packet.subarray(HEADER_BYTES).toString();
      const fields = body === '' ? [] : body.split('\0');
      queue = queue.then(() => seen(packet.readUInt32BE(4), fields)).then(() => void to.write(packet));
    }
  });
  from.on('close', () => to.destroy()).on('error', () => to.destroy());
}
