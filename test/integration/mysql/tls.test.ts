import {execFileSync} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, inject, test} from 'vitest';
import {connectDatabase} from '../../../src/mysql/connect.ts';
import type {DatabaseConfig, TlsMode} from '../../../src/mysql/database.ts';
import {Secret} from '../../../src/secret.ts';
import {createScratch, type MariadbProcess, startMariadb} from '../../support/sandbox.ts';

/** A private authority, another one, and servers whose certificates the first has signed. */
const directory = createScratch('tls');
const ca = join(directory, 'ca.pem');
const otherCa = join(directory, 'other-ca.pem');

const servers: Record<string, MariadbProcess> = {};

beforeAll(async () => {
  makeAuthority('ca');
  makeAuthority('other-ca');
  await Promise.all(
    Object.entries({name: 'DNS:localhost', address: 'IP:127.0.0.1'}).map(async ([key, altName]) => {
      const certificate = makeCertificate(key, altName);
      servers[key] = await startMariadb([`--ssl-cert=${certificate}`, `--ssl-key=${certificate}`]);
    }),
  );
});

afterAll(async () => {
  await Promise.all(Object.values(servers).map((server) => server.kill()));
});

function openssl(...args: string[]): void {
  execFileSync('openssl', args, {cwd: directory, stdio: ['ignore', 'ignore', 'pipe']});
}

/** One file holds key and certificate. */
function makeAuthority(name: string): void {
  const pem = `${name}.pem`;
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    pem,
    '-out',
    `${name}.crt`,
  );
  execFileSync('sh', ['-c', `cat ${name}.crt >> ${pem}`], {cwd: directory});
}

function makeCertificate(name: string, altName: string): string {
  const [key, request, extensions, certificate] = ['key', 'csr', 'ext', 'crt'].map(
    (end) => `${name}.${end}`,
  ) as [string, string, string, string];
  writeFileSync(join(directory, extensions), `subjectAltName=${altName}\n`);
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=database', '-keyout', key, '-out', request);
  openssl(
    'x509',
    '-req',
    '-in',
    request,
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.pem',
    '-CAcreateserial',
    '-extfile',
    extensions,
    '-out',
    certificate,
  );
  const both = join(directory, `${name}.pem`);
  execFileSync('sh', ['-c', `cat ${key} ${certificate} > ${both}`], {cwd: directory});
  return both;
}

/** The cipher in use, empty without TLS, or the code and message of the failure. */
async function connecting(
  server: {port: number; user: string; password: string},
  host: string,
  mode: TlsMode,
  caFile: string | null,
): Promise<string> {
  const config: DatabaseConfig = {
    host,
    port: server.port,
    socketPath: null,
    user: server.user,
    password: new Secret(server.password),
    database: 'information_schema',
    tls: {mode, caFile},
  };
  try {
    const database = await connectDatabase(config, {timeoutSeconds: 5});
    const [row] = await database.query<{Value: string}>("SHOW SESSION STATUS LIKE 'Ssl_cipher'");
    let rows = 0;
    for await (const _ of database.stream('SELECT 1 FROM COLLATIONS a, COLLATIONS b LIMIT 10000')) rows++;
    expect(rows).toBe(10_000);
    await database.close();
    return row!.Value;
  } catch (error) {
    const {code, message} = error as {code: string; message: string};
    return `${code}: ${message}`;
  }
}

test.each<[server: string, host: string, mode: TlsMode, caFile: string | null, outcome: RegExp]>([
  ['name', 'localhost', 'off', null, /^$/],
  ['name', '127.0.0.1', 'required', null, /^TLS_/],
  ['name', '127.0.0.1', 'verify-ca', ca, /^TLS_/],
  ['name', '127.0.0.1', 'verify-ca', otherCa, /^DATABASE_UNREACHABLE: TLS .* certificate/],
  ['name', 'localhost', 'verify-ca', null, /^DATABASE_UNREACHABLE: TLS .* certificate/],
  ['name', 'localhost', 'verify-identity', ca, /^TLS_/],
  ['name', '127.0.0.1', 'verify-identity', ca, /^DATABASE_UNREACHABLE: .*127\.0\.0\.1 is not in the cert/],
  ['address', '127.0.0.1', 'verify-identity', ca, /^TLS_/],
  ['address', 'localhost', 'verify-identity', ca, /^DATABASE_UNREACHABLE: .*localhost/],
  ['address', '127.0.0.1', 'verify-identity', otherCa, /^DATABASE_UNREACHABLE/],
  ['name', 'localhost', 'verify-ca', '/nowhere/ca.pem', /^USAGE: .*"\/nowhere\/ca\.pem".*does not exist/],
])('certificate for its %s, host %s, %s with %s', async (server, host, mode, caFile, outcome) => {
  expect(await connecting(servers[server]!, host, mode, caFile)).toMatch(outcome);
});

test('a server without TLS is refused if TLS is required', async () => {
  const outcome = await connecting(inject('mariadb'), '127.0.0.1', 'required', null);
  expect(outcome).toMatch(/^DATABASE_UNREACHABLE: .* does not support TLS/);
});
