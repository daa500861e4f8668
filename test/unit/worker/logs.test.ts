import {chmod, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {assignToUnits} from '../../../src/worker/executing.ts';
import {workerLog} from '../../../src/worker/logs.ts';
import {NEVER_STARTED} from '../../support/fake-systemd.ts';

const path = process.env.PATH;
let tools: string;

beforeAll(async () => {
  tools = await mkdtemp(join(tmpdir(), 'journal-'));
  process.env.PATH = `${tools}:${path}`;
});

afterAll(async () => {
  process.env.PATH = path;
  await rm(tools, {recursive: true});
});

/** A journal with these messages. */
async function journal(messages: readonly string[]): Promise<void> {
  const lines = messages.map((MESSAGE) =>
    JSON.stringify({MESSAGE, _PID: '7', __REALTIME_TIMESTAMP: '1000000'}),
  );
  await writeFile(join(tools, 'journalctl'), `#!/bin/sh\ncat <<'END'\n${lines.join('\n')}\nEND\n`);
  await chmod(join(tools, 'journalctl'), 0o755);
}

const LINES = [
  'Running worker...',
  '2026-11-23 12:00:00 > Job 15 "arFindingAidJob": Job started.',
  '2026-11-23 12:00:01 > Job 15 "arFindingAidJob": Parameters: {"note":"Job 1 \\"x\\""}',
  '2026-11-23 12:00:02 > Job 1 "arObjectMoveJob": Job started.',
  '2026-11-23 12:00:03 > Job 15 "arFindingAidJob": Job finished.',
];

async function linesOf(jobId: number, options: {lines?: number; follow?: boolean} = {}): Promise<string[]> {
  const found: string[] = [];
  const query = {
    scope: 'system',
    units: ['a.service'],
    follow: false,
    signal: new AbortController().signal,
  } as const;
  for await (const {message} of workerLog({...query, ...options, jobId})) found.push(message);
  return found;
}

test("a job's lines alone: not those of another whose id it starts with, nor those that quote it", async () => {
  await journal(LINES);
  expect(await linesOf(15)).toEqual([LINES[1], LINES[2], LINES[4]]);
  expect(await linesOf(1)).toEqual([LINES[3]]);
  expect(await linesOf(15, {lines: 2})).toEqual([LINES[2], LINES[4]]);
  expect(await linesOf(15, {lines: 2, follow: true})).toHaveLength(3);
  expect(await linesOf(5)).toEqual([]);
});

test('a job belongs to the unit whose journal names it last, or to the only one that runs', async () => {
  const running = {...NEVER_STARTED, name: 'a.service', mainPid: 7};
  const stopped = {...NEVER_STARTED, name: 'b.service'};
  const other = {...running, name: 'c.service'};
  const jobs = [{id: 1, name: 'arObjectMoveJob'}];
  await journal(LINES.slice(0, 4));
  expect(await assignToUnits({jobs, units: [running, stopped], scope: 'system'})).toMatchObject([
    {unit: 'a.service'},
  ]);
  await journal(['nothing of the kind']);
  expect(await assignToUnits({jobs, units: [running, stopped], scope: 'system'})).toMatchObject([
    {unit: 'a.service'},
  ]);
  expect(await assignToUnits({jobs, units: [running, other], scope: 'system'})).toMatchObject([{unit: null}]);
});
