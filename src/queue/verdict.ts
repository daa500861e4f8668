import {functionName} from './function-name.ts';
import type {QueueFunction} from './functions.ts';
import type {ServerReport} from './server-report.ts';
import {bySeverity, type Severity} from './severity.ts';

/** The bounds; an absent one is not applied. More than the value passes a bound. */
export interface QueueLimits {
  /** Jobs that wait, for each job class. */
  warningQueued?: number;
  criticalQueued?: number;
  /** Seconds since the oldest running row was started. */
  warningAge?: number;
  criticalAge?: number;
}

/** What the verdict on the queue rests on. */
export interface QueueEvidence {
  servers: readonly ServerReport[];
  /** All functions of all servers. */
  functions: readonly QueueFunction[];
  /** This site's; null if it is not known. */
  prefix: string | null;
  /** The job classes that must have a worker. */
  required: readonly string[];
  /** Job classes that no bound applies to. */
  excluded: readonly string[];
  limits: QueueLimits;
  /** What the database says; null if it was not asked, a sentence if it could not answer. */
  backlog: Backlog | string | null;
  /** What was found elsewhere: by the rows of the jobs, and under other prefixes. */
  otherProblems: readonly QueueProblem[];
}

/** Something that is wrong with the queue, as `queue:status --json` prints it. */
export interface QueueProblem {
  state: Exclude<Severity, 'ok'>;
  /** One sentence. */
  message: string;
  /** The command that helps, or what to do. */
  remedy: string;
}

/** Judges the queue's health by what the servers and the database report, the worst problem first. */
export function judgeQueue(evidence: QueueEvidence): {status: Severity; problems: QueueProblem[]} {
  const problems = [
    ...unreachableServers(evidence),
    ...missingWorkers(evidence),
    ...longQueues(evidence),
    ...evidence.otherProblems,
    ...oldRows(evidence),
  ].sort((one, other) => bySeverity({severity: one.state}, {severity: other.state}));
  return {status: problems[0]?.state ?? 'ok', problems};
}

function unreachableServers({servers}: QueueEvidence): QueueProblem[] {
  return servers.flatMap(({error}) =>
    error === null
      ? []
      : [{state: 'critical', message: error, remedy: 'systemctl status gearman-job-server, on its host'}],
  );
}

/** A worker registers its abilities when it starts, and with it those of plugins that were turned on meanwhile. */
const RESTART = 'atomctl worker:restart';

function missingWorkers(evidence: QueueEvidence): QueueProblem[] {
  const {servers, functions, prefix, required} = evidence;
  const answering = servers.filter(({reachable}) => reachable);
  if (answering.length === 0) return [];
  if (prefix === null) return [unknownPrefix()];
  const served = functions.filter(({thisSite, workers}) => thisSite && workers > 0);
  if (served.length === 0) return noWorkerOfThisSite(evidence);
  return required.flatMap((jobClass) => {
    const name = functionName(prefix, jobClass);
    return served.some((row) => row.function === name)
      ? missingSomewhere(answering, name, jobClass)
      : [{state: 'critical', message: `${jobClass} has no worker.`, remedy: RESTART}];
  });
}

/** AtoM submits a job to any one of its servers: one that no worker is connected to keeps it. */
function missingSomewhere(
  answering: readonly ServerReport[],
  name: string,
  jobClass: string,
): QueueProblem[] {
  const without = answering.filter(({functions}) =>
    functions.every((row) => row.function !== name || row.workers === 0),
  );
  if (without.length === 0) return [];
  const addresses = without.map(({address}) => address).join(', ');
  return [{state: 'warning', message: `${jobClass} has no worker on ${addresses}.`, remedy: RESTART}];
}

function unknownPrefix(): QueueProblem {
  return {
    state: 'unknown',
    message: "This site's functions are not known: give --atom-root or --function-prefix.",
    remedy: 'atomctl queue:status --all-sites shows the prefixes that the servers have',
  };
}

/**
 * The prefix comes from the root's path: in a container, or after a deploy that changes a link, the workers' prefix differs
 * from the one computed here. Nothing is wrong if every class that could be missed was excluded.
 */
function noWorkerOfThisSite({functions, prefix, required, excluded}: QueueEvidence): QueueProblem[] {
  if (required.length === 0 && excluded.length > 0) return [];
  const missing = required.length === 0 ? '' : ` Without one: ${enumerate(required)}.`;
  const strangers = functions.filter((row) => row.jobClass !== null && !row.thisSite && row.workers > 0);
  const others = [...new Set(strangers.map((row) => row.prefix ?? 'no prefix'))];
  const hint =
    others.length === 0
      ? ''
      : ` Workers with ${enumerate(others)} are: if they are this site's, they run with another root or` +
        ' workers_key; give theirs with --function-prefix.';
  const own = prefix === '' ? 'no prefix' : `prefix ${prefix}`;
  const message = `No worker of this site (${own}) is connected.${missing}${hint}`;
  return [{state: 'critical', message, remedy: 'atomctl worker:start'}];
}

/** The first three by name, the rest by number. */
function enumerate(names: readonly string[]): string {
  const rest = names.length - 3;
  return `${names.slice(0, 3).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function longQueues({functions, prefix, excluded, limits}: QueueEvidence): QueueProblem[] {
  return functions
    .filter((row) => row.thisSite || prefix === null)
    .filter((row) => !excluded.includes(row.jobClass ?? row.function))
    .flatMap((row) =>
      passed(
        row.queued,
        limits.warningQueued,
        limits.criticalQueued,
        (bound) => `${row.jobClass ?? row.function} has ${row.queued} jobs queued, more than ${bound}.`,
        'atomctl queue:workers',
      ),
    );
}

function oldRows({backlog, limits}: QueueEvidence): QueueProblem[] {
  if (typeof backlog === 'string')
    return [{state: 'unknown', message: backlog, remedy: 'atomctl doctor --check database --check schema'}];
  const age = backlog?.oldestSeconds ?? 0;
  return passed(
    age,
    limits.warningAge,
    limits.criticalAge,
    (bound) => `The oldest running job was started ${age} s ago, more than ${bound} s.`,
    'atomctl jobs:list --running --sort id',
  );
}

/** The worse of the two bounds that the value passes. */
function passed(
  value: number,
  warning: number | undefined,
  critical: number | undefined,
  message: (bound: number) => string,
  remedy: string,
): QueueProblem[] {
  if (critical !== undefined && value > critical)
    return [{state: 'critical', message: message(critical), remedy}];
  if (warning !== undefined && value > warning)
    return [{state: 'warning', message: message(warning), remedy}];
  return [];
}

/** The jobs that the database calls running: queued, executing or lost: the row does not show which. */
export interface Backlog {
  running: number;
  /** Since the oldest of them was started; null where there is none. */
  oldestSeconds: number | null;
}
