import {isAtomClass} from '../../atom/job-classes.ts';
import {isUnplaced} from './counts.ts';
import type {EndedJobs, RowEvidence, SiteProcess, WorkerConnection} from './evidence.ts';
import {FINISHED_CLAUSES, LOST_CLAUSES, PROCESS_MARGIN_MS, prefixText} from './lost-proof.ts';
import type {Clause, Missing, Proof, Seen} from './proof.ts';

/** A clause of a proof that does not decide needs no reason of its own: the last proof says what is missing. */
const condition = (name: string, holds: (seen: Seen) => boolean): Clause => ({
  name,
  check: (seen) => (holds(seen) ? null : {reason: name, likely: null}),
});

/** A server that knows the key as running has assigned the job, unless another atomctl holds it for a moment. */
const ASSIGNED: Proof = {
  name: 'a server has assigned it',
  state: 'executing',
  suggests: ({row}) => row.known?.running === true,
  decides: true,
  clauses: [
    {
      name: 'no other atomctl holds jobs of the server',
      check: (seen) => {
        const address = serverOf(seen);
        return seen.index.servers.get(address)?.probing ? mayBeHeld('Another atomctl', address) : null;
      },
    },
    {
      name: 'no client under the name of an atomctl holds jobs of the queue',
      check: (seen) => {
        const holder = seen.index.holders.get(seen.row.known!.queue);
        return holder === undefined ? null : mayBeHeld(`The client ${holder}`, serverOf(seen));
      },
    },
  ],
  reason: (seen) => `${serverOf(seen)} assigned it to a worker${foreignPrefix(seen, seen.row.known!.queue)}.`,
};

function serverOf({row, index}: Seen): string {
  return index.queues.get(row.known!.queue)!.server;
}

/** Names a queue's prefix if it is not the site's own: it may be that of an earlier root or workers_key. */
function foreignPrefix({index}: Seen, name: string): string {
  const queue = index.queues.get(name)!;
  return queue.owner === 'site' ? '' : ` under ${prefixText(queue)}`;
}

/** A job with a known key has begun, so that it may run as well as wait to run again. */
function mayBeHeld(who: string, address: string): Missing {
  return {reason: `${who} holds jobs of ${address} and may hold this one.`, likely: null};
}

const IMPORTED: Proof = {
  name: 'a process imports its file',
  state: 'executing',
  suggests: (seen) => importOf(seen) !== undefined,
  decides: false,
  clauses: [
    // After a retry, two rows name the file.
    condition(
      'no other row names the file',
      ({row: {importFile}, counts, evidence: {ended}}) =>
        importFile !== null &&
        counts.rowsWithFile(importFile) === 1 &&
        !ended.some(({importFiles}) => importFiles.includes(importFile)),
    ),
    condition('its log does not say that it finished', ({row}) => !row.finished),
    condition('the database is not a replica', ({evidence}) => evidence.writable),
    // Otherwise somebody may have started it by hand.
    condition('the process is not older than the job', (seen) => {
      const {row, evidence} = seen;
      const earliestMs = row.begun?.earliestMs ?? null;
      const slackMs = PROCESS_MARGIN_MS - evidence.host!.clock.uncertaintyMs;
      return earliestMs !== null && importOf(seen)!.startedMs >= earliestMs - slackMs;
    }),
  ],
  reason: (seen) => `Process ${importOf(seen)!.pid} on this host imports its file.`,
};

function importOf({row: {importFile}, evidence: {host}}: Seen): SiteProcess | undefined {
  if (importFile === null) return undefined;
  return host?.processes.imports.find(({argv}) => argv.includes(importFile));
}

const LOG_GREW: Proof = {
  name: 'its log grew',
  state: 'executing',
  suggests: ({row}) => row.logGrew,
  decides: false,
  // A replica may only be catching up.
  clauses: [condition('the database is not a replica', ({evidence}) => evidence.writable)],
  reason: () => 'Its log grew while atomctl read it.',
};

const PAYLOAD_SEEN: Proof = {
  name: 'its payload was seen waiting',
  state: 'queued',
  suggests: ({row, index}) => index.waiting.has(row.id),
  decides: true,
  clauses: [],
  reason: (seen) =>
    `Its payload was seen waiting${foreignPrefix(seen, seen.index.waiting.get(seen.row.id)!)}${again(seen.row)}.`,
};

const KEY_WAITS: Proof = {
  name: 'a server knows its key as waiting',
  state: 'queued',
  suggests: ({row}) => row.known !== null && !row.known.running,
  decides: true,
  clauses: [
    {
      name: 'no cancelled entry waits on the server',
      check: (seen) => {
        const address = serverOf(seen);
        const ignored = seen.index.servers.get(address)?.ignored ?? 0;
        if (ignored === 0) return null;
        const entries = ignored === 1 ? '1 cancelled entry is' : `${ignored} cancelled entries are`;
        return {reason: `${address} has it or a cancelled entry of it: ${entries} there.`, likely: 'queued'};
      },
    },
  ],
  reason: (seen) =>
    `It waits on ${serverOf(seen)}${foreignPrefix(seen, seen.row.known!.queue)}${again(seen.row)}.`,
};

/** @param row.begunAt the site's wall clock */
function again({begun, begunAt = null}: RowEvidence): string {
  if (begun === null) return '';
  return `, begun ${begunAt === null ? 'before' : `at ${begunAt}`}: it will run again from its start`;
}

/**
 * As many jobs run unexplained as there are rows to which they may belong, and none of them waits. A worker logs as soon
 * as it has a job: a row without a log is not what has been running.
 */
const BY_COUNT: Proof = {
  name: 'the jobs that run are as many as the rows',
  state: 'executing',
  suggests: ({row, counts, index}) => isUnplaced(row, index.waiting) && counts.around(row).running > 0,
  decides: false,
  clauses: [
    condition('a worker began it', ({row}) => row.begun !== null),
    condition('its log does not say that it finished', ({row}) => !row.finished),
    condition('every job there runs', ({row, counts}) => {
      const {running, total} = counts.around(row);
      return running === total;
    }),
    condition('the rows are as many', ({row, counts}) => {
      const {running, rows} = counts.around(row);
      return running === rows;
    }),
    condition("every queue is the site's own", ({row, counts}) => counts.around(row).own),
    condition('every server answered', ({evidence: {servers}}) => servers.every(({error}) => error === null)),
    condition(
      'every server that AtoM names was asked',
      ({evidence: {host}}) => host !== null && host.serversNotAsked.length === 0,
    ),
    condition('no other atomctl holds jobs', ({evidence: {servers}}) =>
      servers.every(({probing}) => !probing),
    ),
    condition('no client under the name of an atomctl holds jobs of its queues', ({row, index}) =>
      row.queues.every((queue) => !index.holders.has(queue)),
    ),
    condition('nothing changed meanwhile', ({evidence}) => evidence.unchanged),
    condition('the database is not a replica', ({evidence}) => evidence.writable),
    // Gearman may still have a job of theirs, submitted twice or not yet reported.
    condition(
      'no job of its class has ended since it began',
      ({row, evidence}) =>
        !evidence.ended.some((ended) => mayShareClass(ended.name, row.name) && mayBeAtWork(ended, row)),
    ),
    condition('a worker is old enough for it', (seen) => !everyWorkerIsYounger(seen)),
    condition('no server was restarted since it began', (seen) => !wasRestarted(seen)),
  ],
  reason: ({row, counts}) => {
    const {running} = counts.around(row);
    return running === 1
      ? 'A worker has one job of its class, and it can only be this one.'
      : `Workers have ${running} jobs of its class, and they can only be this one and ${running === 2 ? '1 other' : `${running - 1} others`}.`;
  },
};

function mayBeAtWork({atWork, latestMs}: EndedJobs, {begun}: RowEvidence): boolean {
  const earliestMs = begun?.earliestMs ?? null;
  return atWork || latestMs === null || earliestMs === null || latestMs >= earliestMs;
}

/** True if jobs of these names may be of one class. */
function mayShareClass(one: string, other: string): boolean {
  return one === other || !(isAtomClass(one) && isAtomClass(other));
}

/**
 * A job that runs may be that of a row which was marked or deleted by hand. If every worker that can do it started after
 * this row's job began, it is not this row's. The times are compared as they are read, also by a clock that is not sure: a
 * margin as large as its error would leave every job uncertain that runs for less than a day after a restart.
 */
function everyWorkerIsYounger({row: {queues, begun}, evidence: {workers, host}}: Seen): boolean {
  const lastMs = begun?.lastMs ?? null;
  if (lastMs === null) return false;
  const capable = workers.filter((worker) => worker.queues.some((queue) => queues.includes(queue)));
  const startedMs = new Map(host!.processes.workers.map((worker) => [worker.pid, worker.startedMs]));
  const isYounger = ({pid, fromHere}: WorkerConnection) =>
    pid !== null && fromHere && (startedMs.get(pid) ?? Number.NEGATIVE_INFINITY) > lastMs + PROCESS_MARGIN_MS;
  return capable.length > 0 && capable.every(isYounger);
}

/** A restarted server forgot the job, and what runs is another one, of a row that was deleted. The times are as read, too. */
function wasRestarted({row: {begun}, evidence: {servers}}: Seen): boolean {
  const earliestMs = begun?.earliestMs ?? null;
  if (earliestMs === null) return false;
  return servers.some(({startedMs}) => startedMs !== null && startedMs > earliestMs + PROCESS_MARGIN_MS);
}

const FINISHED: Proof = {
  name: 'its log says that it finished',
  state: 'finished',
  suggests: ({row}) => row.finished,
  decides: true,
  clauses: FINISHED_CLAUSES,
  reason: ({row}) =>
    row.failed
      ? 'Its log says "Job finished." after an error; only the row was not saved.'
      : 'Its log says "Job finished."; only the row was not saved.',
};

const LOST: Proof = {
  name: 'nothing has it',
  state: 'lost',
  suggests: () => true,
  decides: true,
  clauses: LOST_CLAUSES,
  reason: ({row}) =>
    row.begun === null
      ? 'No Gearman server has it, and no worker ever began it.'
      : 'No Gearman server has it, and no worker can be running it.',
};

/** In the order in which they are tried. */
export const PROOFS: readonly Proof[] = [
  ASSIGNED,
  IMPORTED,
  LOG_GREW,
  PAYLOAD_SEEN,
  KEY_WAITS,
  BY_COUNT,
  FINISHED,
  LOST,
];
