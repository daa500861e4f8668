import {formatDuration} from '../duration.ts';
import type {HostCommands} from '../host-commands.ts';
import {functionName} from './function-name.ts';
import type {QueueFunction} from './functions.ts';
import {type ServerReport, skippedText} from './server-report.ts';
import {bySeverity, FAULT_SEVERITY, type Severity} from './severity.ts';

/** The bounds; an absent one is not applied. More than the value passes a bound. */
export interface QueueLimits {
  /** Jobs that wait, for each job class. */
  warningQueued?: number;
  criticalQueued?: number;
  /** Seconds since the oldest running row was started. */
  warningAge?: number;
  criticalAge?: number;
  /** Seconds that a job waits for a worker. */
  warningWait?: number;
  criticalWait?: number;
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
  /** The root of a site whose compiled configuration is older than its sources; null if it is not, or not known. */
  staleRoot: string | null;
  /** What was found elsewhere: by the rows of the jobs, and under other prefixes. */
  otherProblems: readonly QueueProblem[];
  commands: HostCommands;
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
    ...unreadLines(evidence),
    ...missingWorkers(evidence),
    ...longQueues(evidence),
    ...evidence.otherProblems,
    ...oldRows(evidence),
    ...longWaits(evidence),
  ].sort((one, other) => bySeverity({severity: one.state}, {severity: other.state}));
  return {status: problems[0]?.state ?? 'ok', problems};
}

function unreachableServers({servers}: QueueEvidence): QueueProblem[] {
  return servers.flatMap(({error, hint}) =>
    error === null
      ? []
      : [
          {
            state: FAULT_SEVERITY['a server does not answer'],
            message: error,
            remedy: hint ?? 'Check that gearmand runs on its host.',
          },
        ],
  );
}

function unreadLines({servers}: QueueEvidence): QueueProblem[] {
  return servers
    .filter(({skippedLines}) => skippedLines > 0)
    .map(({address, skippedLines}) => ({
      state: FAULT_SEVERITY['lines that cannot be read'],
      message: skippedText(address, skippedLines),
      remedy: UNREAD_LINES_REMEDY,
    }));
}

/** What names them can be seen only by someone who asks the server without reading lines. */
export const UNREAD_LINES_REMEDY =
  'a client has registered a function with a line break in its name; to see it: gearadmin --status. Restart gearmand when it is idle';

/**
 * A worker registers its abilities when it starts, and with it those of plugins that were turned on meanwhile. With a
 * stale cache a restarted worker would connect to the same servers, with the same classes, as before.
 */
export function workersFix(
  {restartWorker, restartWorkerAfter}: HostCommands,
  staleRoot: string | null,
  otherwise = restartWorker,
): string {
  return staleRoot === null ? otherwise : restartWorkerAfter(`cd ${staleRoot} && php symfony cc`);
}

function missingWorkers(evidence: QueueEvidence): QueueProblem[] {
  const {servers, functions, prefix, required} = evidence;
  const answering = servers.filter(({reachable}) => reachable);
  if (answering.length === 0) return [];
  if (prefix === null) return [unknownPrefix()];
  const served = functions.filter(({thisSite, workers}) => thisSite && workers > 0);
  if (served.length === 0) return noWorkerOfThisSite(evidence);
  const names = new Set(served.map((row) => row.function));
  const isServed = (jobClass: string) => names.has(functionName(prefix, jobClass));
  const missing = required.filter((jobClass) => !isServed(jobClass));
  return [
    ...withoutWorker(missing, evidence),
    ...missingSomewhere(answering, required.filter(isServed), evidence),
  ];
}

/** @param where if it is on one of several servers only */
function withoutWorker(
  jobClasses: readonly string[],
  {staleRoot, commands}: QueueEvidence,
  where?: string,
): QueueProblem[] {
  const [first] = jobClasses;
  if (first === undefined) return [];
  const on = where === undefined ? '' : ` on ${where}`;
  const message =
    jobClasses.length === 1
      ? `${first} has no worker${on}.`
      : `${jobClasses.length} job classes have no worker${on}: ${enumerate(jobClasses)}.`;
  const fault =
    where === undefined
      ? 'a job class without a worker'
      : 'a job class without a worker on one of several servers';
  return [{state: FAULT_SEVERITY[fault], message, remedy: workersFix(commands, staleRoot)}];
}

/** AtoM submits a job to any one of its servers: one that no worker is connected to keeps it. */
function missingSomewhere(
  answering: readonly ServerReport[],
  jobClasses: readonly string[],
  evidence: QueueEvidence,
): QueueProblem[] {
  const byServers = new Map<string, string[]>();
  for (const jobClass of jobClasses) {
    const name = functionName(evidence.prefix, jobClass);
    const without = answering.filter(({functions}) =>
      functions.every((row) => row.function !== name || row.workers === 0),
    );
    const addresses = without.map(({address}) => address).join(', ');
    if (addresses !== '') byServers.set(addresses, [...(byServers.get(addresses) ?? []), jobClass]);
  }
  return [...byServers].flatMap(([addresses, missing]) => withoutWorker(missing, evidence, addresses));
}

function unknownPrefix(): QueueProblem {
  return {
    state: 'unknown',
    message: 'The functions of this site are not known: give --atom-root or --function-prefix.',
    remedy: 'To see the prefixes of the servers: atomctl queue:status --all-functions',
  };
}

/**
 * The prefix comes from the root's path: in a container, or after a deploy that changes a link, the workers' prefix differs
 * from the one computed here. Nothing is wrong if every class that could be missed was excluded.
 */
function noWorkerOfThisSite(evidence: QueueEvidence): QueueProblem[] {
  const {functions, prefix, required, excluded, staleRoot, commands} = evidence;
  if (required.length === 0 && excluded.length > 0) return [];
  const missing = required.length === 0 ? '' : ` Without one: ${enumerate(required)}.`;
  const strangers = functions.filter((row) => row.jobClass !== null && !row.thisSite && row.workers > 0);
  const others = [...new Set(strangers.map((row) => row.prefix ?? 'no prefix'))];
  const hint =
    others.length === 0
      ? ''
      : ` Workers with another function prefix are connected: ${enumerate(others)}. If they belong to this site, they use` +
        ' another root or workers_key; then give their prefix with --function-prefix PREFIX.';
  const own = prefix === '' ? 'no prefix' : `prefix ${prefix}`;
  const message = `No worker of this site (${own}) is connected.${missing}${hint}`;
  const remedy = workersFix(commands, staleRoot, commands.startWorker);
  return [{state: FAULT_SEVERITY['no worker of the site'], message, remedy}];
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
  if (backlog?.oldestInFuture) return unknownAge(limits);
  const age = backlog?.oldestSeconds ?? 0;
  return passed(
    age,
    limits.warningAge,
    limits.criticalAge,
    (bound) =>
      `The oldest running job was started ${formatDuration(age)} ago, more than ${formatDuration(bound)}.`,
    'atomctl jobs:list --running --sort id',
  );
}

/** Whoever sets a limit wants to hear of an old job: one whose age cannot be known passes the limit. */
function unknownAge({warningAge, criticalAge}: QueueLimits): QueueProblem[] {
  const bound = criticalAge ?? warningAge;
  if (bound === undefined) return [];
  return [
    {
      state: criticalAge === undefined ? 'warning' : 'critical',
      message: `The start of the oldest running job is in the future, so it may be older than ${formatDuration(bound)}.`,
      remedy: 'atomctl doctor --check clock',
    },
  ];
}

function longWaits({backlog, limits}: QueueEvidence): QueueProblem[] {
  const wait = typeof backlog === 'string' ? null : backlog?.longestWait;
  if (!wait) return [];
  return passed(
    wait.seconds,
    limits.warningWait,
    limits.criticalWait,
    (bound) =>
      `Job ${wait.id} (${wait.name}) has waited for a worker for ${formatDuration(wait.seconds)}, more than ${formatDuration(bound)}.`,
    `atomctl jobs:show ${wait.id}`,
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
  /** Since the oldest of them was started; null if there is none, or if its start lies in the future. */
  oldestSeconds: number | null;
  /** The start of the oldest lies in the future, so its age is not known. */
  oldestInFuture?: boolean;
  /** The job that waits longest for a worker; null if none does, absent if that was not asked. */
  longestWait?: LongestWait | null;
}

export interface LongestWait {
  id: number;
  name: string;
  seconds: number;
}
