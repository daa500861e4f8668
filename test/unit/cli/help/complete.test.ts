import {expect, test} from 'vitest';
import {complete, type Suggestion} from '../../../../src/cli/help/complete.ts';
import {
  type CompletedCommand,
  type CompletedFlag,
  siteFlagWords,
  type Values,
} from '../../../../src/cli/help/completed-commands.ts';

function flag(name: string, values: Values | null, more: Partial<CompletedFlag> = {}): CompletedFlag {
  return {name, summary: `The ${name}.`, repeatable: false, values, ...more};
}

const site = flag('site', {kind: 'sites'});
const commands: CompletedCommand[] = [
  {id: 'doctor', summary: 'Doctor.', argument: null, flags: []},
  {
    id: 'jobs:list',
    summary: 'List.',
    argument: null,
    flags: [
      site,
      flag('all', null),
      flag('status', {kind: 'words', words: ['running', 'error']}, {repeatable: true}),
      flag('columns', {kind: 'list', words: ['id', 'name', 'info']}),
      flag('output', {kind: 'files'}, {char: 'o'}),
      flag('limit', {kind: 'any'}),
    ],
  },
  {id: 'jobs:kill', summary: 'Kill.', argument: {kind: 'jobs'}, flags: [site]},
];
const jobs: Suggestion[] = [
  {word: '501', description: 'arFileImportJob'},
  {word: '42', description: 'CSV export'},
];

async function offered(...words: string[]): Promise<string> {
  const {kind, suggestions} = await complete({
    words,
    commands,
    leadingFlags: ['site'],
    jobs: async () => jobs,
    sites: async () => [{word: 'north', description: ''}],
  });
  return [kind, ...suggestions.map(({word}) => word)].join(' ');
}

test.each([
  [[''], 'words doctor jobs:list jobs:kill'],
  [['jobs:k'], 'words jobs:kill'],
  [['jobs', ''], 'words list kill'],
  [['nothing', ''], 'words'],
  [['--s'], 'words --site'],
  [['--site', ''], 'words north'],
  [['--site', 'north', 'jobs', 'l'], 'words list'],
  [['--site=north', 'doc'], 'words doctor'],
  [['jobs:list', '--'], 'words --site --all --status --columns --output --limit --help'],
  [
    ['jobs', 'list', '--all', '--status', 'error', '-o', 'x', '--'],
    'words --site --status --columns --limit --help',
  ],
  [['jobs:list', '--status', ''], 'words running error'],
  [['jobs:list', '--status', 'e'], 'words error'],
  [['jobs:list', '--status=e'], 'words --status=error'],
  [['jobs:list', '--columns', 'name,i'], 'list name,id name,info'],
  [['jobs:list', '--columns=id,'], 'list --columns=id,name --columns=id,info'],
  [['jobs:list', '-o', ''], 'files'],
  [['jobs:list', '--output=/tm'], 'files'],
  [['jobs:list', '--limit', ''], 'words'],
  [['jobs:list', ''], 'words'],
  [['jobs:kill', ''], 'words 501 42'],
  [['jobs:kill', '501', ''], 'words 42'],
  [['jobs', 'kill', '--site', 'north', '5'], 'words 501'],
])('%j', async (words, expected) => {
  expect(await offered(...words)).toBe(expected);
});

test('siteFlagWords keeps only the flags that describe the site', () => {
  const words = ['--site', 'north', 'jobs:kill', '--reason', '--yes', '--config=/etc/x', '--gearman'];
  expect(siteFlagWords(words)).toEqual(['--site=north', '--config=/etc/x']);
});
