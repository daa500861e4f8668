import type {Command} from '@oclif/core';
import {expect, test} from 'vitest';
import manifest from '../../../../oclif.manifest.json' with {type: 'json'};
import {complete, type Suggestion} from '../../../../src/cli/help/complete.ts';
import {
  type CompletedCommand,
  type CompletedFlag,
  completedCommands,
  siteFlagWords,
  type Values,
} from '../../../../src/cli/help/completed-commands.ts';
import {helpSubjects} from '../../../../src/cli/help/help-topics.ts';

function flag(name: string, values: Values | null, more: Partial<CompletedFlag> = {}): CompletedFlag {
  return {name, summary: `The ${name}.`, repeatable: false, values, ...more};
}

function command(id: string, more: Partial<CompletedCommand> = {}): CompletedCommand {
  return {id, summary: id, argument: null, manyArguments: false, flags: [], ...more};
}

const site = flag('site', {kind: 'asked', values: 'sites', list: false});
const JOBS: Values = {kind: 'asked', values: 'jobs', list: false};
const commands = [
  command('doctor'),
  command('help', {argument: {kind: 'words', words: ['jobs', 'filters', 'doctor'], list: false}}),
  command('jobs:list', {
    flags: [
      site,
      flag('all', null),
      flag('status', {kind: 'words', words: ['running', 'error'], list: true}, {repeatable: true}),
      flag('columns', {kind: 'words', words: ['id', 'name', 'info'], list: true}),
      flag('user', {kind: 'asked', values: 'users', list: true}),
      flag('output', {kind: 'files'}, {char: 'o'}),
      flag('limit', {kind: 'any'}),
    ],
  }),
  command('jobs:kill', {argument: JOBS, manyArguments: true, flags: [site, flag('force', null)]}),
  command('jobs:show', {argument: JOBS}),
];
const ASKED: Record<string, Suggestion[]> = {
  jobs: [
    {word: '501', description: 'arFileImportJob'},
    {word: '42', description: 'CSV export'},
  ],
  sites: [{word: 'north', description: ''}],
  users: ['admin', 'Anna Maria'].map((word) => ({word, description: ''})),
};

async function offered(...words: string[]): Promise<string> {
  const {kind, suggestions} = await complete({
    words,
    commands,
    leadingFlags: ['site'],
    ask: async (values) => ASKED[values] ?? [],
  });
  return [kind, ...suggestions.map(({word}) => word)].join(' ');
}

test.each([
  [[''], 'words doctor help jobs:list jobs:kill jobs:show'],
  [['jobs:k'], 'words jobs:kill'],
  [['jobs', ''], 'words list kill show'],
  [['nothing', ''], 'words'],
  [['--s'], 'words --site'],
  [['--site', ''], 'words north'],
  [['--site', 'north', 'jobs', 'l'], 'words list'],
  [['--site=north', 'doc'], 'words doctor'],
  [['jobs:list', '--'], 'words --site --all --status --columns --user --output --limit --help --help-all'],
  [
    ['jobs', 'list', '--all', '--status', 'error', '-o', 'x', '--'],
    'words --site --status --columns --user --limit --help --help-all',
  ],
  [['jobs:list', '--status', ''], 'list running error'],
  [['jobs:list', '--status', 'running,er'], 'list running,error'],
  [['jobs:list', '--status=e'], 'list --status=error'],
  [['jobs:list', '--columns', 'name,i'], 'list name,id name,info'],
  [['jobs:list', '--columns=id,'], 'list --columns=id,name --columns=id,info'],
  [['jobs:list', '--user', 'admin,A'], 'list admin,Anna Maria'],
  [['jobs:list', '-o', ''], 'files'],
  [['jobs:list', '--output=/tm'], 'files'],
  [['jobs:list', '>', 'ou'], 'files'],
  [['jobs:list', '--limit', ''], 'words'],
  [['jobs:list', ''], 'words'],
  [['jobs:kill', ''], 'words 501 42'],
  [['jobs:kill', '501', ''], 'words 42'],
  [['jobs:kill', '501,7', ''], 'words 42'],
  [['jobs', 'kill', '--site', 'north', '5'], 'words 501'],
  [['jobs:show', ''], 'words 501 42'],
  [['jobs:show', '42', ''], 'words'],
  [['help', ''], 'words jobs filters doctor'],
  [['help', 'jobs', 'k'], 'words kill'],
  [['help', 'jobs', 'kill', ''], 'words'],
])('%j', async (words, expected) => {
  expect(await offered(...words)).toBe(expected);
});

test('who knows the values is told the command and what was typed before', async () => {
  const asked: unknown[] = [];
  await complete({
    words: ['jobs', 'kill', '7', '--force', '8', ''],
    commands,
    leadingFlags: [],
    ask: async (values, {command, given, args}) => {
      asked.push([values, command, [...given], args]);
      return [];
    },
  });
  expect(asked).toEqual([['jobs', 'jobs:kill', ['--force'], ['7', '8']]]);
});

test('what a command takes is read from the manifest', () => {
  const manifestCommands = Object.values(manifest.commands) as unknown as Command.Loadable[];
  const found = completedCommands(manifestCommands, ['jobs', 'filters']);
  const valuesOf = (id: string, name: string) =>
    found.find((each) => each.id === id)!.flags.find((each) => each.name === name)!.values;
  expect(valuesOf('jobs:list', 'watch')).toBeNull();
  expect(valuesOf('jobs:list', 'user')).toEqual({kind: 'asked', values: 'users', list: true});
  expect(valuesOf('worker:unit', 'user')).toEqual({kind: 'any'});
  expect(valuesOf('worker:start', 'unit')).toEqual({kind: 'asked', values: 'units', list: true});
  expect(valuesOf('jobs:export-csv', 'output')).toEqual({kind: 'files'});
  expect(valuesOf('config', 'atom-root')).toEqual({kind: 'directories'});
  const help = found.find(({id}) => id === 'help')!;
  expect(help.argument).toMatchObject({words: expect.arrayContaining(['filters', 'jobs', 'doctor'])});
  expect(found.map(({id}) => id)).not.toContain('man');
});

test('help offers each topic once, and no command as a topic', () => {
  const topics = ['jobs', 'jobs:list', 'man'].map((name) => ({name}));
  const [list, man] = [
    {id: 'jobs:list', flags: {}},
    {id: 'man', flags: {}},
  ] as Command.Loadable[];
  const subjects = helpSubjects({commands: [list!, man!], topics});
  expect(subjects).toEqual(expect.arrayContaining(['jobs', 'exit-codes']));
  expect(subjects.filter((name) => name === 'jobs:list' || name === 'man')).toEqual([]);
});

test('siteFlagWords keeps only the flags that describe the site', () => {
  const words = ['--site', 'north', 'jobs:kill', '--reason', '--yes', '--config=/etc/x', '--gearman'];
  expect(siteFlagWords(words)).toEqual(['--site=north', '--config=/etc/x']);
});
