/** The worker units of the site: which of them execute a job, and what happens while they are stopped. */
import {AtomctlError} from '../../../src/errors.ts';
import type {NamedJob} from '../../../src/jobs/model/worker-control.ts';
import {SECOND} from '../clock.ts';
import type {Worker} from '../worker.ts';
import type {Act, Steps} from './act.ts';

/** As WorkerStop. */
export interface UnitStop {
  units: Worker[];
  interrupts: readonly NamedJob[];
  /** Some of them are not known to execute one of the jobs. */
  others: boolean;
  /** As in PlannedStop. */
  known: ReadonlySet<number>;
}

/** src/cli/worker/worker-control.ts and src/worker/executing.ts: each unit's journal names its last job. */
export function workersOf(
  act: Act,
  ids: ReadonlySet<number>,
  executing: readonly NamedJob[],
  {goBack}: {goBack: boolean},
): UnitStop {
  const {world} = act;
  const active = world.workers.filter(({site, host}) => site === 'own' && host === 'here');
  const lastJobs = new Map<number, Worker | null>();
  for (const worker of active) {
    const id = world.journals.get(worker) ?? null;
    if (id !== null) lastJobs.set(id, lastJobs.has(id) ? null : worker);
  }
  const only = active.length === 1 && executing.length === 1 ? active[0]! : null;
  const assigned = executing.map(({id, name}) => {
    const unit = lastJobs.get(id);
    return {id, name, unit: unit === undefined ? only : unit};
  });
  const unitOf = new Map(assigned.map(({id, unit}) => [id, unit]));
  const theirs = new Set([...ids].map((id) => unitOf.get(id) ?? null));
  const sure = new Set([...ids].map((id) => lastJobs.get(id)));
  const units = goBack || theirs.has(null) ? active : active.filter((unit) => theirs.has(unit));
  return {
    units,
    others: units.some((unit) => !sure.has(unit)),
    known: new Set(executing.map(({id}) => id)),
    interrupts: assigned.filter(({id, unit}) => !ids.has(id) && (unit === null || units.includes(unit))),
  };
}

/** The units are started whatever happens, except if atomctl is killed outright. */
export function* whileStopped<T>(
  act: Act,
  {units}: UnitStop,
  work: () => Steps<T>,
): Steps<{result: T; problems: AtomctlError[]}> {
  const {world} = act;
  const problems: AtomctlError[] = [];
  for (const worker of units) {
    if (!world.workers.includes(worker)) continue;
    yield {did: `stops the unit of worker ${worker.pid}`};
    if (world.workers.includes(worker)) act.stopUnit(worker);
  }
  act.stops = units.length;
  yield {did: 'has stopped the workers'};
  const stopped = units.length;
  let result: T;
  try {
    result = yield* work();
  } finally {
    for (let unit = 0; unit < stopped; unit += 1)
      if (world.startWorker('own', 'here') === null)
        problems.push(new AtomctlError('FAILED', 'A unit did not come back.'));
    act.stopped = 0;
  }
  yield {did: 'has started the workers', untilMs: world.clock.nowMs + SECOND};
  return {result, problems};
}
