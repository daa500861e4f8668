import {chmod, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {type AtomSite, createScratch, createSite, runAtomctl, runOnTerminal} from '../support/sandbox.ts';

const LINES = 60;
const log = Array.from({length: LINES}, (_, index) => `line ${index + 1}`).join('\n');

let site: AtomSite;
let id: string;

beforeAll(async () => {
  site = await createSite();
  id = String(await site.insertJob({name: 'arFindingAidJob', status: 'completed'}));
  await site.query('UPDATE job SET output = ? WHERE id = ?', [log, Number(id)]);
});
afterAll(() => site.drop());

/** A pager that marks each line, so that the screen tells who wrote it. */
async function markingPager(): Promise<string> {
  const pager = join(createScratch('pager'), 'pager');
  await writeFile(pager, '#!/bin/sh\nexec sed "s/^/paged: /"\n');
  await chmod(pager, 0o755);
  return pager;
}

const show = (env: Record<string, string>, args: readonly string[], input = '') =>
  runOnTerminal(['jobs:show', id, '--no-live', ...args], {
    env: {...site.env, ...env},
    rows: 24,
    input,
  });

test('D9: what is longer than the screen goes through the pager, and nothing else does', async () => {
  const pager = await markingPager();
  const whole = await show({PAGER: pager}, ['--log']);
  expect(whole.screen.split('\n').filter((line) => line.startsWith('paged: line '))).toHaveLength(LINES);
  const own = await show({PAGER: 'false', ATOMCTL_PAGER: pager}, ['--log']);
  expect(own.screen).toContain(`paged: line ${LINES}\n`);
  const short = await show({PAGER: pager}, ['--tail=3']);
  expect(short.screen).toContain('\nline 60\n');
  expect(short.screen).toContain('the last 3 of 60 lines');
  const plain = await show({PAGER: pager}, ['--log', '--no-pager']);
  expect(plain.screen).not.toContain('paged');
  expect([whole, own, short, plain].map(({code}) => code)).toEqual([0, 0, 0, 0]);
});

test('complete help goes through the pager', async () => {
  const {code, screen} = await runOnTerminal(['jobs:list', '--help-all'], {
    env: {PAGER: await markingPager()},
    rows: 24,
  });
  expect([code, /paged: .*EXAMPLES/.test(screen)]).toEqual([0, true]);
});

test('a pager that cannot be started, or ends at once, does no harm', async () => {
  const missing = await show({PAGER: '/nonexistent/pager'}, ['--log']);
  expect([missing.code, missing.screen.includes('line 60\n')]).toEqual([0, true]);
  const ended = await show({PAGER: 'true'}, ['--log']);
  expect([ended.code, ended.screen]).toEqual([0, '']);
});

test('under sudo the variables of the caller choose no program, and less starts none', async () => {
  const pager = await markingPager();
  const shown = await show({PAGER: pager, SUDO_UID: '1000'}, ['--log'], 'q');
  expect(shown.screen).toMatch(/line 1\b/);
  expect(shown.screen).not.toContain('paged');
  const {screen} = await show({PAGER: 'sh -c set'}, ['--log']);
  expect(screen).toMatch(/LESSSECURE='?1/);
});

test('in a pipe there is no pager', async () => {
  const {stdout} = await runAtomctl(['jobs:show', id, '--no-live', '--log'], {
    env: {...site.env, PAGER: await markingPager()},
  });
  expect(stdout).toBe(`${log}\n`);
});
