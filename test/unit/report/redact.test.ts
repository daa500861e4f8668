import {expect, test} from 'vitest';
import {type KnownName, Redactor, type RedactorOptions} from '../../../src/report/redact.ts';

function redactorOf(names: KnownName[], kept: RedactorOptions['kept'] = []): Redactor {
  return new Redactor({names, kept});
}

function redacted(text: string, ...names: KnownName[]): string {
  return redactorOf(names).redact(text);
}

const MARIE: KnownName[] = [
  {label: 'user', text: 'marie', identity: 'user 449'},
  {label: 'user', text: 'Marie Curie', identity: 'user 449'},
  {label: 'email', text: 'marie@museum.example', identity: 'user 449'},
];

test('a person has one number, an address of her own', () => {
  expect(redacted('Marie Curie (marie), MARIE@museum.example', ...MARIE)).toBe('user-1 (user-1), email-1');
});

test('the longest name wins, and names are numbered in the order of the text', () => {
  const names: KnownName[] = [
    {label: 'title', text: 'Smith'},
    {label: 'title', text: 'Ada Smith fonds'},
  ];
  expect(redacted('Moving Ada Smith fonds below Smith, beside ada_smith-fonds.', ...names)).toBe(
    'Moving title-1 below title-2, beside title-1.',
  );
});

test('a short name is replaced as a word, a long one in words too', () => {
  expect(redacted('ann, Ann2, channel, /ann/', {label: 'user', text: 'ann'})).toBe(
    'user-1, user-12, channel, /user-1/',
  );
  expect(redacted('mariehamn', ...MARIE)).toBe('user-1hamn');
});

test('a backslash before a name may be an escape, or not', () => {
  expect(redacted('C:\\nancy and \\u006eancy and x\\nnancy', {label: 'user', text: 'nancy'})).toBe(
    'C:\\user-1 and user-1 and x\\nuser-1',
  );
});

test('lines stay lines if a name is broken over them', () => {
  expect(redacted('Ada\nSmith\n  fonds: ma\nrie', {label: 'title', text: 'Ada Smith fonds'}, ...MARIE)).toBe(
    'title-1\n\n: user-1\n',
  );
});

test('the columns of a table stay in their places', () => {
  const names: KnownName[] = [{label: 'host', text: 'db.museum.example'}];
  expect(redacted('NAME               X\ndb.museum.example  1\n', ...names)).toBe(
    'NAME               X\nhost-1             1\n',
  );
});

test('a kind of names that is kept stays, but not what is in it of other kinds, nor a secret', () => {
  const names: KnownName[] = [
    ...MARIE,
    {label: 'host', text: 'db.museum.example'},
    {label: 'secret', text: 'S3cret'},
  ];
  const text = 'marie@museum.example db.museum.example 192.0.2.7 S3cret';
  expect(redactorOf(names, ['hosts']).redact(text)).toBe('email-1 db.museum.example 192.0.2.7 secret-1');
  expect(redactorOf(names, ['users']).redact(text)).toBe('marie@host-1 host-2 host-3 secret-1');
});

test('hosts of a known domain, of any known suffix and in any URL, and IP addresses', () => {
  const domain: KnownName = {label: 'host', text: 'db.stadt.museum'};
  const text =
    'es7.stadt.museum www.archives.org http://search:9200/x 2001:db8::7 [::ffff:192.0.2.9]:4730 10.0.0.1:80';
  expect(redacted(text, domain)).toBe('host-1 host-2 http://host-3:9200/x host-4 [host-5]:4730 host-6:80');
});

test('what names no host, no user and no secret stays', () => {
  const text = [
    '127.0.0.1:4730 localhost [::1]:4730 0.0.0.0 https://www.accesstomemory.org/docs',
    '2026-11-23 05:01:38 Job 1197: arFindingAidJob, 10.11.14-MariaDB-0+deb12u2, gearmand 1.1.20',
    'atom-worker.service, atom-worker@north.service, apps/qubit/config/gearman.yml, sfConfig::get()',
    '/usr/share/nginx/atom/qubitConfiguration.class.php:12 pid_4711_0123456789abc password=***',
    '--libsqlite3-db=FILE --libsqlite3-db=/var/lib/gearman/queue.db --queue-type=libsqlite3',
  ].join('\n');
  expect(redacted(text)).toBe(text);
});

test.each([
  [
    'a data source name',
    'mysql:host=db;dbname=atom_x;user=marie;password=S3cret',
    ['db;', 'atom_x', 'marie', 'S3cret'],
  ],
  ['a URL', 'mysql://marie:S3c/r@et@db.x/atom', ['marie', 'S3c', 'et@', 'db.x']],
  ['JSON in JSON', '{\\"userToken\\":\\"abcdefg\\"}', ['abcdefg']],
  ['a command line', 'mysql -u x -pS3cret atom; mysqldump --password S3cret', ['S3cret']],
  ['a header', 'Authorization: Basic dXNlcjpwYXNz', ['dXNlcjpwYXNz']],
  ['a home', '/home/marie/atom', ['marie']],
  ['a database in a home', '--libsqlite3-db=/home/marie/q.db', ['marie']],
  ['an option of a database', '--mysql-db=atom_x', ['atom_x']],
  ['a random text', 'key x9XcQ0pL7tYzA4bC8dE2fG6hJ1kM3nP5q.', ['x9XcQ0pL7']],
  ['a key', '-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----', ['MIIE']],
  ['a note of atomctl', 'Killed by alice@archive: stuck', ['alice', 'archive']],
])('%s is without its names and secrets', (_what, text, gone) => {
  const left = redacted(text);
  for (const part of gone) expect(left).not.toContain(part);
});

test('a name that is a whole field is replaced however short or common it is', () => {
  const redactor = redactorOf([{label: 'user', text: 'ann', identity: 'user 1'}]);
  expect([
    redactor.field('user', 'x'),
    redactor.field('user', 'Ann'),
    redactor.field('user', 'atom'),
  ]).toEqual(['user-1', 'user-2', 'user-3']);
  expect(redactor.redact('user-2 and ann')).toBe('user-2 and user-2');
  expect(redactor.replaced()).toEqual({users: 3, hosts: 0, titles: 0, files: 0, secrets: 0});
});

test('ten thousand users and a long log take no long time', () => {
  const names = Array.from(
    {length: 10_000},
    (_, at): KnownName => ({label: 'user', text: `user${at * 7919}name`}),
  );
  const text = `${'[info] [2026-03-04 13:05:01] Imported one of many rows, %20 and &amp; too\n'.repeat(4000)}user7919name`;
  expect(redactorOf(names).redact(text).endsWith('\nuser-1')).toBe(true);
});
