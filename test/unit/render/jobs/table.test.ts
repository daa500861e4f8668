import {expect, it} from 'vitest';
import {DEFAULT_JOB_COLUMNS, type JobColumn} from '../../../../src/render/jobs/columns.ts';
import {jobSummary, renderJobSummary, renderJobTable} from '../../../../src/render/jobs/table.ts';
import {aJob} from '../../../support/jobs/a-job.ts';

const JOBS = [
  aJob({
    id: 155_764,
    name: 'arFindingAidJob',
    live: 'executing',
    startedAt: '2026-11-26T02:42:45-08:00',
    durationSeconds: 1093,
    user: 'administrator',
    notes: [{text: 'Imported 12 of 900 rows', error: false}],
  }),
  aJob({
    id: 155_763,
    name: 'arUpdateEsActorRelations',
    live: 'queued',
    startedAt: '2026-11-09T02:42:45-08:00',
    durationSeconds: 5400,
  }),
  aJob({id: 9, name: 'CSV export', status: 'completed', startedAt: '2025-11-23T02:42:45-08:00'}),
];
const ENDED = JOBS.slice(2);

async function tableAt(width: number, columns?: readonly JobColumn[], jobs = JOBS): Promise<string> {
  const screen = {isTTY: true, width, color: false};
  const shown = {columns: columns ?? DEFAULT_JOB_COLUMNS, allStay: columns !== undefined};
  const options = {...shown, screen, now: '2026-11-26 03:00:00', liveUnknown: false};
  return (await renderJobTable(jobs, options)).table;
}

it('says which columns are not shown, and not those that would be empty', async () => {
  const screen = {isTTY: true, width: 64, color: false};
  const options = {columns: DEFAULT_JOB_COLUMNS, allStay: false, screen, now: '2026-11-26 03:00:00'};
  const {leftOut} = await renderJobTable(JOBS, {...options, liveUnknown: false});
  const totals = {total: 3, counts: {running: 2, completed: 1, error: 0, unknown: 0}};
  expect(renderJobSummary(3, totals, {screen, leftOut})).toBe(
    '3 of 3 jobs shown: 2 running, 1 completed.\nNot shown for lack of width: STARTED, INFO, USER.\n',
  );
  expect(renderJobSummary(3, totals, {screen, leftOut: []})).not.toContain('Not shown');
  expect(jobSummary(0, {total: 0, counts: {...totals.counts, running: 0, completed: 0}})).toBe('No jobs.');
});

it('D1: on a screen of 80 columns names are whole beside LIVE, and dates are short', async () => {
  expect(await tableAt(80)).toBe(
    `    ID  STARTED      DURATION  NAME                      STATUS     LIVE
155764  02:42:45      18m 13s  arFindingAidJob           running    executing
155763  11-09 02:42    1h 30m  arUpdateEsActorRelations  running    queued
     9  2025-11-23             CSV export                completed
`,
  );
});

it('D1: on 60 columns the dates are left out before a name is cut', async () => {
  expect(await tableAt(64)).toBe(
    `    ID  DURATION  NAME                      STATUS     LIVE
155764   18m 13s  arFindingAidJob           running    executing
155763    1h 30m  arUpdateEsActorRelations  running    queued
     9            CSV export                completed
`,
  );
  const lines = (await tableAt(60)).trimEnd().split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
  expect(lines[2]).toContain('arUpdateEsActorRela…');
});

it('LIVE is left out on a narrow screen if no job has a state', async () => {
  expect(await tableAt(50, undefined, ENDED)).toBe(
    `ID  STARTED     DURATION  NAME        STATUS
 9  2025-11-23            CSV export  completed
`,
  );
});

it('no column that was named is left out', async () => {
  const [header] = (await tableAt(60, ['id', 'started', 'name', 'live', 'info', 'user'])).split('\n');
  expect(header!.split(/ +/).filter((word) => word !== '')).toEqual([
    'ID',
    'STARTED',
    'NAME',
    'LIVE',
    'INFO',
    'USER',
  ]);
});

it('D1: a download is never cut, as the path is there to be copied; other columns are, to fit beside it or alone', async () => {
  const downloadPath = `downloads/jobs/${'0123456789abcdef'.repeat(4)}.zip`;
  const jobs = [aJob({id: 9, name: 'arFindingAidJob', downloadPath})];
  expect(await tableAt(80, ['id', 'name', 'download'], jobs)).toContain(
    `\n 9  arFindingAidJob  ${downloadPath}\n`,
  );
  expect(await tableAt(104, ['id', 'info', 'download'], [{...jobs[0]!, notes: JOBS[0]!.notes}])).toContain(
    `\n 9  Imported 12 of…  ${downloadPath}\n`,
  );
});

it('a watch, which has a margin, shows the same columns as the list', async () => {
  const columnsAt = async (width: number, margin?: number) => {
    const screen = {isTTY: true, width, color: false, ...(margin && {margin})};
    const shown = {columns: DEFAULT_JOB_COLUMNS, allStay: false};
    const {table} = await renderJobTable(JOBS, {
      ...{...shown, screen},
      now: '2026-11-26 03:00:00',
      liveUnknown: false,
    });
    expect(Math.max(...table.split('\n').map((line) => line.length))).toBeLessThanOrEqual(width);
    return table.split('\n')[0]!.split(/ +/);
  };
  for (const width of [70, 80, 86, 90, 92, 100, 120])
    expect(await columnsAt(width - 3, 3), String(width)).toEqual(await columnsAt(width));
});

it('a wide screen has every column, with whole dates', async () => {
  const table = await tableAt(200);
  expect(table).toContain('2026-11-26 02:42:45');
  expect(table).toContain('Imported 12 of 900 rows  administrator\n');
});
