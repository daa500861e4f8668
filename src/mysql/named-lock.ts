import {setTimeout as sleep} from 'node:timers/promises';
import {connectDatabase} from './connect.ts';
import type {Database, DatabaseConfig, Queryable} from './database.ts';

export interface NamedLockOptions {
  /** At most 64 characters; the same on every host. It is the server's, not the database's. */
  name: string;
  /** Who holds it and what for, one line: shown to others who want the lock, and in SHOW PROCESSLIST. */
  holder: string;
  /** Timeout of the connection, as in connectDatabase. */
  timeoutSeconds: number;
}

export type NamedLock =
  | {
      taken: true;
      /** Whether this connection still has it: a process that was stopped for long has lost it. */
      isHeld: (database: Queryable) => Promise<boolean>;
      release: () => Promise<void>;
    }
  /** `holder` as the other process gave it; if the server does not show it, the connection of the other. */
  | {taken: false; holder: string};

/** How long one statement of the holder sleeps; the server notices the end of the holder within this time. */
const SLEEP_SECONDS = 1;
/** A holder whose host lost power, so that its connection was not closed, loses the lock after this time. */
const IDLE_SECONDS = 10;

/**
 * Takes a lock of the server itself (GET_LOCK), on a connection of its own, or returns who has it; never waits. The
 * lock ends with the connection, and so with the process that holds it, however that ends. It works across hosts, and
 * needs no privilege, no file and no table.
 *
 * The server stores no text with a lock, but it shows the statement that a connection executes. So the holder repeats
 * `DO SLEEP(1), 'who'`, which also shows that it is alive.
 * @throws AtomctlError for the connection, as connectDatabase does
 */
export async function takeNamedLock(config: DatabaseConfig, options: NamedLockOptions): Promise<NamedLock> {
  const database = await connectDatabase(config, options);
  try {
    const [row] = await database.query<{taken: number; id: number}>(
      'SELECT GET_LOCK(?, 0) AS taken, CONNECTION_ID() AS id',
      [options.name],
    );
    if (row?.taken === 1) return await hold(database, row.id, options, config);
    const holder = await holderOf(database, options.name);
    await database.close();
    return {taken: false, holder};
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function hold(
  database: Database,
  id: number,
  {name, holder, timeoutSeconds}: NamedLockOptions,
  config: DatabaseConfig,
): Promise<NamedLock> {
  await database.execute(`SET SESSION wait_timeout = ${IDLE_SECONDS}`);
  let held = true;
  const statement = `DO SLEEP(${SLEEP_SECONDS}), '${holder.replace(/['"\\\p{Cc}]/gu, ' ')}'`;
  const repeatStatement = async () => {
    while (held) await database.execute(statement);
  };
  // It fails if the connection is gone, and the lock with it, or if the release interrupts it.
  const ended = repeatStatement().catch(() => {});
  return {
    taken: true,
    isHeld: async (other) => {
      const [lock] = await other.query<{id: number | null}>('SELECT IS_USED_LOCK(?) AS id', [name]);
      return lock?.id === id;
    },
    release: async () => {
      held = false;
      await interruptSleep(config, id, timeoutSeconds);
      await ended;
      await database.execute('DO RELEASE_LOCK(?)', [name]).catch(() => {});
      await database.close();
    },
  };
}

/** Ends the sleep, so that a release is immediate. If this fails, the release waits for the end of the sleep. */
async function interruptSleep(config: DatabaseConfig, id: number, timeoutSeconds: number): Promise<void> {
  try {
    const other = await connectDatabase(config, {timeoutSeconds});
    await other.execute(`KILL QUERY ${id}`).finally(() => other.close());
  } catch {}
}

interface Process {
  Id: number;
  User: string;
  Host: string;
  Info: string | null;
}

/** Between two statements, and before the first, the holder's text is not shown for a moment. */
const ATTEMPTS = 10;
const PAUSE_MS = 50;

async function holderOf(database: Database, name: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const {holder, connection} = await fetchHolder(database, name);
    if (holder !== undefined) return holder;
    if (attempt === ATTEMPTS) return connection;
    await sleep(PAUSE_MS);
  }
}

/** An account sees its own processes without any privilege; another account's needs PROCESS. */
async function fetchHolder(
  database: Database,
  name: string,
): Promise<{holder: string | undefined; connection: string}> {
  const [lock] = await database.query<{id: number | null}>('SELECT IS_USED_LOCK(?) AS id', [name]);
  const processes = await database.query<Process>('SHOW FULL PROCESSLIST');
  const found = processes.find(({Id}) => Id === lock?.id);
  return {
    holder: /^DO SLEEP\(\d+\), '([^']*)'$/.exec(found?.Info ?? '')?.[1],
    connection:
      found === undefined ? 'another session' : `connection ${found.Id} of ${found.User} from ${found.Host}`,
  };
}
