import {chmod, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {assignToUnits, workerLog} from '../../../src/worker/executing.ts';
import {NEVER_STARTED} from '../../support/workers/fake-systemd.ts';

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

/** A journal with these messages, of one worker unless they say which. */
async function journal(messages: readonly (string | [pid: number, message: string])[]): Promise<void> {
  const lines = messages.map((message) => {
    const [pid, text] = typeof message === 'string' ? [7, message] : message;
    return JSON.stringify({MESSAGE: text, _PID: `${pid}`, __REALTIME_TIMESTAMP: '1000000'});
  });
  await writeFile(join(tools, 'journalctl'), `#!/bin/sh\ncat <<'END'\n${lines.join('\n')}\nEND\n`);
  await chmod(join(tools, 'journalctl'), 0o755);
}

const at = (second: number, message: string) => `2026-11-23 12:00:0${second} > ${message}`;

/** As AtoM 2.8 prints them: one worker does 15, then 1; another begins a job that waits. */
const LINES = [
  at(0, 'Running worker...'),
  at(1, 'Job started.'),
  at(1, 'Parameters: {"note":"\\"id\\":\\"1\\"","id":"15"}'),
  at(2, 'Job finished.'),
  at(2, 'Jobs completed: 1'),
  at(3, 'Job started.'),
  at(4, 'Parameters: {"objectId":15,"name":"arObjectMoveJob","id":"1"}'),
  at(5, 'Moved.'),
];
const OTHER = [at(3, 'Job started.'), at(4, 'Another job runs.')];

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

test("a job's lines alone: not those of another job, nor of another worker", async () => {
  const both = LINES.flatMap((line, index): [number, string][] => [
    [7, line],
    ...(index >= 5 && index < 7 ? [[8, OTHER[index - 5]!] as [number, string]] : []),
  ]);
  await journal(both);
  expect(await linesOf(15)).toEqual(LINES.slice(1, 4));
  expect(await linesOf(1)).toEqual(LINES.slice(5));
  expect(await linesOf(15, {lines: 2})).toEqual(LINES.slice(2, 4));
  expect(await linesOf(15, {lines: 2, follow: true})).toHaveLength(3);
  expect(await linesOf(5)).toEqual([]);
});

test('a job belongs to the unit whose journal names it last, or to the only one that runs', async () => {
  const running = {...NEVER_STARTED, name: 'a.service', mainPid: 7};
  const stopped = {...NEVER_STARTED, name: 'b.service'};
  const other = {...running, name: 'c.service'};
  const jobs = [{id: 1, name: 'arObjectMoveJob'}];
  const assigned = async (...units: (typeof running | typeof stopped)[]) =>
    (await assignToUnits({jobs: [...jobs, {id: 15, name: 'arFindingAidJob'}], units, scope: 'system'})).map(
      ({unit}) => unit,
    );
  await journal(LINES);
  expect(await assigned(running, stopped)).toEqual(['a.service', null]);
  await journal([...LINES, at(6, 'Job finished.'), ...OTHER]);
  expect(await assigned(running, stopped)).toEqual([null, null]);
  await journal(['nothing of the kind']);
  expect(await assignToUnits({jobs, units: [running, stopped], scope: 'system'})).toMatchObject([
    {unit: 'a.service'},
  ]);
  expect(await assignToUnits({jobs, units: [running, other], scope: 'system'})).toMatchObject([{unit: null}]);
});
