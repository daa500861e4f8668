import type {ServerReport} from '../queue/server-report.ts';
import {bySeverity} from '../queue/severity.ts';
import {queueWorkers} from '../queue/workers.ts';
import {processesOf} from '../systemd/control-group.ts';
import type {UnitState} from '../systemd/unit-state.ts';
import {
  type AskServers,
  expectedClasses,
  type Registration,
  registrations,
  type SiteAbilities,
} from './abilities.ts';
import {endingText} from './ending.ts';
import type {ExecutingJob} from './executing.ts';
import {judgeUnit, type UnitProblem} from './health.ts';
import type {StartLimit} from './start-limit.ts';

export interface WorkerStatusOptions {
  units: readonly UnitState[];
  site: SiteAbilities;
  askServers: AskServers;
  readLimit: (unit: UnitState) => Promise<StartLimit>;
  /** The site's executing jobs, each with the unit whose worker has it, if it is known. */
  executing: readonly ExecutingJob[];
}

/** The worker service, as `worker:status --json` prints it. */
export interface WorkerStatus {
  status: 'ok' | 'warning' | 'critical';
  /** One sentence each, the worst first. */
  problems: string[];
  units: UnitReport[];
  /** Workers of this site that are connected and belong to none of the units: in containers, in terminals. */
  unmanaged: UnmanagedWorker[];
  executing: ExecutingJob[];
  servers: {address: string; reachable: boolean; error: string | null}[];
}

export interface UnitReport {
  unit: string;
  /** Its states, as systemd names them. */
  load: string;
  active: string;
  sub: string;
  enabled: boolean;
  enablement: string;
  /** ISO 8601, UTC: since when it is in its active state. */
  since: string | null;
  mainPid: number | null;
  memoryBytes: number | null;
  restarts: number;
  startLimit: StartLimit;
  /** How it ended last, as systemd names it. */
  result: string;
  exitStatus: number | null;
  /** How it ended last, as a text; null before it first ended. */
  ending: string | null;
  servers: Registration[];
  problems: string[];
}

/** The units as systemd and Gearman see them, and the verdict on their health. */
export async function workerStatus(options: WorkerStatusOptions): Promise<WorkerStatus> {
  const {units, site} = options;
  const answers = await options.askServers();
  const pids = await Promise.all(units.map(processesOf));
  const judged = await Promise.all(units.map((unit, at) => reportUnit(unit, pids[at]!, answers, options)));
  const problems = [
    ...answers.flatMap(({error}): UnitProblem[] =>
      error === null ? [] : [{severity: 'critical', text: error}],
    ),
    ...judged.flatMap(({problems}) => problems),
  ].sort(bySeverity);
  return {
    status: problems[0]?.severity ?? 'ok',
    problems: problems.map(({text}) => text),
    units: judged.map(({report}) => report),
    unmanaged: unmanagedWorkers({answers, pids: pids.flat(), prefix: site.prefix}),
    executing: [...options.executing],
    servers: answers.map(({address, error}) => ({address, reachable: error === null, error})),
  };
}

async function reportUnit(
  unit: UnitState,
  pids: readonly number[],
  answers: readonly ServerReport[],
  {site, readLimit}: WorkerStatusOptions,
): Promise<{report: UnitReport; problems: UnitProblem[]}> {
  const limit = await readLimit(unit);
  const expected = expectedClasses(unit.command, site.workerTypes);
  const servers = registrations({answers, pids, expected, prefix: site.prefix});
  const problems = judgeUnit({unit, limit, servers});
  const report = {
    unit: unit.name,
    load: unit.load,
    active: unit.active,
    sub: unit.sub,
    enabled: unit.enablement.startsWith('enabled'),
    enablement: unit.enablement,
    since: unit.since?.toISOString() ?? null,
    mainPid: unit.mainPid,
    memoryBytes: unit.memoryBytes,
    restarts: unit.restarts,
    startLimit: limit,
    result: unit.result,
    exitStatus: unit.lastExit?.how === 'exited' ? unit.lastExit.status : null,
    ending: endingText(unit),
    servers,
    problems: problems.map(({text}) => text),
  };
  return {report, problems};
}

/** A worker of this site that is connected to Gearman and belongs to none of the units. */
export interface UnmanagedWorker {
  id: string;
  /** On its own host or in its container. */
  pid: number | null;
  ip: string;
  abilities: string[];
  servers: string[];
}

/** The site's workers on all servers but those with the given process ids, each once. */
export function unmanagedWorkers(options: {
  answers: readonly ServerReport[];
  pids: readonly number[];
  prefix: string | null;
}): UnmanagedWorker[] {
  return queueWorkers({servers: options.answers, prefix: options.prefix})
    .filter(({thisSite, pid}) => thisSite && !options.pids.includes(pid ?? 0))
    .map(({id, pid, ip, abilities, servers}) => ({id, pid, ip, abilities, servers}));
}
