/** What a caller's environment, a child or the process list could give away or turn off. */
import {readFileSync} from 'node:fs';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {connectDatabase} from '../../src/mysql/connect.ts';
import {
  ATOM_PASSWORD,
  type AtomSite,
  createSite,
  runAtomctl,
  startAtomctl,
  until,
} from '../support/sandbox.ts';
import {scriptedServer} from '../support/servers/scripted-server.ts';

let site: AtomSite;

beforeAll(async () => {
  site = await createSite();
});

afterAll(() => site?.drop());

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

test('NODE_TLS_REJECT_UNAUTHORIZED=0 does not turn off a certificate that has to be verified', async () => {
  const verified = {...site.config, tls: {mode: 'verify-ca', caFile: null} as const};
  const refused = await connectDatabase(verified, {timeoutSeconds: 5}).catch((error: Error) => error.message);
  const url = `${site.databaseUrl}?ssl=verify-ca`;
  const {code, stderr} = await runAtomctl(['jobs:list', '--database-url', url], {
    env: {...site.env, NODE_TLS_REJECT_UNAUTHORIZED: '0'},
  });
  expect([code, stderr]).toEqual([3, expect.stringContaining(`${refused}`)]);
});
