import {execFileSync} from 'node:child_process';
import {chmodSync, mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {readOptionFile} from '../../../src/mysql/option-file.ts';
import {revealed} from '../../support/revealed.ts';
import {createScratch} from '../../support/scratch.ts';

function write(text: string): string {
  const file = join(createScratch('option-file'), 'my.cnf');
  writeFileSync(file, text);
  return file;
}

const read = async (text: string) => revealed(await readOptionFile(write(text), '--defaults-file'));

describe('an option file', () => {
  it.each([
    ['a place by host', '[client]\nhost=db\nport = 3307\n', {host: 'db', socketPath: null, port: 3307}],
    ['a socket', '[client]\nsocket=/s\n', {host: null, socketPath: '/s'}],
    ['localhost with a socket', '[client]\nhost=localhost\nsocket=/s\n', {host: null, socketPath: '/s'}],
    ['a socket that another host overrides', '[client]\nsocket=/s\nhost=db', {host: 'db', socketPath: null}],
    ['credentials', '[client]\nuser=u\npassword=p\ndatabase=d', {user: 'u', password: 'p', database: 'd'}],
    ['the last mention', '[client]\nuser=a\n[mysqld]\nuser=x\n[client]\nuser=b\n', {user: 'b'}],
    ['atomctl above client, wherever it stands', '[atomctl]\nuser=a\n[client]\nuser=b\n', {user: 'a'}],
    [
      'comments',
      '# x\n; y\n[client] # z\nuser = u # mine\npassword="a#b" # c\n',
      {user: 'u', password: 'a#b'},
    ],
    ['an unquoted # as a comment', '[client]\npassword=a#b', {password: 'a'}],
    ['quotes', `[client]\nuser='u'\npassword="it's "\n`, {user: 'u', password: "it's "}],
    ['an empty password', '[client]\npassword=""', {password: ''}],
    [
      'escapes',
      String.raw`[client]
password=a\sb\\c\"d\x`,
      {password: String.raw`a b\c"d\x`},
    ],
    ['Windows lines', '[client]\r\nuser=u\r\n', {user: 'u'}],
    ['ssl-mode', '[client]\nssl_mode=VERIFY_CA\nssl-ca=/ca', {tls: {mode: 'verify-ca', caFile: '/ca'}}],
    ['ssl', '[client]\nssl', {tls: {mode: 'required', caFile: null}}],
    ['ssl=0', '[client]\nssl=0', {}],
    [
      'MariaDB verification',
      '[client]\nssl-verify-server-cert',
      {tls: {mode: 'verify-identity', caFile: null}},
    ],
    ['S5: a loose ssl-mode', '[client]\nloose-ssl-mode=REQUIRED', {tls: {mode: 'required', caFile: null}}],
    ['S5: loose_ssl_ca', '[client]\nloose_ssl_ca=/ca', {tls: {mode: 'verify-ca', caFile: '/ca'}}],
    [
      "S5: the client's certificate",
      '[client]\nssl-cert=/c\nssl-key=/k',
      {tls: {mode: 'required', caFile: null, certFile: '/c', keyFile: '/k'}},
    ],
    [
      "S5: the client's certificate beside an authority",
      '[client]\nssl-ca=/a\nssl-cert=/c\nssl-key=/k',
      {tls: {mode: 'verify-ca', caFile: '/a', certFile: '/c', keyFile: '/k'}},
    ],
    [
      'S5: verification switched off',
      '[client]\ndisable-ssl-verify-server-cert',
      {tls: {mode: 'required', caFile: null}},
    ],
    ['S5: skip-ssl', '[client]\nskip-ssl', {}],
    ['S4: the public key of the server', '[client]\nserver_public_key_path=/k', {serverKeyFile: '/k'}],
    ['what is of no interest', '[client]\nprompt=x\n[mysql]\nuser=x\n', {}],
  ])('%s', async (_, text, expected) => {
    expect(await read(text)).toEqual(expected);
  });

  it('includes files and directories', async () => {
    const directory = createScratch('option-file');
    mkdirSync(join(directory, 'conf.d'));
    writeFileSync(join(directory, 'user.cnf'), '[client]\nuser=included\n');
    writeFileSync(join(directory, 'conf.d/b.cnf'), '[client]\ndatabase=b\n');
    writeFileSync(join(directory, 'conf.d/a.cnf'), '[client]\ndatabase=a\nport=1\n');
    writeFileSync(join(directory, 'conf.d/c.txt'), '[client]\ndatabase=c\n');
    const text = `!include ${directory}/user.cnf\n!includedir ${directory}/conf.d\n`;
    expect(await read(text)).toEqual({user: 'included', database: 'b', port: 1});
  });

  it.each([
    ...[
      'ssl-capath',
      'ssl-cipher',
      'ssl-crl',
      'ssl-fips-mode',
      'tls-version',
      'loose-tls-ciphersuites',
      // MySQL's own clients know no option in capitals, and do not start.
      'SSL-MODE',
    ].map((key): [string, RegExp] => [
      `[client]\n${key}=hunter2`,
      new RegExp(`the option ${key.replace('loose-', '')} at .*my\\.cnf:2, which is about TLS`),
    ]),
    ['[client]\nssl-cert=hunter2', /ssl-cert at .*my\.cnf:2 needs both/],
    ['[client]\nport=hunter2', /my\.cnf:2 is not a number/],
    ['[client]\nssl-mode=hunter2', /my\.cnf:2 is unknown/],
    ['!pragma hunter2', /my\.cnf:1 is neither/],
    ['!include /no/such/file', /\/no\/such\/file \(.*my\.cnf:1\) cannot be read: it does not exist/],
    ['!includedir /no/such/directory', /my\.cnf:1\) cannot be read/],
  ])('S5: refuses %j', async (text, reason) => {
    await expect(read(text)).rejects.toThrow(reason);
    await expect(read(text)).rejects.not.toThrow(/hunter2/);
  });

  it('S15: refuses one that everyone may write, a pipe, and what it includes of that kind', async () => {
    const file = write('[client]\nuser=u\n');
    chmodSync(file, 0o666);
    await expect(readOptionFile(file, '--defaults-file')).rejects.toThrow(
      `${file} is writable by everyone, so atomctl does not use it.`,
    );
    await expect(read(`!include ${file}\n`)).rejects.toThrow(`${file} is writable by everyone`);
    const pipe = join(createScratch('option-file'), 'pipe');
    execFileSync('mkfifo', [pipe]);
    await expect(readOptionFile(pipe, '--defaults-file')).rejects.toThrow(`${pipe} is not a regular file.`);
  });

  it('refuses one that is missing, naming its origin, and one that includes itself', async () => {
    await expect(readOptionFile('/no/such.cnf', 'ATOMCTL_DEFAULTS_FILE')).rejects.toThrow(
      '/no/such.cnf (ATOMCTL_DEFAULTS_FILE) cannot be read: it does not exist',
    );
    await expect(readOptionFile('/dev/zero', '--defaults-file')).rejects.toThrow(
      '/dev/zero is not a regular file',
    );
    const file = write('');
    writeFileSync(file, `!include ${file}\n`);
    await expect(readOptionFile(file, '--defaults-file')).rejects.toThrow(/include each other/);
  });
});

const TRICKY = `# a
; b
[client]
user = u # mine
password="a#b\\"c" # x
host='h\\'s'
[mysqld]
user=other
[client] # again
 database=a\\sb\\\\c\\x\\
user="a"b"
socket =
port=3307   
connect-timeout="it's" # don't
`;

function printDefaults(file: string): string | null {
  try {
    return execFileSync('my_print_defaults', [`--defaults-file=${file}`, 'client'], {encoding: 'utf8'});
  } catch {
    console.warn("skipped: my_print_defaults is not installed, so MySQL's own reading cannot be compared");
    return null;
  }
}

it('is read as MySQL itself reads it', async ({skip}) => {
  const file = write(TRICKY);
  const printed = printDefaults(file);
  if (printed === null) return skip();
  const options = new Map([...printed.matchAll(/^--([\w-]+)=(.*)$/gm)].map(([, key, value]) => [key, value]));
  const found = revealed(await readOptionFile(file, '--defaults-file'));
  expect(options.get('socket')).toBe('');
  for (const key of ['user', 'password', 'host', 'database'] as const)
    expect(found[key], key).toBe(options.get(key));
  expect(found).toMatchObject({user: 'a"b', port: Number(options.get('port')), socketPath: null});
});
