import fc from 'fast-check';
import {expect, test} from 'vitest';
import {requireUnitName, unitFile, workerArguments} from '../../../src/worker/unit-file.ts';

const OPTIONS = {
  scope: 'system',
  root: '/usr/share/nginx/atom',
  template: false,
  user: 'www-data',
  php: '/usr/bin/php8.1',
  workerArguments: [],
} as const;

test("the manual's unit, ordered after MySQL and Gearman", () => {
  const lines = unitFile(OPTIONS).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'After=mysql.service mysqld.service mariadb.service',
      'After=gearman-job-server.service gearmand.service',
      'StartLimitIntervalSec=24h',
      'StartLimitBurst=3',
      'User=www-data',
      'WorkingDirectory=/usr/share/nginx/atom',
      'ExecStart=/usr/bin/php8.1 -d memory_limit=-1 -d error_reporting=E_ALL symfony jobs:worker',
      'Restart=on-failure',
      'RestartSec=30',
      'WantedBy=multi-user.target',
    ]),
  );
  expect(lines.join()).not.toContain('111');
});

test('limits restart the worker, and do not use up the starts that crashes are allowed', () => {
  const given = workerArguments({maxJobCount: 50, maxMemUsage: 512, types: 'general', abilities: undefined});
  const text = unitFile({...OPTIONS, workerArguments: given});
  expect(text).toContain('jobs:worker --types=general --max-job-count=50 --max-mem-usage=512\n');
  expect(text).toContain('RestartForceExitStatus=111');
  expect(text).not.toContain('StartLimitBurst=3\n');
});

test("a template, and a user's own unit", () => {
  expect(unitFile({...OPTIONS, template: true})).toContain('Description=AtoM worker %i of');
  const own = unitFile({...OPTIONS, scope: 'user'});
  expect(own).toContain('WantedBy=default.target');
  expect(own).not.toMatch(/^(User|After)=/m);
});

test('what systemd would expand or split is escaped', () => {
  const text = unitFile({...OPTIONS, root: '/srv/100% atom', php: '/opt/my php/$x/"php"'});
  expect(text).toContain('WorkingDirectory=/srv/100%% atom\n');
  expect(text).toContain('ExecStart="/opt/my php/$$x/\\"php\\"" -d');
});

test.each<[string, Partial<Parameters<typeof unitFile>[0]>]>([
  ['a root', {root: '/srv/atom\nExecStartPre=/tmp/x'}],
  ['a root that goes on in the next line', {root: '/srv/atom\\'}],
  ['a user', {user: 'www-data\nExecStartPre=/tmp/x'}],
  ['a user that is an option', {user: '-x'}],
  ['an empty user', {user: ''}],
  ['php', {php: '/usr/bin/php\n[Install]'}],
  ['php with a carriage return', {php: '/usr/bin/php\rx'}],
])('S9, S20: %s that would be another directive is refused', (_, given) => {
  expect(() => unitFile({...OPTIONS, ...given})).toThrow(/^".*" \(--(atom-root|user|php)\) cannot be used/s);
});

test.each(['a\nb', '../../cron.d/x', 'a b', '', '.hidden', 'a/b', 'a\u2028b'])(
  'S20: %j is no name of a unit',
  (name) => {
    expect(() => requireUnitName(name)).toThrow('(--name) cannot be used in a unit file.');
  },
);

test('S9, S20: whatever is given, the unit has the same directives, or is refused', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', '/', '\n', '\r', '\\', ' ', '"', '%', '$', '=', '[', ';', '\u0085'),
  });
  const directives = (unit: string) => unit.split(/\r|\n/).map((line) => line.replace(/=.*/s, '='));
  fc.assert(
    fc.property(text, text, text, (root, user, php) => {
      let unit: string;
      try {
        unit = unitFile({...OPTIONS, root: `/${root}`, user, php: `/${php}`});
      } catch (error) {
        expect(error).toMatchObject({code: 'USAGE'});
        return;
      }
      expect(directives(unit)).toEqual(directives(unitFile(OPTIONS)));
      expect(unit).not.toMatch(/\\$/m);
    }),
    {numRuns: 1000},
  );
});
