import type {Socket} from 'node:net';
import {AtomctlError} from '../errors.ts';
import type {ServerInfo} from './database.ts';

const ERROR_PACKET = 0xff;
const PROTOCOL_VERSION = 10;
/** A greeting has less than a hundred bytes; a server that has sent so many without a version is not MySQL. */
const MAX_BYTES = 1024;
/** MariaDB before 11 puts this before its version, because old replicas need it. */
const REPLICATION_PREFIX = /^5\.5\.5-(?=.*mariadb)/i;

/**
 * Reads what a MySQL server sends first, so that a web server is recognised without the driver.
 * @returns the server; null if more bytes are needed; 'refusal' if it greets with an error packet (too many
 *   connections, host not allowed), which the driver then reads; 'not-mysql' if it is not MySQL's protocol
 */
export function parseGreeting(bytes: Buffer): ServerInfo | 'refusal' | 'not-mysql' | null {
  // Three bytes of length, the sequence number, then the packet.
  if (bytes.length < 5) return null;
  if (bytes[3] !== 0) return 'not-mysql';
  if (bytes[4] === ERROR_PACKET) return 'refusal';
  if (bytes[4] !== PROTOCOL_VERSION) return 'not-mysql';
  const end = bytes.indexOf(0, 5);
  if (end === -1) return bytes.length > MAX_BYTES ? 'not-mysql' : null;
  const version = bytes.toString('latin1', 5, end).replace(REPLICATION_PREFIX, '');
  return {flavour: /mariadb/i.test(version) ? 'mariadb' : 'mysql', version};
}

/**
 * Waits for the server's greeting and leaves its bytes in the socket for the driver.
 * @returns null if the server greets with a refusal
 * @throws AtomctlError DATABASE_UNREACHABLE if it does not speak MySQL; whatever the socket fails with
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
      if (greeting === 'not-mysql') reject(notMysql(place));
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
    hint: 'Check the host and the port of the database; the default port of MySQL and MariaDB is 3306.',
  });
}
