import {setTimeout as sleep} from 'node:timers/promises';
import {connectDatabase} from './connect.ts';
import type {Database, DatabaseConfig} from './database.ts';

export interface NamedLockOptions {
  /** At most 64 characters; the same on every host. It is the server's, not the database's. */
  name: string;
  /** Who holds it and what for, one line: others who want the lock are told, and so is SHOW PROCESSLIST. */
  holder: string;
  /** Bounds the connection, as in connectDatabase. */
  timeoutSeconds: number;
}

export type NamedLock =
  | {taken: true; release: () => Promise<void>}
  /** `holder` as the other one put it; where the server does not show it, the other's connection. */
  | {taken: false; holder: string};

/** How long a holder's word stands: as long after its end may it take until the server notices. */
const WORD_SECONDS = 1;
/** A holder whose host lost its power, so that no connection was closed, loses the lock after this. */
const SILENCE_SECONDS = 10;

/**
 * Takes a lock of the server itself (GET_LOCK), on a connection of its own, or says who has it; never waits. The
 * lock ends with the connection, so with the process that holds it, however that ends. It works across hosts, needs no
 * privilege, no file and no table.
 *
 * The server does not keep a word with a lock. But it shows the statement that a connection is about: the holder
 * is about `DO SLEEP(1), 'who'`, over and over, which is its sign of life, too.
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
  await database.execute(`SET SESSION wait_timeout = ${SILENCE_SECONDS}`);
  let held = true;
  const word = `DO SLEEP(${WORD_SECONDS}), '${holder.replace(/['"\\\p{Cc}]/gu, ' ')}'`;
  const giveWord = async () => {
    while (held) await database.execute(word);
  };
  // It fails where the connection is gone, and the lock with it, or where it is cut short by the release.
  const ended = giveWord().catch(() => {});
  return {
    taken: true,
    release: async () => {
      held = false;
      await cutShort(config, id, timeoutSeconds);
      await ended;
      await database.execute('DO RELEASE_LOCK(?)', [name]).catch(() => {});
      await database.close();
    },
  };
}

/** Ends the sleep, so that a release takes no second. Where that fails, the second passes. */
async function cutShort(config: DatabaseConfig, id: number, timeoutSeconds: number): Promise<void> {
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

/** Between two words, and before the first, a holder is silent for a moment. */
const LOOKS = 10;
const PAUSE_MS = 50;

async function holderOf(database: Database, name: string): Promise<string> {
  for (let look = 1; ; look++) {
    const {word, connection} = await fetchHolder(database, name);
    if (word !== undefined) return word;
    if (look === LOOKS) return connection;
    await sleep(PAUSE_MS);
  }
}

/** An account sees its own processes without any privilege; another account's needs PROCESS. */
async function fetchHolder(
  database: Database,
  name: string,
): Promise<{word: string | undefined; connection: string}> {
  const [lock] = await database.query<{id: number | null}>('SELECT IS_USED_LOCK(?) AS id', [name]);
  const processes = await database.query<Process>('SHOW FULL PROCESSLIST');
  const holder = processes.find(({Id}) => Id === lock?.id);
  return {
    word: /^DO SLEEP\(\d+\), '([^']*)'$/.exec(holder?.Info ?? '')?.[1],
    connection:
      holder === undefined ? 'someone else' : `connection ${holder.Id} of ${holder.User} from ${holder.Host}`,
  };
}
