import {describe, expect, test} from 'vitest';
import type {SiteTime} from '../../../../src/atom/site-time.ts';
import {atomDate, HISTORY_COLUMNS, type HistoryRecord} from '../../../../src/jobs/export/columns.ts';
import type {JobClock} from '../../../../src/jobs/model/load-jobs.ts';

const CLOCK: JobClock = {
  time: {toEpochMs: (wall: string) => Date.parse(`${wall.replace(' ', 'T')}Z`)} as SiteTime,
  now: new Date('2026-03-04T12:00:00Z'),
};

const RECORD: HistoryRecord = {
  id: 7,
  name: 'arFindingAidJob',
  statusId: 184,
  createdAt: '2026-03-04 10:00:00',
  completedAt: '2026-03-04 10:01:30',
  user: 'admin',
  objectId: 512,
  objectClass: 'QubitInformationObject',
  slug: 'smith-fonds',
  notes: [
    {id: 9, text: 'second'},
    {id: 4, text: 'first'},
  ],
};

test.each([
  ['2026-03-04 00:00:59', '2026-03-04 12:00 AM'],
  ['2026-03-04 00:59:59', '2026-03-04 12:59 AM'],
  ['2026-03-04 01:05:00', '2026-03-04 01:05 AM'],
  ['2026-03-04 11:59:00', '2026-03-04 11:59 AM'],
  ['2026-03-04 12:00:00', '2026-03-04 12:00 PM'],
  ['2026-03-04 13:05:00', '2026-03-04 01:05 PM'],
  ['2026-03-04 23:59:59', '2026-03-04 11:59 PM'],
  ['0000-00-00 00:00:00', 'N/A'],
  [null, 'N/A'],
])('atomDate(%j) is %j', (stored, text) => {
  expect(atomDate(stored)).toBe(text);
});

describe('HISTORY_COLUMNS', () => {
  test.each<[keyof typeof HISTORY_COLUMNS, Partial<HistoryRecord>, string]>([
    ['jobInfo', {}, 'first | second'],
    ['jobUser', {}, 'admin'],
    ['jobUser', {user: null}, 'None'],
    ['user', {user: null}, ''],
    ['jobStatus', {statusId: null}, 'Unknown'],
    ['jobStatus', {statusId: 183}, 'Running'],
    ['status', {statusId: 999}, 'unknown'],
    ['jobName', {name: null}, ''],
    ['duration', {}, '90'],
    ['duration', {statusId: 183, completedAt: null}, '7200'],
    ['duration', {statusId: 185, completedAt: null}, ''],
    ['finished', {completedAt: null}, ''],
    ['object', {}, 'smith-fonds'],
    ['object', {slug: null}, 'informationobject 512'],
    ['object', {slug: null, objectId: null, objectClass: null}, ''],
  ])('%s of %j is %j', (column, change, text) => {
    expect(HISTORY_COLUMNS[column].cell({...RECORD, ...change}, CLOCK)).toBe(text);
  });
});
