import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {expect, test} from 'vitest';
import {parseState, readProcessState} from '../../../src/processes/process-state.ts';
import {createScratch} from '../../support/scratch.ts';
import {until} from '../../support/until.ts';

test.each([
  ['12 (php) T 1 12', 'stopped'],
  ['12 (a) R (b) t 1 12', 'traced'],
  ['12 (php) S 1 12', 'sleeping'],
  ['12 (php) D 1 12', 'waiting for a disk'],
  ['12 (php) Z 1 12', 'ended'],
  ['12 (php) ? 1 12', null],
  ['', null],
])('the state in %j', (text, state) => {
  expect(parseState(text)).toBe(state);
});

test('a process that is stopped, goes on and ends; only a worker is one', async () => {
  const child = spawn('sleep', ['600']);
  await once(child, 'spawn');
  const pid = child.pid!;
  child.kill('SIGSTOP');
  await until(async () => (await readProcessState(pid))?.state === 'stopped');
  expect(await readProcessState(pid)).toEqual({state: 'stopped', isWorker: false});
  child.kill('SIGCONT');
  await until(async () => (await readProcessState(pid))?.state === 'sleeping');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await readProcessState(pid)).toEqual({state: 'gone', isWorker: false});
});

test('without /proc, nothing is known', async () => {
  expect(await readProcessState(1, {proc: createScratch('proc')})).toBeNull();
});
