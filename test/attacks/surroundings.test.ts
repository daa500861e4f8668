/** What a caller's environment, a child or the process list could give away or turn off. */
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {
  ATOM_PASSWORD,
  createScratch,
  runAtomctl,
  startAtomctl,
  startMariadb,
  until,
} from '../support/sandbox.ts';
import {scriptedServer} from '../support/servers/scripted-server.ts';

test('the process list has no argument of a command that waits for its database', async () => {
  let asked = false;
  const {host, port} = await scriptedServer(() => {
    asked = true;
  });
  const url = `mysql://atom:${ATOM_PASSWORD}@${host}:${port}/atom`;
  const {child, ended} = startAtomctl(['jobs:list', '--database-url', url, '--timeout', '60']);
  await until(async () => asked);
  const shown = readFileSync(`/proc/${child.pid}/cmdline`, 'latin1').replace(/\0+$/, '');
  child.kill('SIGKILL');
  await ended;
  expect(shown).toBe('atomctl');
});

test('NODE_TLS_REJECT_UNAUTHORIZED=0 does not turn off that a certificate is verified', async () => {
  const [key, certificate] = ['key.pem', 'certificate.pem'].map((name) => join(createScratch('tls'), name));
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=anybody'];
  execFileSync('openssl', [...request, '-keyout', key!, '-out', certificate!], {stdio: 'ignore'});
  const mariadb = await startMariadb([`--ssl-cert=${certificate}`, `--ssl-key=${key}`]);
  onTestFinished(async () => void (await mariadb.kill()));
  const url = `mysql://atom:x@${mariadb.host}:${mariadb.port}/atom?ssl=verify-ca`;
  const env = {NODE_TLS_REJECT_UNAUTHORIZED: '0'};
  const {code, stderr} = await runAtomctl(['jobs:list', '--database-url', url], {env});
  expect([code, stderr]).toEqual([
    3,
    expect.stringMatching(/^Error: TLS with .* failed: self-signed certificate/m),
  ]);
});

const ATOMCTL_DATABASE_URL = 'mysql://x@127.0.0.1:9/x';

test.each(['', '.', ':/nonexistent', 'bin:/nonexistent:', './'])(
  'with PATH=%j no program of the working directory runs',
  async (PATH) => {
    const cwd = createScratch('uploads');
    for (const name of ['env', 'systemctl', 'timeout', 'php', 'logger'])
      writeFileSync(join(cwd, name), `#!/bin/sh\n: > ${cwd}/ran\n`, {mode: 0o755});
    symlinkSync('.', join(cwd, 'bin'));
    await runAtomctl(['worker:restart', '--unit=x', '--yes'], {cwd, env: {PATH, ATOMCTL_DATABASE_URL}});
    expect(existsSync(join(cwd, 'ran'))).toBe(false);
  },
);
