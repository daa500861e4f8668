import type {
  HostEvidence,
  LiveEvidence,
  QueueCount,
  RowEvidence,
  ServerEvidence,
  SiteProcess,
  WorkerConnection,
} from '../../../../src/jobs/live/evidence.ts';
import {liveVerdicts} from '../../../../src/jobs/live/verdict.ts';
import {aRow} from '../health/a-queue.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const NOW = Date.parse('2026-03-04T12:00:00Z');

export const A = 'a:4730';
export const B = 'b:4730';
export const FINDING_AIDS = `p-arFindingAidJob ${A}`;
export const ELSEWHERE = `p-arFindingAidJob ${B}`;

/** A job that no worker ever began, inserted an hour ago. */
export function row(id: number, more: Partial<RowEvidence> = {}): RowEvidence {
  return aRow(id, {createdMs: NOW - HOUR, queues: [FINDING_AIDS], ...more});
}

/** A job that a worker began fifty minutes ago, silent for forty; every server was asked for its key. */
export function begun(id: number, more: Partial<RowEvidence> = {}): RowEvidence {
  const at = NOW - 50 * MINUTE;
  return row(id, {
    begun: {earliestMs: at, lastMs: at},
    lastActivityMs: NOW - 40 * MINUTE,
    key: 'exact',
    keyAsked: true,
    ...more,
  });
}

/** The same for AtoM 2.6, which logs no parameters. */
export function keyless(id: number, more: Partial<RowEvidence> = {}): RowEvidence {
  return begun(id, {key: 'none', keyAsked: false, ...more});
}

/** Under a prefix that may have been the site's before. */
export const FOREIGN = {owner: 'unknown', function: `${'f'.repeat(32)}-arFindingAidJob`} as const;
export const running = (queue = FINDING_AIDS) => ({known: {queue, running: true}});
export const waiting = (queue = FINDING_AIDS) => ({known: {queue, running: false}});

export function queue(total: number, active: number, more: Partial<QueueCount> = {}): QueueCount {
  const count: QueueCount = {
    queue: FINDING_AIDS,
    server: A,
    function: 'p-arFindingAidJob',
    owner: 'site',
    total,
    running: active,
  };
  return {...count, ...more};
}

export function server(more: Partial<ServerEvidence> = {}): ServerEvidence {
  return {address: A, error: null, probing: false, ignored: 0, startedMs: null, onlyLoopback: true, ...more};
}

export function host(more: Partial<HostEvidence> = {}): HostEvidence {
  return {
    processes: {unreadable: null, workers: [], imports: [], otherSites: new Set()},
    workersStatedHere: false,
    serversNotAsked: [],
    serversDoubt: null,
    configChangedMs: NOW - DAY,
    clock: {nowMs: NOW, uncertaintyMs: 0, reason: 'Observed.'},
    ...more,
  };
}

/** A site on which nothing but these rows needs to be explained. */
export function evidence(rows: RowEvidence[], more: Partial<LiveEvidence> = {}): LiveEvidence {
  return {
    rows,
    queues: [],
    servers: [server()],
    workers: [],
    payloads: [],
    ended: [],
    unchanged: true,
    writable: true,
    host: host(),
    seenBefore: new Set(),
    ...more,
  };
}

export const worker = (pid: number, more: Partial<SiteProcess> = {}): SiteProcess => ({
  pid,
  startedMs: NOW - DAY,
  argv: ['php', 'symfony', 'jobs:worker'],
  ...more,
});
export const importOf = (file: string, startedMs = NOW - 45 * MINUTE) =>
  worker(9, {argv: ['php', 'symfony', 'csv:import', file], startedMs});
export const connection = (pid: number | null, more: Partial<WorkerConnection> = {}): WorkerConnection => ({
  id: `pid_${pid}_5f`,
  pid,
  ip: '127.0.0.1',
  fromHere: true,
  server: A,
  queues: [FINDING_AIDS],
  ...more,
});
export const processes = (more: Partial<HostEvidence['processes']>): Pick<HostEvidence, 'processes'> => ({
  processes: {...host().processes, ...more},
});

export function verdict(given: LiveEvidence, id = 1) {
  const {state, likely, reason} = liveVerdicts(given).get(id)!;
  return {state, likely, reason};
}

/** The state, with the likely one behind a question mark, as in a table. */
export function shown(given: LiveEvidence, id = 1): string {
  const {state, likely} = verdict(given, id);
  return state === 'uncertain' ? `${likely ?? ''}?` : state;
}
