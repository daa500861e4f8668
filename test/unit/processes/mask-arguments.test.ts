import {expect, test} from 'vitest';
import {maskedCommand} from '../../../src/processes/mask-arguments.ts';

test.each([
  [
    ['php', 'symfony', 'csv:import', '--user-id="448"', '/tmp/x.csv'],
    'php symfony csv:import --user-id="448" /tmp/x.csv',
  ],
  [['mysql', '--password=s3 cret', 'atom'], 'mysql --password=*** atom'],
  [['mysql', '--password', 's3cret', 'atom'], 'mysql --password *** atom'],
  [['mysql', '-ps3cret', '-u', 'atom'], 'mysql -p*** -u atom'],
  [
    ['sh', '-c', 'mysqldump -ps3cret --db-password s3cret x; MYSQL_PWD=s3cret y'],
    'sh -c mysqldump -p*** --db-password *** x; MYSQL_PWD=*** y',
  ],
  [['php', 'mysql://atom:s3@cret@db/atom'], 'php mysql://atom:***@db/atom'],
  [['php', '{"password":"s3cret"}'], 'php {"password":"***"}'],
  [['php', '{"password": "s3\\"cret", "x": 1}'], 'php {"password": "***", "x": 1}'],
  [['curl', '-u', 'ann:s3cret', '--user=bob:s3cret', 'x'], 'curl -u ann:*** --user=bob:*** x'],
  [['curl', '-uann:s3cret', '-H', 'Authorization: Bearer s3cret'], 'curl -uann:*** -H Authorization: ***'],
  [
    ['sh', '-c', 'curl -u "ann:s3 cret" -H "X-Api-Key: s3 cret" x'],
    'sh -c curl -u "ann:***" -H "X-Api-Key: ***" x',
  ],
  [['/usr/bin/sshpass', '-p', 's3cret', 'ssh', '-p', '22'], '/usr/bin/sshpass -p *** ssh -p ***'],
  [['ldapsearch', '-x', '-w', 's3cret'], 'ldapsearch -x -w ***'],
  [
    ['sh', '-c', 'cd /; sshpass -p "s3 cret" x | ldapsearch -x -w s3cret'],
    'sh -c cd /; sshpass -p *** x | ldapsearch -x -w ***',
  ],
  [['sh', '-c', "mysql -p's3 cret' x --password 's3 cret' y"], 'sh -c mysql -p*** x --password *** y'],
  [
    ['sh', '-c', 'cd /; PGPASSWORD="s3 cret" psql --password=\'s3 cret\''],
    'sh -c cd /; PGPASSWORD="***" psql --password=\'***\'',
  ],
  [['mysql', '-ps3 cret', 'atom'], 'mysql -p*** atom'],
  [['git', 'clone', 'https://s3cret@github.com/x'], 'git clone https://***@github.com/x'],
  [['lftp', 'ftp://ann:s3 cret@host'], 'lftp ftp://ann:***@host'],
  [
    [
      'x',
      '--private-key',
      's3cret',
      '--aws-secret-access-key',
      's3cret',
      '--credential=s3cret',
      '--auth=s3cret',
    ],
    'x --private-key *** --aws-secret-access-key *** --credential=*** --auth=***',
  ],
  [['openssl', '-passin', 'pass:s3cret', '--author=Ann'], 'openssl -p*** *** --author=Ann'],
  [['curl', '--api-key=s3cret', '--token', 's3cret'], 'curl --api-key=*** --token ***'],
])('%j is shown as %s', (argv, shown) => {
  expect(maskedCommand(argv)).toBe(shown);
});

test('is masked in a time that grows with the length', () => {
  for (const part of ['pass', '--', 'password=', '://', '-p', '"', 'sshpass -p ', '-u ', "'", 'auth:']) {
    const long = part.repeat(4096 / part.length);
    expect(maskedCommand(['x', long]).length).toBeGreaterThan(0);
  }
});
