import {expect, it} from 'vitest';
import type {HostEvidence, LiveEvidence} from '../../../../src/jobs/live/evidence.ts';
import {NEW_ROW_MS, PROCESS_MARGIN_MS, QUIET_MS} from '../../../../src/jobs/live/lost-proof.ts';
import {
  begun,
  connection,
  DAY,
  evidence,
  HOUR,
  host,
  importOf,
  keyless,
  MINUTE,
  NOW,
  processes,
  queue,
  row,
  server,
  shown,
  worker,
} from './given.ts';

/** When the jobs of given.ts began. */
const BEGUN = NOW - 50 * MINUTE;
const CREATED = NOW - HOUR;
const UNCERTAIN = 26 * HOUR;
/** A clock that may be off, and no configuration file: its age does not matter. */
const unsure = (more: Partial<HostEvidence> = {}): HostEvidence =>
  host({
    configChangedMs: null,
    clock: {nowMs: NOW, uncertaintyMs: UNCERTAIN, reason: 'It was not observed.'},
    ...more,
  });
/** One job runs that no row explains, and the only worker that may have it started at this time. */
const oneWorker = (startedMs: number, facts = host()): Partial<LiveEvidence> => ({
  queues: [queue(1, 1)],
  workers: [connection(9)],
  host: {...facts, ...processes({workers: [worker(9, {startedMs})]})},
});

interface Margin {
  /** The site, of which something happened at this time. */
  at: (ms: number) => LiveEvidence;
  /** The last time at which the state can be claimed. */
  last: number;
  /** One millisecond: the next time at which it cannot. */
  step: 1 | -1;
  states: [claimed: string, beyond: string];
}

const MARGINS: Record<string, Margin> = {
  'a row is new for fifteen seconds': {
    at: (createdMs) => evidence([row(1, {createdMs, queues: []})]),
    last: NOW - NEW_ROW_MS,
    step: 1,
    states: ['lost', '?'],
  },
  'a row is new for longer by what the clock may be off': {
    at: (createdMs) => evidence([row(1, {createdMs, queues: []})], {host: unsure()}),
    last: NOW - NEW_ROW_MS - UNCERTAIN,
    step: 1,
    states: ['lost', 'lost?'],
  },
  'a log is silent after fifteen minutes': {
    at: (lastActivityMs) => evidence([begun(1, {lastActivityMs})]),
    last: NOW - QUIET_MS,
    step: 1,
    states: ['lost', 'executing?'],
  },
  'a log is silent after longer by what the clock may be off': {
    at: (lastActivityMs) => evidence([begun(1, {lastActivityMs})], {host: unsure()}),
    last: NOW - QUIET_MS - UNCERTAIN,
    step: 1,
    states: ['lost', 'lost?'],
  },
  'a server is older than a job if it started ten seconds before': {
    at: (startedMs) => evidence([begun(1, {lastActivityMs: NOW})], {servers: [server({startedMs})]}),
    last: BEGUN - PROCESS_MARGIN_MS - 1,
    step: 1,
    states: ['lost', 'executing?'],
  },
  'a server is older than a job if it started before whatever the clock may be off': {
    at: (startedMs) =>
      evidence([begun(1, {lastActivityMs: NOW})], {servers: [server({startedMs})], host: unsure()}),
    last: BEGUN - PROCESS_MARGIN_MS - UNCERTAIN - 1,
    step: 1,
    states: ['lost', 'executing?'],
  },
  'a configuration is older than a job if it changed a minute before': {
    at: (configChangedMs) => evidence([begun(1)], {host: host({configChangedMs})}),
    last: CREATED - MINUTE - 1,
    step: 1,
    states: ['lost', 'lost?'],
  },
  'a configuration is older than a job if it changed before whatever the clock may be off': {
    at: (configChangedMs) =>
      evidence([begun(1, {lastActivityMs: NOW - 2 * DAY})], {host: unsure({configChangedMs})}),
    last: CREATED - MINUTE - UNCERTAIN - 1,
    step: 1,
    states: ['lost', 'lost?'],
  },
  'a connected worker has not begun a job if it started ten seconds later': {
    at: (startedMs) => evidence([begun(1, {queues: []})], oneWorker(startedMs)),
    last: BEGUN + PROCESS_MARGIN_MS + 1,
    step: -1,
    states: ['lost', 'executing?'],
  },
  'a connected worker has not begun a job if it started later whatever the clock may be off': {
    at: (startedMs) =>
      evidence(
        [begun(1, {queues: []})],
        oneWorker(startedMs, unsure({clock: {nowMs: NOW, uncertaintyMs: 15 * MINUTE, reason: 'Unsure.'}})),
      ),
    last: BEGUN + PROCESS_MARGIN_MS + 15 * MINUTE + 1,
    step: -1,
    states: ['lost', 'executing?'],
  },
  'by count, the worker may have begun the job if it started no more than ten seconds later': {
    at: (startedMs) => evidence([keyless(1)], oneWorker(startedMs)),
    last: BEGUN + PROCESS_MARGIN_MS,
    step: 1,
    states: ['executing', 'executing?'],
  },
  'by count, the server has not forgotten the job if it started no more than ten seconds later': {
    at: (startedMs) => evidence([keyless(1)], {queues: [queue(1, 1)], servers: [server({startedMs})]}),
    last: BEGUN + PROCESS_MARGIN_MS,
    step: 1,
    states: ['executing', 'executing?'],
  },
  'by count, the worker may have begun the job by the time that is read, though the clock is not sure': {
    at: (startedMs) => evidence([keyless(1)], oneWorker(startedMs, unsure())),
    last: BEGUN + PROCESS_MARGIN_MS,
    step: 1,
    states: ['executing', 'executing?'],
  },
  'by count, the server has not forgotten the job by the time that is read, though the clock is not sure': {
    at: (startedMs) =>
      evidence([keyless(1)], {queues: [queue(1, 1)], servers: [server({startedMs})], host: unsure()}),
    last: BEGUN + PROCESS_MARGIN_MS,
    step: 1,
    states: ['executing', 'executing?'],
  },
  'by count, a job that ended before this one began is not the one that runs': {
    at: (latestMs) =>
      evidence([keyless(1)], {
        queues: [queue(1, 1)],
        ended: [{name: 'arFindingAidJob', latestMs, atWork: false, importFiles: []}],
      }),
    last: BEGUN - 1,
    step: 1,
    states: ['executing', 'executing?'],
  },
  'a process may have been started by the job if it is older by no more than ten seconds': {
    at: (startedMs) =>
      evidence([begun(1, {name: 'arFileImportJob', importFile: '/tmp/up.csv', queues: []})], {
        host: host(processes({imports: [importOf('/tmp/up.csv', startedMs)]})),
      }),
    last: BEGUN - PROCESS_MARGIN_MS,
    step: -1,
    states: ['executing', 'executing?'],
  },
  'a start does not lie in the future at this moment': {
    at: (createdMs) =>
      evidence([row(1, {createdMs, queues: []})], {seenBefore: new Set([1]), host: unsure()}),
    last: NOW,
    step: 1,
    states: ['lost', 'lost?'],
  },
};

it.each(Object.entries(MARGINS))('%s', (_, {at, last, step, states}) => {
  expect([shown(at(last)), shown(at(last + step))]).toEqual(states);
});

it('the last log line of less than fifteen minutes ago makes it likely that it executes', () => {
  const silent = (minutes: number) =>
    shown(evidence([begun(1, {lastActivityMs: NOW - minutes * MINUTE})], {host: unsure()}));
  expect([silent(14), silent(15)]).toEqual(['executing?', 'lost?']);
});
