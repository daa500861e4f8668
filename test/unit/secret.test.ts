import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {inspect} from 'node:util';
import {expect, test} from 'vitest';
import {resolveSite} from '../../src/atom/resolve-site.ts';
import {listSites} from '../../src/atom/site-file.ts';
import {parseDatabaseUrl} from '../../src/mysql/database-url.ts';
import {Secret} from '../../src/secret.ts';
import {configPhp, createRoot} from '../support/site/atom-files.ts';

const secret = new Secret('hunter2');

/** Every way in which a value gets into a text by accident. */
function printings(value: object): string[] {
  const deep = {depth: null, showHidden: true};
  return [`${value}`, String([value]), JSON.stringify(value), inspect(value, deep), inspect({value}, deep)];
}

test('a secret in a template, in JSON and in util.inspect is ***', () => {
  expect(`${secret}`).toBe('***');
  expect(JSON.stringify({secret})).toBe('{"secret":"***"}');
  expect(inspect({secret})).toBe('{ secret: *** }');
  expect(inspect(secret, {depth: null, showHidden: true})).toBe('***');
  expect(Object.keys(secret)).toEqual([]);
});

test('only reveal gives the text, and an empty one is known as empty', () => {
  expect(secret.reveal()).toBe('hunter2');
  expect([secret.isEmpty, new Secret('').isEmpty]).toEqual([false, true]);
});

test('no printing of a whole database configuration, a site or a named site shows the password', async () => {
  const root = createRoot({
    'config/config.php': configPhp({dsn: 'mysql:host=db;dbname=atom', username: 'atom', password: 'hunter2'}),
  });
  writeFileSync(join(root, 'sites.yml'), 'sites:\n  smith:\n    database: mysql://u:hunter2@db/atom\n', {
    mode: 0o600,
  });
  const site = resolveSite(
    {atomRoot: {value: root, origin: '--atom-root'}},
    {env: {}, cwd: '/', callerUid: 0},
  );
  const config = (await site.database()).value;
  const named = await listSites(
    {config: {value: `${root}/sites.yml`, origin: '--config'}},
    {env: {}, cwd: '/'},
  );
  const fromUrl = parseDatabaseUrl('mysql://u:hunter2@db/atom', '--database-url');
  expect([config.password.reveal(), fromUrl.password.reveal()]).toEqual(['hunter2', 'hunter2']);
  expect(named[0]?.database?.value.password.reveal()).toBe('hunter2');
  for (const whole of [config, await site.database(), site, named, fromUrl]) {
    for (const text of printings(whole)) expect(text).not.toContain('hunter2');
  }
});
