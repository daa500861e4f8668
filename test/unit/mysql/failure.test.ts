import {describe, expect, test} from 'vitest';
import {AtomctlError} from '../../../src/errors.ts';
import type {DatabaseConfig} from '../../../src/mysql/database.ts';
import {type Stage, translateFailure} from '../../../src/mysql/failure.ts';
import {Secret} from '../../../src/secret.ts';

const CONFIG: DatabaseConfig = {
  host: 'db.example',
  port: 3306,
  socketPath: null,
  user: 'atom',
  password: new Secret('never-print-this'),
  database: 'archive',
  tls: {mode: 'off', caFile: null},
};

/** As the driver makes them from an error packet. */
function fromServer(errno: number, message: string): Error {
  const sql = 'UPDATE secret SET statement = 1';
  return Object.assign(new Error(message), {errno, code: `ER_${errno}`, sqlState: 'HY000', sql});
}

/** As Node and the driver make them. */
function fromNode(code: string, message = 'it failed'): Error {
  return Object.assign(new Error(message), {code, errno: -111});
}

function translated(
  error: Error,
  stage: Stage,
  config = CONFIG,
  account: string | null = null,
): AtomctlError {
  const failure = translateFailure(error, stage, config, account);
  expect(failure).toBeInstanceOf(AtomctlError);
  return failure as AtomctlError;
}

describe('a login that fails', () => {
  test.each([
    [fromNode('ECONNREFUSED'), 'DATABASE_UNREACHABLE', /db\.example:3306: connection refused/],
    [fromNode('ENOENT'), 'DATABASE_UNREACHABLE', /no MySQL socket/],
    [fromNode('EACCES'), 'DATABASE_UNREACHABLE', /^Permission denied for the MySQL socket/],
    [fromNode('ENOTFOUND'), 'DATABASE_UNREACHABLE', /"db\.example" has no address/],
    [fromNode('EAI_AGAIN'), 'DATABASE_UNREACHABLE', /did not answer for the database host "db\.example"/],
    [fromNode('EHOSTUNREACH'), 'DATABASE_UNREACHABLE', /cannot be reached: no route to the host\.$/],
    [fromNode('PROTOCOL_CONNECTION_LOST'), 'DATABASE_UNREACHABLE', /closed the connection before/],
    [fromNode('HANDSHAKE_NO_SSL_SUPPORT'), 'DATABASE_UNREACHABLE', /does not support TLS/],
    [
      fromNode('HANDSHAKE_SSL_ERROR', 'certificate has expired'),
      'DATABASE_UNREACHABLE',
      /certificate has expired\.$/,
    ],
    [
      fromNode('AUTH_SWITCH_PLUGIN_ERROR'),
      'DATABASE_LOGIN_REFUSED',
      /login method .* that atomctl does not support/,
    ],
    [
      fromServer(1045, "Access denied for user 'atom'@'web'"),
      'DATABASE_LOGIN_REFUSED',
      /login of "atom" with a password/,
    ],
    [
      fromServer(1044, 'Access denied to database'),
      'DATABASE_LOGIN_REFUSED',
      /no database "archive" for the user "atom"/,
    ],
    [fromServer(1049, "Unknown database 'archive'"), 'DATABASE_UNKNOWN', /no database "archive" on/],
    [
      fromServer(1130, 'Host is not allowed'),
      'DATABASE_LOGIN_REFUSED',
      /does not accept logins from this host/,
    ],
    [fromServer(1129, 'Host is blocked'), 'DATABASE_UNREACHABLE', /blocks this host/],
    [fromServer(1040, 'Too many connections'), 'DATABASE_UNREACHABLE', /has too many connections/],
    [fromServer(3118, 'Account is locked'), 'DATABASE_LOGIN_REFUSED', /locked/],
    [fromServer(3159, 'insecure transport'), 'DATABASE_LOGIN_REFUSED', /only over TLS/],
    [fromServer(1999, 'Something new.'), 'DATABASE_ERROR', /\(ER_1999\): Something new\.$/],
  ])('%s → %s', (error, code, message) => {
    const failure = translated(error, 'login');
    expect(failure).toMatchObject({code, message: expect.stringMatching(message), hint: expect.any(String)});
  });

  test('a refused login without a password says so, and mentions TLS only without TLS', () => {
    const plain = translated(fromServer(1045, 'no'), 'login', {...CONFIG, password: new Secret('')});
    expect(plain.message).toContain('without a password');
    expect(plain.hint).toContain('ssl=required');
    const secure = translated(fromServer(1045, 'no'), 'login', {
      ...CONFIG,
      tls: {mode: 'required', caFile: null},
    });
    expect(secure.hint).not.toContain('ssl=');
  });
});

describe('a statement that fails', () => {
  test.each([
    [fromNode('PROTOCOL_CONNECTION_LOST'), 'DATABASE_LOST'],
    [fromNode('ECONNRESET'), 'DATABASE_LOST'],
    [Object.assign(new Error('connection is in closed state'), {fatal: true}), 'DATABASE_LOST'],
    [fromServer(1053, 'Server shutdown in progress'), 'DATABASE_LOST'],
    [fromServer(1927, 'Connection was killed'), 'DATABASE_LOST'],
    [fromServer(1213, 'Deadlock found'), 'DATABASE_BUSY'],
    [fromServer(1205, 'Lock wait timeout exceeded'), 'DATABASE_BUSY'],
    [fromServer(1020, 'Record has changed since last read'), 'DATABASE_BUSY'],
    [fromServer(1317, 'Query execution was interrupted'), 'DATABASE_ERROR'],
    [fromServer(1969, 'max_statement_time exceeded'), 'DATABASE_TIMEOUT'],
    [fromServer(3024, 'maximum statement execution time exceeded'), 'DATABASE_TIMEOUT'],
    [fromServer(1290, 'running with the --read-only option'), 'DATABASE_ERROR'],
  ])('%s → %s', (error, code) => {
    expect(translated(error, 'statement').code).toBe(code);
  });

  test.each([
    // MySQL, MariaDB, and a column.
    ["DELETE command denied to user 'atom'@'web' for table 'job'", 'DELETE', 'job'],
    ["SELECT command denied to user 'atom'@'web' for table `archive`.`note_i18n`", 'SELECT', 'note_i18n'],
    ["SELECT command denied to user ''@'web' for column 'output' in table 'job'", 'SELECT', 'job'],
    ["SELECT, UPDATE command denied to user 'atom'@'web' for table 'job'", 'SELECT, UPDATE', 'job'],
  ])('%s', (said, privilege, table) => {
    const failure = translated(fromServer(1142, said), 'statement', CONFIG, "o'hara@10.%");
    expect(failure.code).toBe('DATABASE_PRIVILEGE');
    expect(failure.message).toBe(
      `The database user "atom" lacks ${privilege} on table "${table}" of database "archive".`,
    );
    expect(failure.hint).toBe(
      `Ask a database administrator to run: GRANT ${privilege} ON \`archive\`.\`${table}\` TO 'o''hara'@'10.%';`,
    );
  });

  test("a privilege that is not on a table is named with the server's own message", () => {
    const failure = translated(fromServer(1227, 'you need the SUPER privilege(s).'), 'statement');
    expect(failure.message).toBe(
      'The database user "atom" lacks a privilege: you need the SUPER privilege(s).',
    );
  });

  test.each([
    [fromServer(1146, "Table 'archive.job' doesn't exist"), 'DATABASE_NOT_ATOM', 'no table "job"'],
    [fromServer(1054, "Unknown column 'job.output' in 'field list'"), 'DATABASE_TOO_OLD', 'no "output"'],
    [
      fromServer(1054, "Unknown column 'download_path' in 'SELECT'"),
      'DATABASE_TOO_OLD',
      'no "download_path"',
    ],
    [fromServer(1054, "Unknown column 'n.content' in 'field list'"), 'DATABASE_NOT_ATOM', 'column "content"'],
  ])('%s → %s', (error, code, reason) => {
    expect(translated(error, 'statement')).toMatchObject({code, message: expect.stringContaining(reason)});
  });
});

test('neither the message, the hint nor the cause shows SQL or the password', () => {
  const parse = fromServer(1064, "You have an error near 'UPDATE secret'");
  const failure = translated(parse, 'statement');
  expect(`${failure.message} ${failure.hint}`).not.toContain('secret');
  expect(failure.cause).not.toHaveProperty('sql');
  expect(JSON.stringify(failure)).not.toContain(CONFIG.password.reveal());
});

test("other errors pass unchanged: atomctl's own and internal ones", () => {
  const own = new AtomctlError('REFUSED', 'No.');
  const mistake = new TypeError('x is not a function');
  expect(translateFailure(own, 'statement', CONFIG)).toBe(own);
  expect(translateFailure(mistake, 'statement', CONFIG)).toBe(mistake);
});
