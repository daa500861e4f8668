import {describe, expect, it} from 'vitest';
import {
  isImportTask,
  isWorkerTask,
  parseCommandLine,
  parseSymfonyCommand,
} from '../../../src/processes/command-line.ts';

describe('parseCommandLine', () => {
  it.each([
    ['', []],
    ['php\0symfony\0jobs:worker\0', ['php', 'symfony', 'jobs:worker']],
    ['php\0-d\0\0symfony\0', ['php', '-d', '', 'symfony']],
    ['a title without end', ['a title without end']],
  ])('%j', (text, argv) => {
    expect(parseCommandLine(text)).toEqual(argv);
  });
});

describe('parseSymfonyCommand', () => {
  it.each([
    ['php symfony jobs:worker', 'symfony', 'jobs:worker'],
    // symfony accepts the beginning of a task's name.
    ['php symfony jobs:work', 'symfony', 'jobs:work'],
    [
      '/usr/bin/php8.2 -d memory_limit=-1 -d error_reporting=E_ALL symfony jobs:worker',
      'symfony',
      'jobs:worker',
    ],
    [
      'php -dmemory_limit=1G /srv/atom/symfony jobs:worker --types=general',
      '/srv/atom/symfony',
      'jobs:worker',
    ],
    ['php7.4-cli -n -c /etc/php.ini -f symfony jobs:worker', 'symfony', 'jobs:worker'],
    ['/usr/local/bin/ea-php74 symfony jobs:worker', 'symfony', 'jobs:worker'],
    ['lsphp symfony jobs:worker', 'symfony', 'jobs:worker'],
    ['php -- ./symfony --quiet jobs:worker', './symfony', 'jobs:worker'],
    ['php /srv/atom/symfony csv:import --quiet /tmp/a.csv', '/srv/atom/symfony', 'csv:import'],
  ])('%s', (line, script, task) => {
    expect(parseSymfonyCommand(line.split(' '))).toEqual({script, task});
  });

  it.each([
    'php -r symfony',
    'php -f',
    'php',
    'php symfony',
    'php symfony --version',
    'php other.php symfony jobs:worker',
    'php-fpm: symfony jobs:worker',
    'vim symfony jobs:worker',
    'grep -r symfony jobs:worker',
  ])('%s is none', (line) => {
    expect(parseSymfonyCommand(line.split(' '))).toBeNull();
  });
});

it('tells workers and imports from other tasks', () => {
  const tasks = [
    'jobs:worker',
    // symfony takes each part shortened.
    'job:worker',
    'jobs:w',
    'jobs:',
    'job:workers',
    'jobs:list',
    'csv:import',
    'csv:authority-import',
    'csv:export',
    'csv:import:x',
  ];
  expect(tasks.filter(isWorkerTask)).toEqual(['jobs:worker', 'job:worker', 'jobs:w']);
  expect(tasks.filter(isImportTask)).toEqual(['csv:import', 'csv:authority-import']);
});
