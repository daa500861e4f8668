import {execFile} from 'node:child_process';
import {userInfo} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {createScratch} from '../scratch.ts';
import {type ServerProcess, spawnServer, startOnFreePort} from './server-process.ts';

const run = promisify(execFile);

/** How to reach a private MariaDB as AtoM does. `root` has no password there and may do everything. */
export interface MariadbConnection {
  host: string;
  port: number;
  socketPath: string;
  user: string;
  password: string;
}

export interface MariadbProcess extends MariadbConnection {
  pid(): number;
  /** Ends it in good order; the data stay for the next start. */
  stop(): Promise<unknown>;
  /** Ends it as a crash would; the data stay for the next start. */
  kill(): Promise<unknown>;
  /** Starts it again on the same port and socket. */
  start(): Promise<void>;
}

/** Searched for in all that atomctl prints: it must never turn up there. */
export const ATOM_PASSWORD = 'never-print-this-7Qx';

/** What makes a server for tests start and write fast: it survives a crash of its own, not of the machine. */
const FAST_AND_CARELESS = [
  '--innodb-flush-method=nosync',
  '--innodb-flush-log-at-trx-commit=2',
  '--innodb-doublewrite=OFF',
  '--innodb-fast-shutdown=2',
  '--innodb-stats-persistent=OFF',
  '--innodb-buffer-pool-size=256M',
  '--performance-schema=OFF',
  '--skip-log-bin',
];

/**
 * A MariaDB in a directory of its own, on a free port of 127.0.0.1 and a socket. It reads no option file and
 * shares nothing with a server that the machine may run.
 * @param args more options for mariadbd; a later one wins over ours
 */
export async function startMariadb(args: readonly string[] = []): Promise<MariadbProcess> {
  const scratch = createScratch('mariadb');
  const socketPath = join(scratch, 'mysqld.sock');
  const ownFiles = [
    '--no-defaults',
    `--datadir=${join(scratch, 'data')}`,
    // Temporary tables in /tmp may be swept away by whoever tidies it.
    `--tmpdir=${scratch}`,
    `--user=${userInfo().username}`,
  ];
  const logSize = '--innodb-log-file-size=64M';
  await run('mariadb-install-db', [
    ...ownFiles,
    logSize,
    '--innodb-flush-method=nosync',
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    // Else it wants a host name that resolves, which a container may not have.
    '--force',
  ]);
  const options = [
    ...ownFiles,
    logSize,
    `--socket=${socketPath}`,
    `--pid-file=${join(scratch, 'mysqld.pid')}`,
    '--bind-address=127.0.0.1',
    '--skip-name-resolve',
    '--character-set-server=utf8mb4',
    '--collation-server=utf8mb4_unicode_ci',
    ...FAST_AND_CARELESS,
    ...args,
  ];
  const start = (wantedPort?: number) =>
    startOnFreePort((free) => spawnServer('/usr/sbin/mariadbd', [...options, `--port=${free}`]), {
      port: wantedPort,
      socketPath,
    });

  const first = await start();
  let server: ServerProcess = first.server;
  const {port} = first;
  const connection = {host: '127.0.0.1', port, socketPath, user: 'atom', password: ATOM_PASSWORD};
  await createAtomUser(connection);
  return {
    ...connection,
    pid: () => server.pid,
    stop: () => server.stop(),
    kill: () => server.kill(),
    start: async () => {
      ({server} = await start(port));
    },
  };
}

async function createAtomUser({socketPath, user, password}: MariadbConnection): Promise<void> {
  const {createConnection} = await import('mysql2/promise');
  const root = await createConnection({user: 'root', socketPath});
  await root.query('CREATE USER ?@? IDENTIFIED BY ?', [user, '%', password]);
  await root.query('GRANT ALL PRIVILEGES ON `atom\\_%`.* TO ?@?', [user, '%']);
  await root.end();
}
