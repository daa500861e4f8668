import {expect, test} from 'vitest';
import {unitFile, workerArguments} from '../../../src/worker/unit-file.ts';

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
