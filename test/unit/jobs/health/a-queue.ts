import type {
  LiveEvidence,
  QueueCount,
  RowEvidence,
  SeenPayload,
  WorkerConnection,
} from '../../../../src/jobs/live/evidence.ts';
import type {LiveVerdict} from '../../../../src/jobs/live/verdict.ts';

export const PREFIX = '0123456789abcdef0123456789abcdef';
export const SERVER = 'one:4730';
export const NOW_MS = Date.UTC(2026, 6, 1, 12);
export const HOUR_AGO = NOW_MS - 3_600_000;

export const nameOf = (jobClass: string) => `${PREFIX}-${jobClass}`;
export const queueOf = (jobClass: string, server = SERVER) => `${nameOf(jobClass)} ${server}`;

export function aQueue(
  jobClass: string,
  total: number,
  running: number,
  more: Partial<QueueCount> = {},
): QueueCount {
  const server = more.server ?? SERVER;
  return {
    queue: queueOf(jobClass, server),
    server,
    function: nameOf(jobClass),
    owner: 'site',
    total,
    running,
    ...more,
  };
}

/** A payload that says no more than the id. */
export function payload(queue: string, jobId: number | null): SeenPayload {
  return {queue, jobId, name: null, objectId: null};
}

/** A row that waits an hour, without logged parameters. */
export function aRow(id: number, more: Partial<RowEvidence> = {}): RowEvidence {
  return {
    id,
    name: 'arFindingAidJob',
    objectId: null,
    createdMs: HOUR_AGO,
    createdEarliestMs: more.createdMs === undefined ? HOUR_AGO : more.createdMs,
    begun: null,
    starts: 0,
    finished: false,
    failed: false,
    lastActivityMs: null,
    logGrew: false,
    arrived: false,
    key: 'none',
    keyAsked: false,
    known: null,
    importFile: null,
    queues: [queueOf('arFindingAidJob')],
    ...more,
  };
}

export function aWorker(
  pid: number,
  jobClasses: readonly string[],
  more: Partial<WorkerConnection> = {},
): WorkerConnection {
  const server = more.server ?? SERVER;
  return {
    id: `pid_${pid}_65`,
    pid,
    ip: '10.0.0.1',
    fromHere: false,
    server,
    queues: jobClasses.map((jobClass) => queueOf(jobClass, server)),
    ...more,
  };
}

export function anEvidence(more: Partial<LiveEvidence>): LiveEvidence {
  return {
    rows: [],
    queues: [],
    servers: [aServer(SERVER)],
    workers: [],
    payloads: [],
    ended: [],
    unchanged: true,
    writable: true,
    host: null,
    seenBefore: new Set(),
    ...more,
  };
}

export function aServer(address: string, more: Partial<LiveEvidence['servers'][number]> = {}) {
  return {address, error: null, probing: false, ignored: 0, startedMs: null, onlyLoopback: false, ...more};
}

/** Every row is uncertain and likely queued. */
export function likelyQueued({rows}: LiveEvidence): Map<number, LiveVerdict> {
  return new Map(
    rows.map(({id}) => [id, {state: 'uncertain', likely: 'queued', reason: '', needsTime: false}]),
  );
}
