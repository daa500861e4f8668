import {afterAll, beforeAll, expect, test} from 'vitest';
import {fewAtATime} from '../support/few-at-a-time.ts';
import {type AtomSite, createSite, runAtomctl, runOnTerminal} from '../support/sandbox.ts';

/** Sets the terminal's title and clears it, in 7-bit and 8-bit form, and changes the direction of text. */
const HOSTILE = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202e';
const RAW = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

let site: AtomSite;
let id: number;
let running: number;

beforeAll(async () => {
  site = await createSite();
  await site.query('UPDATE user SET username = ? WHERE id = 449', [`mallory${HOSTILE}`]);
  await site.query('UPDATE slug SET slug = ? WHERE object_id = 512', [`slug${HOSTILE}`]);
  const hostile = {
    name: `name${HOSTILE}`,
    userId: 449,
    objectId: 512,
    downloadPath: `downloads/${HOSTILE}`,
    notes: [{text: `note${HOSTILE}`}, {text: `error${HOSTILE}`, error: true}],
    output: `[info] [2026-03-04 13:05:02] Job 1 "x": log${HOSTILE}\r\n`,
  };
  id = await site.insertJob({...hostile, status: 'error'});
  running = await site.insertJob({...hostile, status: 'running'});
});

afterAll(() => site?.drop());

const env = () => ({...site.env, ATOMCTL_TIMEOUT: '60', NO_COLOR: '1'});

test('no command prints control characters from the database on a terminal', async () => {
  const columns = 'id,name,info,user,object';
  const commands: [string[], string][] = [
    [['jobs:list', '--no-live', '--no-truncate', '--columns', columns], 'mallory'],
    [['jobs:list', '--no-live', '--csv', '--columns', columns], 'mallory'],
    [['jobs:show', `${id}`], 'log'],
    [['jobs:export-csv', '--no-escape-formulas', '--columns', columns], 'mallory'],
    [['jobs:kill', `${id}`, '-y'], `${id}`],
    [['jobs:kill', `${running}`, '-y', '--reason', `why${HOSTILE}`, '--force'], `${running}`],
    [['jobs:list', '--json', '--no-live'], 'mallory'],
  ];
  // One after the other, because a kill locks the site.
  for (const [args, word] of commands) {
    const {screen} = await runOnTerminal(args, {env: env(), columns: 200});
    expect(screen, args.join(' ')).toContain(word);
    expect(screen, args.join(' ')).not.toMatch(RAW);
  }
});

test('in a pipe text is sanitised too, JSON is escaped, and so is CSV (S16)', async () => {
  const [text, json, csv, exact] = await fewAtATime(
    [
      ['jobs:show', `${id}`],
      ['jobs:show', `${id}`, '--json'],
      ['jobs:export-csv', '--id', `${id}`, '--columns', 'name'],
      ['jobs:export-csv', '--id', `${id}`, '--columns', 'name', '--no-escape-formulas'],
    ],
    (args) => runAtomctl(args, {env: env()}),
  );
  expect(text!.stdout).toContain('name\\x1b]0;owned\\x07\\x1b[2J\\x9b31m\\u202e');
  expect(text!.stdout).not.toMatch(RAW);
  expect(json!.stdout).not.toMatch(RAW);
  expect(JSON.parse(json!.stdout)).toMatchObject({
    name: `name${HOSTILE}`,
    user: `mallory${HOSTILE}`,
    objectSlug: `slug${HOSTILE}`,
    notes: [{text: `note${HOSTILE}`}, {text: `error${HOSTILE}`}],
    log: expect.stringContaining(`log${HOSTILE}`),
  });
  expect(csv!.stdout).toBe('name\nname\\x1b]0;owned\\x07\\x1b[2J\\x9b31m\\u202e\n');
  expect(exact!.stdout).toBe(`name\nname${HOSTILE}\n`);
});

test('errors make control characters of arguments visible', async () => {
  const typed = [
    ['jobs:list', '--sort', HOSTILE],
    ['jobs:list', '--since', HOSTILE],
    ['jobs:list', '--columns', HOSTILE],
    ['jobs:list', HOSTILE],
    ['jobs:show', HOSTILE],
    [`jobs:${HOSTILE}`],
  ];
  for (const {code, stdout, stderr} of await fewAtATime(typed, (args) => runAtomctl(args, {env: env()}))) {
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^Error: .+\n$/);
    expect(stderr).not.toMatch(RAW);
  }
});
