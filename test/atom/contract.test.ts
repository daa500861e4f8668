import {afterAll, beforeAll, expect, test} from 'vitest';
import {connectWorker} from '../../src/gearman/worker-connection.ts';
import {readPayload} from '../../src/queue/payload.ts';
import {uniqueKey} from '../../src/queue/unique-key.ts';
import {until} from '../support/until.ts';
import {type AtomWorker, abilities, copyAtom, type InstalledAtom} from './installed-atom.ts';

/** It has no object, and reads the table that the tests lock. */
const JOB = 'arPhysicalObjectCsvHoldingsReportJob';
const PARAMETERS = {suppressEmpty: true};
const TABLE = 'physical_object';

let atom: InstalledAtom;
let worker: AtomWorker;
let prefix: string;

beforeAll(async () => {
  atom = await copyAtom(process.env.ATOM_ROOT!);
  worker = await atom.startWorker();
  prefix = String((await config()).functionPrefix!.value);
});

afterAll(() => atom?.drop());

async function json(...args: string[]) {
  return JSON.parse((await atom.atomctl(...args, '--json')).stdout);
}

async function config(): Promise<Record<string, {value: unknown}>> {
  return json('config');
}

async function stateOf(id: number, ...args: string[]): Promise<string> {
  const {jobs} = await json('jobs:list', '--id', String(id), ...args);
  const [{live, likely, status}] = jobs;
  return live === null ? status : live === 'uncertain' ? `${likely}?` : live;
}

interface Row {
  name: string;
  output: string | null;
  object_id: number | null;
  status_id: number;
}

async function rowOf(id: number): Promise<Row> {
  const [row] = await atom.query<Row>('SELECT name, output, object_id, status_id FROM job WHERE id = ?', [
    id,
  ]);
  return row!;
}

const logged = (id: number, text: string) =>
  until(async () => (await rowOf(id)).output?.includes(text) === true);

test('prefix and servers are those that the worker uses', async () => {
  const functions = await abilities(atom.gearmand());
  expect(functions.length).toBeGreaterThan(5);
  expect(functions.filter((name) => !name.startsWith(`${prefix}-`))).toEqual([]);
  expect((await config()).gearmanServers!.value).toEqual([atom.gearmand().endpoint]);
});

test('a waiting job has the payload and the key that are computed from its row and its log', async () => {
  worker.signal('SIGSTOP');
  const id = await atom.submit(JOB, PARAMETERS);
  expect(await stateOf(id)).toBe('queued?');
  expect(await stateOf(id, '--probe')).toBe('queued');
  const connection = await connectWorker(atom.gearmand().address, {timeoutSeconds: 5});
  const job = await connection.grab([`${prefix}-${JOB}`]);
  connection.close();
  const row = await rowOf(id);
  expect(readPayload(job!.payload)).toEqual({jobId: id, name: row.name, objectId: row.object_id});
  expect(uniqueKey(`${prefix}-${JOB}`, job!.payload)).toBe(job!.unique);
  worker.signal('SIGCONT');
  await logged(id, 'Job finished.');
  const {output, status_id} = await rowOf(id);
  expect(status_id).toBe(184);
  const ownLine = (text: string) => `Job ${id} "${JOB}": ${text}`;
  expect(output).toContain(ownLine('Job started.'));
  expect(output).toContain(ownLine('Job finished.'));
  const [, parameters] = /": Parameters: (.*)/.exec(output!) ?? [];
  // Up to 2.6 none are logged.
  if (parameters !== undefined) expect(uniqueKey(`${prefix}-${JOB}`, parameters)).toBe(job!.unique);
});

test('executing; queued again when its worker is killed; then completed', async () => {
  const unlock = await atom.lock(TABLE);
  const id = await atom.submit(JOB, PARAMETERS);
  await logged(id, 'Job started.');
  await until(async () => (await stateOf(id)) === 'executing');
  await worker.kill();
  await until(async () => (await stateOf(id, '--probe')) === 'queued');
  await unlock();
  worker = await atom.startWorker();
  await until(async () => (await rowOf(id)).status_id === 184);
  expect(await stateOf(id)).toBe('completed');
});

test('not lost while the worker goes on after a restart of gearmand', async () => {
  const unlock = await atom.lock(TABLE);
  const id = await atom.submit(JOB, PARAMETERS);
  await logged(id, 'Job started.');
  await until(async () => (await stateOf(id)) === 'executing');
  await atom.restartGearmand();
  expect(['executing', 'executing?']).toContain(await stateOf(id));
  await unlock();
  await until(async () => (await rowOf(id)).status_id === 184);
});

test('the export is the one that AtoM makes', async () => {
  // PHP quotes a cell with a space, too.
  const lines = (text: string) => text.trim().replaceAll('"', '').split('\n').sort();
  const {stdout} = await atom.atomctl('jobs:export-csv');
  expect(lines(stdout).length).toBeGreaterThan(3);
  expect(lines(stdout)).toEqual(lines(await atom.exportCsv()));
});
