import {isIP} from 'node:net';
import {AtomctlError} from '../../errors.ts';
import type {Queryable} from '../../mysql/database.ts';
import type {Socket} from '../../processes/process-sockets.ts';
import {READ_CHARACTERS, shownQuery} from './mask-query.ts';

/** What a session of the database executes. */
export interface SessionQuery {
  /** null if it executes nothing now. */
  query: string | null;
  /** Since the statement began, or since the last one ended. */
  seconds: number;
}

interface StoredSession {
  host: string;
  command: string;
  seconds: number | null;
  info: string | null;
}

/**
 * The session of the database at the other end of one of these connections: the server shows the address and port from which
 * each comes. A server that looks names up shows a name in place of the address. null if the server shows this account none;
 * without the privilege PROCESS it shows only the account's own.
 * @throws AtomctlError for the database
 */
export async function sessionOf(
  database: Queryable,
  connections: readonly Pick<Socket, 'local'>[],
): Promise<SessionQuery | null> {
  if (connections.length === 0) return null;
  const ports = connections.map(({local}) => String(local.port));
  const sessions = await database.query<StoredSession>(
    `SELECT HOST AS host, COMMAND AS command, TIME AS seconds, LEFT(INFO, ${READ_CHARACTERS}) AS info
     FROM information_schema.PROCESSLIST WHERE SUBSTRING_INDEX(HOST, ':', -1) IN (?) AND ID <> CONNECTION_ID()`,
    [ports],
  );
  const own = sessions.filter(({host}) => connections.some(({local}) => isFrom(host, local)));
  const executes = ({info, command}: StoredSession) => info !== null && command !== 'Sleep';
  // One that it inherited may be among them, of a parent that has ended.
  const found = own.find(executes) ?? own[0];
  if (found === undefined) return null;
  return {
    query: executes(found) ? shownQuery(found.info!) : null,
    seconds: Math.max(0, Number(found.seconds ?? 0)),
  };
}

function isFrom(host: string, {address, port}: Socket['local']): boolean {
  const at = host.lastIndexOf(':');
  if (at === -1 || host.slice(at + 1) !== String(port)) return false;
  const name = host
    .slice(0, at)
    .replace(/^\[|\]$/g, '')
    .replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIP(name) !== 0) return name === address;
  const isLoopback = address.startsWith('127.') || address === '::1';
  return isLoopback === (name === 'localhost');
}

/** The same, with the reason in place of what the database refuses. */
export async function sessionOrReason(
  database: Queryable,
  connections: readonly Pick<Socket, 'local'>[],
): Promise<SessionQuery | string> {
  try {
    return (
      (await sessionOf(database, connections)) ??
      "The database shows this account no session that comes from the process: without the privilege PROCESS it shows only an account's own."
    );
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    return `The sessions of the database cannot be read: ${error.message}`;
  }
}
