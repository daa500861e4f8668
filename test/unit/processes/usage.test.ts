import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {expect, test} from 'vitest';
import {parseCpuSeconds, parseResidentBytes} from '../../../src/processes/process-status.ts';
import {ancestorsOf, readUsage} from '../../../src/processes/usage.ts';

const STAT = '42 (a) b (c) S 1 42 42 0 -1 4194560 100 200 0 0 250 50 7 8 20 0 1 0 5000 1000 30 0';

test('CPU time is that of the process in user and system mode, whatever its name is', () => {
  expect(parseCpuSeconds(STAT)).toBe(3);
  expect(parseCpuSeconds('nonsense')).toBeNull();
});

test('memory is what is in RAM; a process that has ended has none', () => {
  expect(parseResidentBytes('Name:\tphp\nVmRSS:\t    1024 kB\n')).toBe(1024 * 1024);
  expect(parseResidentBytes('Name:\tphp\nState:\tZ (zombie)\n')).toBeNull();
});

test('a process of this host with its children, which have their parents', async () => {
  const child = spawn('sh', ['-c', 'sleep 600 & echo ready; wait'], {stdio: ['ignore', 'pipe', 'ignore']});
  await once(child.stdout, 'data');
  const usage = await readUsage(child.pid!);
  expect(usage).toMatchObject({
    pid: child.pid,
    cpuSeconds: expect.any(Number),
    memoryBytes: expect.any(Number),
    readBytes: expect.any(Number),
    connections: [],
    children: [{argv: ['sleep', '600'], children: []}],
  });
  const [sleeping] = usage!.children;
  expect((await ancestorsOf(sleeping!.pid)).slice(0, 2)).toEqual([child.pid, process.pid]);
  process.kill(sleeping!.pid, 'SIGKILL');
  await once(child, 'exit');
  expect(await readUsage(child.pid!)).toBeNull();
});
