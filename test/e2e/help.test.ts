import {createRequire} from 'node:module';
import {type Command, Parser} from '@oclif/core';
import {expect, test} from 'vitest';
import type * as start from '../../src/cli/start/main.ts';
import {EXIT} from '../../src/errors.ts';
import {LIVE_STATE_NAMES} from '../../src/jobs/model/job.ts';
import {fewAtATime} from '../support/few-at-a-time.ts';
import {runAtomctl} from '../support/sandbox.ts';

interface Example {
  description?: string;
  command: string;
}

function examplesOf({examples = []}: Command.Class): Example[] {
  return examples.map((example) => (typeof example === 'string' ? {command: example} : (example as Example)));
}

/** The arguments that a shell passes: up to a pipe, without quotes. */
function argumentsOf(command: string): string[] {
  const words = command.match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
  const end = words.findIndex((word) => ['|', '&&', ';', '>', '<'].includes(word));
  return (end === -1 ? words : words.slice(0, end)).map((word) => word.replace(/^(['"])(.*)\1$/, '$2'));
}

/** The commands of the build that help shows. */
async function commandClasses(): Promise<Command.Class[]> {
  const {COMMANDS} = createRequire(import.meta.url)('../../dist/start/main.cjs') as typeof start;
  const loaded = Object.entries(COMMANDS).map(async ([id, load]) =>
    Object.assign((await load()).default, {id}),
  );
  return (await Promise.all(loaded)).filter(({hidden}) => !hidden);
}

test('every command has a summary, its exit statuses and three examples that parse', async () => {
  const classes = await commandClasses();
  expect(classes.length).toBeGreaterThan(15);
  for (const command of classes) {
    const {id, summary, description, args, flags, baseFlags, strict} = command;
    expect(summary, id).toMatch(/^[A-Z].+\.$/s);
    expect(description, id).toMatch(/\S/);
    if (id !== 'help') expect(description, id).toMatch(/^Exit status: /m);
    const examples = examplesOf(command);
    expect(examples.length, id).toBeGreaterThanOrEqual(3);
    for (const example of examples) {
      expect(example.command).toContain('<%= config.bin %> <%= command.id %>');
      const typed = argumentsOf(example.command.split('<%= command.id %>').slice(1).join(''));
      const argv = typed.map((word) => (word === '--watch' ? '--watch=2' : word));
      const json = {json: {type: 'boolean', parse: async (value: boolean) => value, name: 'json'}};
      const known = {...json, ...baseFlags, ...flags} as never;
      await expect(
        Parser.parse(argv, {args, flags: known, strict}),
        `${id}: ${typed.join(' ')}`,
      ).resolves.toBeDefined();
    }
  }
});

test('every flag has a summary', async () => {
  for (const {id, flags, baseFlags} of await commandClasses()) {
    for (const [name, flag] of Object.entries({...baseFlags, ...flags})) {
      expect(flag.summary ?? flag.description, `${id} --${name}`).toMatch(/\.$/);
    }
  }
});

test('help is the same for all its spellings, and shows the colon form', async () => {
  const [colon, space, command, topic, nothing, unknown, whole, before, wholeTopic] = await fewAtATime(
    [
      ['jobs:list', '--help'],
      ['jobs', 'list', '--help'],
      ['help', 'jobs', 'list'],
      ['jobs'],
      [],
      ['help', 'jbs:list'],
      ['jobs', 'list', '--help-all'],
      ['--help-all', 'jobs:list'],
      ['help', 'jobs', 'list', '--help-all'],
    ],
    (args) => runAtomctl(args),
  );
  expect(colon).toEqual(space);
  expect(colon).toEqual(command);
  expect(colon!.code).toBe(0);
  expect(colon!.stdout).toContain('USAGE\n  atomctl jobs:list [FLAGS]\n');
  for (const flag of ['--json', '--timeout', '--since', '--atom-root', '--quiet'])
    expect(colon!.stdout).toContain(flag);
  expect(colon!.stdout).not.toContain('Exit status: ');
  expect([before, wholeTopic]).toEqual([whole, whole]);
  expect(whole!.stdout).toMatch(/ {2}--since WHEN +Only jobs[\s\S]* {2}Exit status: 0 listed/);
  expect([topic!.code, nothing!.code]).toEqual([0, 0]);
  expect(topic!.stdout).toMatch(/jobs:export-csv/);
  expect(nothing!.stdout).toMatch(/doctor/);
  expect([unknown!.code, unknown!.stdout]).toEqual([2, '']);
  expect(unknown!.stderr).toBe(
    'Error: Unknown command "jbs:list". Did you mean jobs:list? Topics of the help: exit-codes, filters, environment, formats, live-states.\n',
  );
});

test('the topics list the exit codes and live states of the tables, and the filters, formats and variables of the flags', async () => {
  const topics = ['exit-codes', 'filters', 'environment', 'formats', 'live-states'];
  const [codes, filters, environment, formats, states] = await fewAtATime(topics, (topic) =>
    runAtomctl(['help', topic]),
  );
  for (const code of Object.values(EXIT))
    expect(codes!.stdout).toMatch(new RegExp(`^ {2}${code} +[A-Za-z]`, 'm'));
  for (const word of [
    '--older-than AGE',
    '--live executing|queued|finished|lost|uncertain',
    'strictly older',
  ])
    expect(filters!.stdout).toContain(word);
  for (const word of ['ATOMCTL_AUDIT_LOG', 'ATOMCTL_TIMEOUT', 'ATOM_MYSQL_PASSWORD', 'NO_COLOR'])
    expect(environment!.stdout).toContain(word);
  for (const state of LIVE_STATE_NAMES) expect(states!.stdout).toMatch(new RegExp(`^ {2}${state} `, 'm'));
  expect(formats!.stdout).toMatch(/^ {2}--prometheus .*[\s\S]*On jobs:stats, queue:status\./m);
  for (const {code, stdout} of [codes!, filters!, environment!, formats!, states!]) {
    expect(code).toBe(0);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  }
});

test('an invalid command line is one sentence on stderr, one document on stdout with --json, and exit 2', async () => {
  const cases: [string[], RegExp][] = [
    [['jobs:lst'], /Unknown command "jobs:lst"/],
    [['jobs', 'lst'], /Unknown command "jobs:lst"/],
    [['jobs:list', '--nope'], /--nope/],
    [['jobs:list', 'extra'], /extra/],
    [['jobs:list', '--limit', '0'], /"0" \(--limit\)/],
    [['jobs:list', '--all', '--limit', '3'], /--all cannot be used with --limit/],
    [['jobs:list', '--status', 'broken'], /"broken" \(--status\) is not a valid value/],
    [['jobs:list', '--older-than', '3 months'], /"3 months" \(--older-than\)/],
    [['jobs:list', '--since', '2026-02-30', '--timezone', 'UTC'], /"2026-02-30" \(--since\)/],
    [['jobs:show'], /argument id is missing/],
    [['jobs:show', '0'], /"0" is not a valid job id/],
    [['jobs:export-csv', '--force'], /--force also needs --output/],
    [['jobs:list'], /No AtoM installation and no database/],
  ];
  const texts = await fewAtATime(cases, ([args]) => runAtomctl(args));
  const documents = await fewAtATime(cases, ([args]) => runAtomctl([...args, '--json']));
  for (const [index, [args, message]] of cases.entries()) {
    const {code, stdout, stderr} = texts[index]!;
    expect([args, code, stdout]).toEqual([args, 2, '']);
    expect(stderr).toMatch(/^Error: [^\n]+[.:] ?[^\n]*\n$/);
    expect(stderr).toMatch(message);
    const document = documents[index]!;
    expect([args, document.code, document.stderr]).toEqual([args, 2, '']);
    expect(JSON.parse(document.stdout).error.message).toMatch(message);
  }
});
