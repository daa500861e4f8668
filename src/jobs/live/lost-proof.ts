import {mayBeFunctionOf} from '../../atom/job-classes.ts';
import {formatDuration} from '../../duration.ts';
import {splitFunctionName} from '../../queue/function-name.ts';
import {claimsToBeProbe} from '../../queue/probe/probe-id.ts';
import {liesInFuture} from '../model/future-start.ts';
import type {HostEvidence, LiveEvidence, QueueCount, RowEvidence, SiteProcess} from './evidence.ts';
import type {Clause, Missing, Seen} from './proof.ts';

/** A row younger than this may be between AtoM's insert and its submission to Gearman. */
export const NEW_ROW_MS = 15_000;
/** A log that is silent for less may be a worker's that no server knows. */
export const QUIET_MS = 15 * 60_000;
/**
 * A worker often takes its first job within a second of its start, and the times compared are rounded: the log to
 * seconds, a process's start by the host's boot time.
 */
export const PROCESS_MARGIN_MS = 10_000;
/** A web request may go on for so long with the configuration that it read before a change. */
const REQUEST_MS = 60_000;

const ifBegun = (clause: Clause): Clause => only(clause, ({row}) => row.begun !== null);
const ifNeverBegun = (clause: Clause): Clause => only(clause, ({row}) => row.begun === null);

/** The clause for some jobs; for the others it holds. */
function only({name, check}: Clause, applies: (seen: Seen) => boolean): Clause {
  return {name, check: (seen) => (applies(seen) ? check(seen) : null)};
}

/** No server has the job. */
const IN_NO_QUEUE: readonly Clause[] = [
  {
    name: 'every server answered',
    check: ({evidence: {servers}}) => {
      if (servers.length === 0) return {reason: 'No Gearman server was asked.', likely: null};
      const error = servers.find((server) => server.error !== null)?.error ?? null;
      return error === null ? null : {reason: error, likely: null};
    },
  },
  {
    name: 'every server that AtoM names was asked',
    check: ({evidence: {host}}) => {
      const [server] = host?.serversNotAsked ?? [];
      if (server === undefined) return null;
      const reason = `AtoM's files name the Gearman server ${server}, but atomctl did not ask it because other servers were given.`;
      return {reason, likely: null};
    },
  },
  {
    name: 'the servers are those of the site',
    check: ({evidence: {host}}) => {
      const reason = host?.serversDoubt ?? null;
      return reason === null ? null : {reason, likely: null};
    },
  },
  {
    name: 'no other atomctl holds jobs',
    check: ({evidence: {servers}}) => {
      const server = servers.find(({probing}) => probing);
      return server === undefined
        ? null
        : {reason: `Another atomctl holds jobs of ${server.address}; try again in a moment.`, likely: null};
    },
  },
  {
    name: 'counts and keys speak of one moment',
    check: ({row, evidence: {unchanged}}) =>
      !row.arrived && (unchanged || (row.key === 'exact' && row.keyAsked) || row.queues.length === 0)
        ? null
        : {reason: 'The queue changed while atomctl read it; try again in some seconds.', likely: null},
  },
  {name: 'no queue has room for it', check: room},
  {
    name: 'the database is not a replica',
    check: ({evidence: {writable}}) =>
      writable
        ? null
        : {reason: 'The database is a replica or read-only, so its data may be old.', likely: 'lost'},
  },
];

/** Otherwise a server that is not named any more may have it, or a worker of another prefix. */
const CONFIGURATION: Clause = {
  name: 'the configuration is older than the job',
  check: ({row: {createdEarliestMs}, evidence: {host}}) => {
    const {configChangedMs, clock} = host!;
    if (configChangedMs === null) return null;
    if (createdEarliestMs !== null && configChangedMs < createdEarliestMs - REQUEST_MS - clock.uncertaintyMs)
      return null;
    return {reason: configReason(createdEarliestMs, configChangedMs, clock), likely: 'lost'};
  },
};

/** Of a job that never began too: a worker may have been given it and not have logged its first line. */
const READABLE: Clause = {
  name: 'the processes of this host can be read',
  check: ({evidence: {host}}) =>
    host!.processes.unreadable === null
      ? null
      : {
          reason: `atomctl cannot see if a worker process is running it: ${host!.processes.unreadable}`,
          likely: 'lost',
        },
};
const CONNECTED: Clause = {name: 'every worker process here is connected', check: unconnectedProcess};
const NO_PROCESS: Clause = {name: 'no process here can be working on it', check: looseProcess};
const ONLY_HERE: Clause = {name: 'workers run only on this host', check: otherHosts};
const SILENT: Clause = {name: 'its log is silent, or the servers are older', check: silence};

/**
 * Everything that must hold before a job is called lost, in the order in which it is reported. Absence from the
 * servers is not enough: a restarted gearmand forgets what executes, and a deploy moves the prefix.
 */
export const LOST_CLAUSES: readonly Clause[] = [
  ...IN_NO_QUEUE,
  READABLE,
  ifBegun(NO_PROCESS),
  ifNeverBegun(CONNECTED),
  CONFIGURATION,
  ifNeverBegun({name: 'the row is not new', check: age}),
  ifBegun(ONLY_HERE),
  ifBegun(SILENT),
];

/**
 * One run has finished. A worker that lost its server may have been given the job again, and not have logged it yet. If a
 * worker began it more often, an earlier run, which a restarted server forgot, must have ended.
 */
export const FINISHED_CLAUSES: readonly Clause[] = [
  ...IN_NO_QUEUE,
  CONFIGURATION,
  CONNECTED,
  ...[READABLE, NO_PROCESS, ONLY_HERE, SILENT].map((clause) => only(clause, ({row}) => row.starts > 1)),
];

/** A key that is surely AtoM's and that no server knows leaves no room; otherwise the counts must leave none. */
function room({row, counts, index}: Seen): Missing | null {
  if (row.key === 'exact' && row.keyAsked) return null;
  const {total, running} = counts.room(row);
  if (total === 0) return null;
  const begun = row.begun !== null;
  const likely = begun && running > 0 ? 'executing' : total > running ? 'queued' : 'executing';
  const which = total === 1 ? 'the job' : `one of ${total} jobs`;
  const where = placeOf(row.queues.flatMap((queue) => index.queues.get(queue) ?? []));
  return {reason: `It may be ${which} ${where}, but ${WHY_NO_KEY[row.key]}.`, likely};
}

const WHY_NO_KEY: Record<RowEvidence['key'], string> = {
  exact: 'a server did not answer for its key',
  doubtful: 'the parameters in its log do not show its key exactly',
  cut: 'the parameters in its log are cut, so atomctl cannot ask a server for its key',
  none: 'its log shows no parameters, so atomctl cannot ask a server for its key',
};

/** Where the jobs of these queues are: a prefix that is not the site's own is named. */
function placeOf(queues: readonly QueueCount[]): string {
  const foreign = queues.filter(({owner, total}) => owner !== 'site' && total > 0);
  const prefixes = [...new Set(foreign.map((queue) => prefixText(queue)))];
  if (prefixes.length === 0) return 'in its queue';
  const own = queues.some(({owner, total}) => owner === 'site' && total > 0);
  return `${own ? 'in its queue or ' : ''}under ${prefixes.join(' or ')}`;
}

/** How a reason names a prefix that may have been the site's before its root or workers_key changed. */
export function prefixText({function: name}: Pick<QueueCount, 'function'>): string {
  const {prefix} = splitFunctionName(name);
  return prefix === null ? 'no function prefix' : `another function prefix (${prefix})`;
}

function configReason(
  createdMs: number | null,
  configChangedMs: number,
  clock: HostEvidence['clock'],
): string {
  if (createdMs === null || configChangedMs >= createdMs - REQUEST_MS)
    return "The site's configuration changed after the job was created or in the minute before, so the job may be on a server that is no longer in the configuration.";
  return `The site's configuration may be newer than the job, because ${clause(clock.reason)}.`;
}

/** A sentence in the middle of another. */
function clause(sentence: string): string {
  return sentence.replace(/\.$/, '');
}

/** Nothing may rest on the time of such a row. */
function startReason(createdMs: number, earliestMs: number, nowMs: number): string {
  if (liesInFuture(earliestMs, nowMs)) return 'Its start is in the future, so the timezone is wrong.';
  if (earliestMs < createdMs)
    return 'Its start is in the hour that the clock shows twice, so its age is not certain.';
  return 'Its start is some seconds in the future, because the clocks of two hosts differ.';
}

function age({row: {id, createdMs, createdEarliestMs}, evidence: {host, seenBefore}}: Seen): Missing | null {
  const {nowMs, uncertaintyMs, reason} = host!.clock;
  if (createdMs !== null && createdMs > nowMs)
    return {reason: startReason(createdMs, createdEarliestMs ?? createdMs, nowMs), likely: 'lost'};
  if (seenBefore.has(id)) return null;
  if (createdMs === null)
    return {reason: 'The database has no time of its creation.', likely: 'lost', needsTime: true};
  const ageMs = nowMs - createdMs;
  if (ageMs < NEW_ROW_MS)
    return {reason: 'It is new: AtoM may still be submitting it.', likely: null, needsTime: true};
  if (ageMs >= NEW_ROW_MS + uncertaintyMs) return null;
  return {reason: `Its age is not certain, because ${clause(reason)}.`, likely: 'lost', needsTime: true};
}

function looseProcess({row, evidence, counts}: Seen): Missing | null {
  const {processes, clock} = evidence.host!;
  // One that is not connected may have been given the job again, however young it is, and not have logged it yet. One that
  // is connected to every server is idle, or known to be busy, if everything that runs there is explained.
  const worker = processes.workers.find(
    (candidate) =>
      !isConnected(candidate, evidence) ||
      (counts.runningUnexplained > 0 && !isYounger(candidate, row, clock.uncertaintyMs)),
  );
  if (worker !== undefined) {
    const reason = isConnected(worker, evidence)
      ? `Worker process ${worker.pid} may be running it, because a Gearman job that runs belongs to no row.`
      : `Worker process ${worker.pid} may be running it, because it is not connected to every Gearman server.`;
    return {reason, likely: 'executing'};
  }
  if (!mayBeFunctionOf(row.name, 'arFileImportJob')) return null;
  const isAnotherRows = (text: string) => text !== row.importFile && counts.rowsWithFile(text) > 0;
  const child = processes.imports.find(
    // A child is always younger than the job that starts it.
    (candidate) => !candidate.argv.some(isAnotherRows),
  );
  return child === undefined
    ? null
    : {reason: `Process ${child.pid} imports a file and may be running it.`, likely: 'executing'};
}

/** Before its first log line a worker may wait for the database, and gearmand may be restarted meanwhile. */
function unconnectedProcess({evidence}: Seen): Missing | null {
  const worker = evidence.host!.processes.workers.find((candidate) => !isConnected(candidate, evidence));
  if (worker === undefined) return null;
  return {
    reason: `Worker process ${worker.pid} may have received it, because it is not connected to every Gearman server.`,
    likely: 'lost',
  };
}

/** It started after a worker last began the job. */
function isYounger({startedMs}: SiteProcess, {begun}: RowEvidence, uncertaintyMs: number): boolean {
  const lastMs = begun?.lastMs ?? null;
  return lastMs !== null && startedMs > lastMs + PROCESS_MARGIN_MS + uncertaintyMs;
}

/** Only a connection from this host is the process's: a worker in a container may have the same PID. */
function isConnected({pid}: SiteProcess, {servers, workers}: LiveEvidence): boolean {
  return servers.every(({address}) =>
    workers.some((worker) => worker.pid === pid && worker.server === address && worker.fromHere),
  );
}

/** It takes a positive statement: a worker on another host is invisible after a restart of gearmand. */
function otherHosts({evidence: {servers, workers, host}}: Seen): Missing | null {
  const {processes, workersStatedHere} = host!;
  const here = new Set(processes.workers.map(({pid}) => pid));
  const elsewhere = workers.find(
    ({id, pid, fromHere}) =>
      !claimsToBeProbe(id) &&
      (pid === null || !fromHere || !(here.has(pid) || processes.otherSites.has(pid))),
  );
  if (elsewhere !== undefined) {
    const reason = `Worker ${elsewhere.id} runs in a container or on another host, so atomctl cannot see what it does.`;
    return {reason, likely: 'lost'};
  }
  if (workersStatedHere || servers.every(({onlyLoopback}) => onlyLoopback)) return null;
  const reason =
    'A worker on another host may be running it: Gearman listens on the network, and the configuration file does not have "workers: this-host".';
  return {reason, likely: 'lost'};
}

function silence({row: {lastActivityMs, begun}, evidence: {servers, host}}: Seen): Missing | null {
  const {nowMs, uncertaintyMs} = host!.clock;
  const quiet = lastActivityMs !== null && nowMs - lastActivityMs >= QUIET_MS + uncertaintyMs;
  if (quiet) return null;
  const earliestMs = begun?.earliestMs ?? null;
  const older = (startedMs: number | null) =>
    startedMs !== null && earliestMs !== null && startedMs < earliestMs - PROCESS_MARGIN_MS - uncertaintyMs;
  if (servers.every(({startedMs}) => older(startedMs))) return null;
  if (lastActivityMs === null) {
    return {
      reason:
        'The time of its last log line is not known, and a Gearman server may have restarted since it began.',
      likely: 'lost',
    };
  }
  const minutes = Math.max(0, Math.floor((nowMs - lastActivityMs) / 60_000));
  const age = minutes === 0 ? 'less than a minute' : formatDuration(minutes * 60);
  const sure = uncertaintyMs === 0 ? '' : " (if PHP's clock has the right zone)";
  return {
    reason: `The last line of its log is ${age} old${sure}, and a Gearman server may have restarted since it began.`,
    likely: minutes * 60_000 < QUIET_MS ? 'executing' : 'lost',
  };
}
