/** Whoever has AtoM's account may replace its tables by views that answer anything. */
import {afterAll, beforeAll, expect, test} from 'vitest';
import {type AtomSite, createSite, runAtomctl} from '../support/sandbox.ts';

const HOSTILE = '\u001b]0;owned\u0007\u202e';
const RAW = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;

let site: AtomSite;

beforeAll(async () => {
  site = await createSite();
  await site.insertJob({status: 'running', userId: 449, objectId: 512});
  await site.insertJob({status: 'error', userId: 449, objectId: 512, notes: [{text: 'x', error: true}]});
  const columns = [
    'id',
    'name',
    'download_path',
    'completed_at',
    'user_id',
    'object_id',
    'status_id',
    'output',
  ];
  const hostile = (column: string) =>
    column === 'completed_at' || column === 'id' ? `CONCAT(${column}, ?) AS ${column}` : column;
  await site.query('RENAME TABLE job TO real_job');
  await site.query(
    `CREATE VIEW job AS SELECT ${columns.map(hostile).join(', ')} FROM real_job`.replaceAll(
      '?',
      `'${HOSTILE}'`,
    ),
  );
});

afterAll(() => site?.drop());

test('ids and times that are hostile texts reach no terminal, and end nothing with an internal error', async () => {
  const commands = [
    ['jobs:list', '--no-live'],
    ['jobs:list', '--no-live', '--csv'],
    ['jobs:list', '--no-live', '--json'],
    ['jobs:stats'],
    ['jobs:export-csv', '--columns', 'id,name,endDate'],
    ['jobs:clear', '--dry-run'],
    ['queue:status', '--prometheus'],
    ['doctor', '--check', 'database'],
  ];
  for (const args of commands) {
    const {stdout, stderr} = await runAtomctl(args, {env: site.env});
    expect([args, RAW.test(stdout + stderr), stdout + stderr]).toEqual([
      args,
      false,
      expect.not.stringContaining('Internal error'),
    ]);
  }
});
