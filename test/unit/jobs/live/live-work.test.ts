import {expect, it} from 'vitest';
import {createSiteTime} from '../../../../src/atom/site-time.ts';
import {reasonForWork, type Workforce} from '../../../../src/jobs/live/live-work.ts';
import type {AtomProcess} from '../../../../src/processes/read-processes.ts';

const clock = {time: createSiteTime('UTC'), now: () => new Date('2026-03-04T12:00:00Z')};
const NOBODY: Workforce = {workers: [], processes: {incomplete: null, processes: []}};
const LONG_AGO = '2026-03-04 09:00:00';
const importing = {pid: 30, task: 'csv:import'} as AtomProcess;

it.each<[string, Partial<Workforce>, string | null, RegExp | null]>([
  ['nobody is there and the log is silent', {}, LONG_AGO, null],
  ['the log is silent for 15 minutes', {}, '2026-03-04 11:45:00', null],
  ['it is silent for less', {}, '2026-03-04 11:45:01', /silent for only 14 minutes; 15 are needed\.$/],
  ['it is silent for a minute', {}, '2026-03-04 11:58:59', /only 1 minute; /],
  ['its time lies in the future', {}, '2026-03-04 12:00:01', /in the future.*time zone/],
  ['its time is not known', {}, null, /does not show when it was last active/],
  [
    'a worker is connected',
    {
      workers: [
        {pid: 9, thisSite: true},
        {pid: 8, thisSite: false},
      ],
    },
    LONG_AGO,
    /^A worker of this site \(PID 9\) is connected and may be running it\.$/,
  ],
  [
    'a worker of an unknown prefix is connected',
    {workers: [{pid: null, thisSite: false}]},
    LONG_AGO,
    /^A worker under another function prefix is connected and may be running it\.$/,
  ],
  [
    'a process runs on this host',
    {processes: {incomplete: null, processes: [importing]}},
    LONG_AGO,
    /^The process 30 \(symfony csv:import\) on this host may be running it\.$/,
  ],
  [
    'the processes cannot be read',
    {processes: {incomplete: 'They cannot be read.', processes: []}},
    LONG_AGO,
    /^They cannot be read\.$/,
  ],
])('%s', (_name, workforce, lastActivity, reason) => {
  const found = reasonForWork({lastActivity}, {...NOBODY, ...workforce}, clock);
  expect(found).toEqual(reason === null ? null : expect.stringMatching(reason));
});
