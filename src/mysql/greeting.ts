import type {Socket} from 'node:net';
import {AtomctlError} from '../errors.ts';
import type {ServerInfo} from './database.ts';

const ERROR_PACKET = 0xff;
const PROTOCOL_VERSION = 10;
/** A greeting is under a hundred bytes; what has not named its version by here is no MySQL server. */
const MAX_BYTES = 1024;
/** MariaDB before 11 puts this before its version, for the sake of old replicas. */
const REPLICATION_PREFIX = /^5\.5\.5-(?=.*mariadb)/i;

/**
 * Reads what a MySQL server says first, so that no driver is needed to tell one from a web server.
 * @returns the server; null where more bytes are needed; 'refusal' where it greets with an error packet (too many
 *   connections, host not allowed), which the driver then reads; 'stranger' where it is not MySQL's protocol
 */
export function parseGreeting(bytes: Buffer): ServerInfo | 'refusal' | 'stranger' | null {
  // Three bytes of length, the sequence number, then the packet.
  if (bytes.length < 5) return null;
  if (bytes[3] !== 0) return 'stranger';
  if (bytes[4] === ERROR_PACKET) return 'refusal';
  if (bytes[4] !== PROTOCOL_VERSION) return 'stranger';
  const end = bytes.indexOf(0, 5);
  if (end === -1) return bytes.length > MAX_BYTES ? 'stranger' : null;
  const version = bytes.toString('latin1', 5, end).replace(REPLICATION_PREFIX, '');
  return {flavour: /mariadb/i.test(version) ? 'mariadb' : 'mysql', version};
}

/**
 * Waits for the server's greeting and leaves its bytes in the socket for the driver.
 * @returns null where the server greets with a refusal
 * @throws AtomctlError DATABASE_UNREACHABLE where it does not speak MySQL; whatever the socket fails with
 */
export function readGreeting(socket: Socket, place: string): Promise<ServerInfo | null> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    function settle(): void {
      socket.off('readable', onReadable).off('error', reject).off('close', onClose);
    }
    function onReadable(): void {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      received = Buffer.concat([received, chunk]);
      const greeting = parseGreeting(received);
      if (greeting === null) return;
      settle();
      // The driver reads them again from the start.
      socket.unshift(received);
      if (greeting === 'stranger') reject(notMysql(place));
      else resolve(greeting === 'refusal' ? null : greeting);
    }
    function onClose(): void {
      reject(Object.assign(new Error('closed before the greeting'), {code: 'PROTOCOL_CONNECTION_LOST'}));
    }
    socket.on('readable', onReadable).once('error', reject).once('close', onClose);
  });
}

function notMysql(place: string): AtomctlError {
  return new AtomctlError('DATABASE_UNREACHABLE', `What answers at ${place} is not a MySQL server.`, {
    hint: 'Check the host and the port of the database; MySQL and MariaDB listen on 3306 unless told otherwise.',
  });
}
