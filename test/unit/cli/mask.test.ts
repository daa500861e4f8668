import {expect, it} from 'vitest';
import {maskPasswords, secretsIn} from '../../../src/cli/mask.ts';

it.each([
  ['mysql://u:p@h', 'mysql://u:***@h'],
  ['--database-ulr=mysql://u:p@h/d, x', '--database-ulr=mysql://u:***@h/d, x'],
  ['mysql://u@h/d', 'mysql://u@h/d'],
  ['http://h:80/x and a@b', 'http://h:80/x and a@b'],
  ['mysql:host=db;password=S3cret;port=1', 'mysql:host=db;password=***;port=1'],
  ['No password: give one.', 'No password: give one.'],
  ['{"password":"S3cret"}', '{"password":"***"}'],
])('maskPasswords %s', (text, masked) => {
  expect(maskPasswords(text)).toBe(masked);
});

it.each([
  ['in a URL, with a space, a slash and an @', ['--x=mysql://u:a b/c@d@h/db'], ['a b/c@d']],
  ['in a URL, encoded', ['mysql://u:a%20b@h'], ['a%20b', 'a b']],
  ['in a data source name', ['--databse-url=mysql:host=h;password=S3 cret'], ['S3 cret']],
  ["in a data source name, as 'pwd'", ['odbc:pwd=S3cret;x=y'], ['S3cret']],
  ['after a flag', ['--password', 'S3cret', 'x'], ['S3cret']],
  ['as the value of a flag', ['--password=S3cret'], ['S3cret']],
  ['as mysql takes it', ['-pS3cret'], ['S3cret']],
])('finds a password %s', (_where, argv, secrets) => {
  expect(secretsIn(argv)).toEqual(secrets);
});

it('finds nothing where nothing is secret', () => {
  expect(secretsIn(['jobs:list', '--since', '2026-01-01', 'mysql://u@h/d', '--name', 'a:b@c'])).toEqual([]);
});

it('masks what a command line shows wherever it is quoted', () => {
  const secrets = secretsIn(['--databse-url=mysql://u:a b/c@d@h/db']);
  expect(maskPasswords('There is no "mysql://u:a b/c@d@h/db", nor a b/c@d.', secrets)).toBe(
    'There is no "mysql://u:***@h/db", nor ***.',
  );
});
