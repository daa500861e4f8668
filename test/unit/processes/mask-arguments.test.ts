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
  [['curl', '--api-key=s3cret', '--token', 's3cret'], 'curl --api-key=*** --token ***'],
])('%j is shown as %s', (argv, shown) => {
  expect(maskedCommand(argv)).toBe(shown);
});

test('is masked in a time that grows with the length', () => {
  for (const part of ['pass', '--', 'password=', '://', '-p']) {
    const long = part.repeat(4096 / part.length);
    expect(maskedCommand(['x', long]).length).toBeGreaterThan(0);
  }
});
