/** jobs:kill, step by step: src/jobs/kill. What it decides by is the product's own. */
import {AtomctlError} from '../../../src/errors.ts';
import type {GearmanOutcome, Killed} from '../../../src/jobs/kill/complete.ts';
import {asFarAsChecked, forcedOutcome, isOut, reportAll, settle} from '../../../src/jobs/kill/complete.ts';
import {agreedIds, askedOf, type KillResult, killExitStatus} from '../../../src/jobs/kill/kill.ts';
import {previewKill} from '../../../src/jobs/kill/preview.ts';
import {
  markAsked,
  noteAnswer,
  noteGoingOn,
  noteUnread,
  updatePlan,
  updateState,
} from '../../../src/jobs/kill/progress.ts';
import {plannedRefusal} from '../../../src/jobs/kill/refusal.ts';
import {
  dequeued,
  isOutEverywhere,
  isTouched,
  type KillOptions,
  type KillPlan,
  stateNow,
  type Target,
} from '../../../src/jobs/kill/target.ts';
import {executingJobs, placesOf, stateIn} from '../../../src/jobs/live/live-state.ts';
import {anotherBegan, mayHaveBegun} from '../../../src/jobs/live/still-executing.ts';
import type {FoundJob} from '../../../src/jobs/live/unique-keys.ts';
import type {Job} from '../../../src/jobs/model/job.ts';
import {
  eachOnce,
  goOnAllTheTime,
  type Interruptible,
  MOST_PLANS,
  reasonAgainstInterruption,
} from '../../../src/jobs/model/worker-control.ts';
import type {CancelOutcome} from '../../../src/queue/cancel-job.ts';
import {SECOND} from '../clock.ts';
import type {Gearmand} from '../gearmand.ts';
import {queueOf} from '../observe.ts';
import {hasFinished} from '../world.ts';
import {
  type Act,
  changeRow,
  liveStates,
  liveStatesToAct,
  loadJobs,
  type Probed,
  type Report,
  refused as refusedError,
  type Steps,
} from './act.ts';
import {
  attempt,
  cancelByKey,
  executingEnded,
  isJobOf,
  newestExecutingEnded,
  releaseProbeLock,
  stillExecuting,
  takeFromSite,
  takeProbeLock,
} from './queue-steps.ts';
import {type UnitStop, whileStopped, workersOf} from './units.ts';

/** src/jobs/kill/dequeue.ts, LONGEST_HOLD_MS. */
const LONGEST_HOLD_MS = 2 * SECOND;
const NOT_WAITING = new Set<unknown>(['executing', 'finished', 'lost']);

type Plan = Omit<KillPlan, 'report' | 'probed' | 'workers'> & {report: Report; probed: readonly Probed[]};

/** What a kill carries along. */
interface Kill {
  act: Act;
  ids: readonly number[];
  options: KillOptions;
  plan: Plan;
  firstSeen: Map<number, number>;
}

export function* kill(act: Act, ids: readonly number[]): Steps<{result: KillResult; exit: number}> {
  const {spec} = act;
  const firstSeen = new Map<number, number>();
  const options = {
    ids,
    force: spec.force,
    deleteRows: spec.deleteRows,
    worker: spec.restartWorker ? {} : null,
  } as unknown as KillOptions;
  if (spec.interrupt !== 'asked') {
    const mayInterrupt = spec.interrupt === 'all' ? 'all' : new Set<number>();
    return yield* killEach(act, options, firstSeen, mayInterrupt);
  }
  // The plan that the question shows.
  const shown = yield* planKill(act, options, firstSeen);
  const workers = yield* workersToStop({act, ids, options, plan: shown, firstSeen});
  const mayInterrupt = new Set(workers?.interrupts.map(({id}) => id));
  const planned = previewKill(options, {...shown, probed: [], workers: workers as never});
  const agreed = agreedIds(planned);
  const asked = askedOf(shown);
  act.asked = new Map([...asked].map(([id, {status}]) => [id, status]));
  const nothing = {killed: planned, workersAsked: false, workerRestarted: false, interrupted: []};
  if (agreed.length === 0) {
    const result = {...nothing, workerProblem: null, stoppedEarly: false};
    return {result, exit: killExitStatus(result)};
  }
  yield {did: 'is told to go on'};
  const named = act.careless.forgetsQuestion ? {ids: agreed} : {ids: agreed, asked};
  const done = yield* killEach(act, {...options, ...named}, firstSeen, mayInterrupt);
  const killed = new Map(done.result.killed.map((each) => [each.id, each]));
  const result = {...done.result, killed: planned.map((each) => killed.get(each.id) ?? each)};
  return {result, exit: killExitStatus(result)};
}

function* killEach(
  act: Act,
  options: KillOptions,
  firstSeen: Map<number, number>,
  mayInterrupt: Interruptible,
): Steps<{result: KillResult; exit: number}> {
  const {ids} = options;
  for (const id of ids) act.named.add(id);
  const plan = yield* planKill(act, options, firstSeen);
  const killing = {act, ids, options, plan, firstSeen};
  if (act.aborted) throw refusedError('Interrupted before the first job was killed.');
  yield* rehearse(killing);
  if (act.careless.rowsOnly) for (const target of plan.targets.values()) yield* carelessRow(killing, target);
  yield* dequeueByKey(killing, ({now}) => now === 'queued');
  yield* dequeueByPayload(killing, ({now}) => !NOT_WAITING.has(now));
  const unchanged = {
    workersAsked: false,
    workerRestarted: false,
    interrupted: [] as number[],
    workerProblem: null,
  };
  const done = (result: KillResult) => ({result, exit: killExitStatus(result)});
  const prepared = act.aborted ? null : yield* prepareStop(killing, mayInterrupt);
  if (prepared === null) return done({...unchanged, ...(yield* complete(killing))});
  if (prepared instanceof AtomctlError) {
    plan.problems.push(prepared);
    return done({...unchanged, ...(yield* complete(killing)), workerProblem: prepared});
  }
  const {workers, executing} = prepared;
  for (const {id} of workers.interrupts)
    if (mayInterrupt === 'all' || mayInterrupt.has(id)) act.agreed.add(id);
  const {result, problems} = yield* whileStopped(act, workers, function* () {
    yield* dequeueStopped(killing, executing);
    return yield* complete(killing);
  });
  return done({
    ...result,
    workersAsked: true,
    workerRestarted: problems.length === 0,
    interrupted: workers.interrupts.map(({id}) => id),
    workerProblem: problems[0] ?? null,
  });
}

function* prepareStop(
  killing: Kill,
  mayInterrupt: Interruptible,
): Steps<{workers: UnitStop; executing: ReadonlySet<number>} | AtomctlError | null> {
  const {act, plan} = killing;
  for (let times = 0; times < MOST_PLANS; times += 1) {
    const workers = yield* workersToStop(killing);
    if (workers === null) return null;
    const executing = new Set(
      [...plan.targets]
        .filter(([, {now, refused}]) => now === 'executing' && refused === null)
        .map(([id]) => id),
    );
    const against =
      (act.careless.asksNobody ? null : reasonAgainstInterruption(workers as never, mayInterrupt)) ??
      (yield* reasonAgainstRestart(killing, executing)) ??
      (yield* attempt(cancelExecuting(killing, executing)));
    if (against !== null) return against;
    if (act.careless.asksNobody || (yield* isAsPlanned(killing, {workers, executing})))
      return {workers, executing};
  }
  return goOnAllTheTime();
}

/** Gearman is asked for each key once more, and everything is read again. */
function* isAsPlanned(
  killing: Kill,
  {workers, executing}: {workers: UnitStop; executing: ReadonlySet<number>},
): Steps<boolean> {
  const {act, plan} = killing;
  const jobs = [...plan.targets.values()].map(({job}) => job);
  const report = yield* withEnded(act, yield* liveStates(act), jobs);
  const still = yield* stillExecuting(plan.report, executing, report);
  const hasOther =
    mayHaveBegun(report, workers, executing) &&
    anotherBegan(report, workers, {named: executing, endedNow: yield* newestExecutingEnded(act)});
  if (!hasOther && still.size === executing.size) return true;
  const over = [...executing].filter((id) => !still.has(id));
  yield {did: 'reads whether ended rows show an end'};
  const finished = over.filter((id) => {
    const row = act.world.visibleRows().get(id);
    const {status} = plan.targets.get(id)!.job;
    return status !== 'running' && row !== undefined && row.status !== 'running' && hasFinished(row);
  });
  updatePlan(plan, report, {over, still, finished: new Set(finished)});
  return false;
}

function* planKill(act: Act, options: KillOptions, firstSeen: Map<number, number>): Steps<Plan> {
  const jobs = loadJobs(act, options.ids);
  yield {did: `reads the jobs ${options.ids.join(', ')}`};
  const running = new Set(jobs.filter(({status}) => status === 'running').map(({id}) => id));
  const report = yield* withEnded(act, yield* liveStatesToAct(act, firstSeen, {ids: running}), jobs);
  const targets = new Map<number, Target>();
  const rows = new Map(report.rows.map((row) => [row.id, row]));
  for (const job of jobs) {
    const now = stateNow(job, report);
    const target: Target = {
      ...{job, was: now, now, verdict: report.verdicts.get(job.id) ?? null},
      ...{logLength: rows.get(job.id)?.logLength ?? null, failed: rows.get(job.id)?.failed === true},
      ...{
        refused: null,
        inQueues: new Map(),
        unchecked: new Map(),
        isKeyless: false,
        waitsEnded: false,
        howToEnd: null,
        isCancelled: false,
        row: null,
      },
    };
    const strange = report.found.has(job.id) && placesOf(report, job.id).length === 0;
    target.refused =
      plannedRefusal(options, report, target) ??
      (strange && !options.force
        ? 'Gearman has it under a strange function prefix. Nothing was changed.'
        : null);
    targets.set(job.id, target);
  }
  return {targets, report, probed: [], problems: []};
}

function* withEnded(act: Act, report: Report, jobs: readonly Job[]): Steps<Report> {
  const executing = yield* executingEnded(act, jobs);
  return {...report, found: new Map([...report.found, ...executing])};
}

function* workersToStop({act, plan}: Kill): Steps<UnitStop | null> {
  const stopping = [...plan.targets.values()].filter(
    ({now, refused}) => now === 'executing' && refused === null,
  );
  if (!act.spec.restartWorker || stopping.length === 0) return null;
  const ids = new Set(stopping.map(({job}) => job.id));
  const ended = stopping.flatMap(({job: {id, name, status}}) => (status === 'running' ? [] : [{id, name}]));
  const goBack = [...ids].some((id) => placesOf(plan.report, id).length === 0);
  const executing = [...executingJobs(plan.report), ...ended, ...(yield* newestExecutingEnded(act))];
  return workersOf(act, ids, eachOnce(executing), {goBack});
}

function* rehearse({act, options, plan}: Kill): Steps<void> {
  for (const target of plan.targets.values()) {
    if (target.refused !== null || act.aborted) continue;
    const {outcome} = yield* changeRow(act, changeOf(options, target), {rehearsal: true});
    if (outcome === 'gone' && !options.deleteRows) target.refused = 'It has no row any more.';
    if (outcome === 'changed') target.refused = 'It changed meanwhile. Its row was not changed.';
    if (outcome === 'failed') target.refused = 'Its row cannot be changed. Gearman was not touched.';
  }
}

function changeOf(options: KillOptions, {job, was, logLength}: Target) {
  return {
    id: job.id,
    seen: {
      status: job.status,
      logLength: was === 'lost' && !options.force ? (logLength ?? undefined) : undefined,
    },
    to: options.deleteRows ? ('deleted' as const) : ('error' as const),
    limit: was === 'ended' ? ('ended by hand' as const) : null,
  };
}

function* writeRow({act, options}: Kill, target: Target): Steps<void> {
  target.row = yield* changeRow(act, changeOf(options, target));
}

function* carelessRow(killing: Kill, target: Target): Steps<void> {
  target.now = 'lost';
  yield* writeRow(killing, target);
}

type Chosen = (target: Target) => boolean;

function chosenTargets({plan}: Kill, chosen: Chosen): Target[] {
  return [...plan.targets.values()].filter(
    (target) => target.refused === null && dequeued(target, plan.report) !== 'removed' && chosen(target),
  );
}

function* dequeueByKey(killing: Kill, chosen: Chosen, write = writeInTime): Steps<void> {
  const {act, plan} = killing;
  const found = chosenTargets(killing, chosen).flatMap((target) =>
    placesOf(plan.report, target.job.id).map((place) => ({target, place})),
  );
  for (const address of new Set(found.map(({place}) => place.server))) {
    const server = address as unknown as Gearmand;
    const onServer = found.filter(({place}) => place.server === address);
    const isBegun = ({target}: {target: Target}) => isTouched(target);
    const failure = yield* attempt(
      (function* () {
        yield* takeProbeLock(act, server, {uninterrupted: onServer.some(isBegun)});
        try {
          for (const each of onServer) {
            if (act.aborted && !isBegun(each)) continue;
            if (each.target.inQueues.get(each.place.queue) !== 'removed') yield* cancelTarget(killing, each);
          }
          const out = onServer.filter(({target}) => isOutEverywhere(target, plan.report, killing.options));
          yield* write(
            killing,
            out.map(({target}) => target),
          );
        } finally {
          releaseProbeLock(act, server);
        }
      })(),
    );
    if (failure) plan.problems.push(failure);
  }
}

function keyed({function: name, unique}: FoundJob) {
  return {name, key: unique};
}

function* cancelTarget({act, plan}: Kill, {target, place}: {target: Target; place: FoundJob}): Steps<void> {
  const server = place.server as unknown as Gearmand;
  const {queue} = place;
  const outcome = yield* cancelByKey(act, server, keyed(place), {
    executingToo: false,
    onAsked: () => markAsked(target, queue),
  });
  if (outcome === 'absent')
    noteAnswer(plan, target, queue, target.inQueues.get(queue) === 'cancelled' ? 'removed' : 'absent');
  else if (outcome !== 'executing') noteAnswer(plan, target, queue, outcome);
  if (outcome === 'executing' || outcome === 'cancelled') target.now = 'executing';
}

function* dequeueByPayload(killing: Kill, chosen: Chosen, write = writeInTime): Steps<void> {
  const {act, plan} = killing;
  const targets = new Map(chosenTargets(killing, chosen).map((target) => [target.job.id, target]));
  if (targets.size === 0) return;
  const {waiting, problems, unread} = yield* takeFromSite(act, {
    names: [...new Set([...targets.values()].map(({job}) => job.name))],
    take: (entry, server) => {
      const target = targets.get(entry.payload.jobId);
      if (target === undefined || !isJobOf(act, entry, target.job)) return false;
      markAsked(target, queueOf(server, entry.function));
      return true;
    },
    *settle(jobs, left) {
      const removed = new Set(jobs.map(({entry}) => targets.get(entry.payload.jobId)!));
      for (const {entry, queue} of jobs)
        noteAnswer(plan, targets.get(entry.payload.jobId)!, queue, 'removed');
      for (const target of removed) noteUnread(plan, target, left);
      const out = [...removed].filter((target) => isOutEverywhere(target, plan.report, killing.options));
      yield* write(killing, out);
    },
  });
  for (const target of targets.values()) noteUnread(plan, target, unread);
  plan.problems.push(...problems);
  const open = new Set(chosenTargets(killing, chosen).map(({job}) => job.id));
  if (open.size === 0) return;
  const jobs = [...plan.targets.values()].map(({job}) => job);
  plan.probed = waiting;
  const report = yield* liveStatesToAct(act, killing.firstSeen, {ids: open, probed: waiting});
  // The wait was cut short.
  const proved = act.aborted ? yield* liveStates(act, {probed: waiting}) : report;
  plan.report = yield* withEnded(act, proved, jobs);
  for (const target of plan.targets.values()) updateState(target, plan);
}

function* keepRows(): Steps<void> {}

function* writeInTime(killing: Kill, targets: readonly Target[]): Steps<void> {
  const {clock} = killing.act.world;
  const end = clock.nowMs + LONGEST_HOLD_MS;
  for (const target of targets) {
    if (target.row !== null) continue;
    yield* writeRow(killing, target);
    if (clock.nowMs >= end) return;
  }
}

/** Gearman drops them as their workers stop. */
function* cancelExecuting({act, plan}: Kill, executing: ReadonlySet<number>): Steps<void> {
  for (const id of executing) {
    const target = plan.targets.get(id)!;
    for (const place of placesOf(plan.report, id)) {
      if (target.inQueues.get(place.queue)) continue;
      const server = place.server as unknown as Gearmand;
      const onAsked = () => noteAnswer(plan, target, place.queue, 'unknown');
      const outcome = yield* cancelByKey(act, server, keyed(place), {executingToo: true, onAsked});
      if (outcome === 'removed' || outcome === 'cancelled')
        noteAnswer(plan, target, place.queue, 'cancelled');
    }
  }
}

function* dequeueStopped(killing: Kill, executing: ReadonlySet<number>): Steps<void> {
  const {act} = killing;
  const {aborted} = act;
  // What was given back is taken out whatever signal comes.
  act.aborted = false;
  yield* dequeueByKey(killing, ({job}) => executing.has(job.id), keepRows);
  yield* dequeueByPayload(
    killing,
    ({job, now}) => (aborted ? executing.has(job.id) : !NOT_WAITING.has(now) || executing.has(job.id)),
    keepRows,
  );
  const {targets, report} = killing.plan;
  const isOut = (id: number) => dequeued(targets.get(id)!, report) === 'removed';
  if ([...executing].some(isOut)) {
    const now = yield* liveStates(act);
    for (const id of executing)
      if (isOut(id) && stateIn(now, id) === 'executing') noteGoingOn(targets.get(id)!);
  }
  act.aborted ||= aborted;
}

/** Two more returns must be survived. */
function* reasonAgainstRestart({act, plan}: Kill, ids: ReadonlySet<number>): Steps<AtomctlError | null> {
  const servers = [
    ...new Set(
      [...ids].flatMap((id) => {
        const places = placesOf(plan.report, id);
        return places.length > 0 ? places.map(({server}) => server as unknown as Gearmand) : act.view.servers;
      }),
    ),
  ];
  for (const server of servers) {
    yield {did: 'tries the limit of retries with a test job'};
    if (!server.up) continue;
    const most = Math.max(0, ...server.entries().map(({ignored, retries}) => (ignored ? 0 : retries)));
    if (server.retryLimit > 0 && most + 2 >= server.retryLimit)
      return refusedError('The server limits retries, so the worker was not stopped.');
  }
  return null;
}

function* complete(killing: Kill): Steps<{killed: Killed[]; stoppedEarly: boolean}> {
  const {act, options, plan} = killing;
  const outcomes = new Map<Target, Killed | GearmanOutcome>();
  for (const target of plan.targets.values()) {
    let outcome = settle({...options, signal: act.signal}, plan, target);
    if (outcome === 'to cancel') outcome = asFarAsChecked(target, yield* cancelEverywhere(killing, target));
    outcomes.set(target, outcome);
  }
  const open = [...outcomes].flatMap(([target, outcome]) =>
    typeof outcome === 'string' && target.row === null ? [target] : [],
  );
  for (const target of open.filter((each) => isOut(each, plan.report))) yield* writeRow(killing, target);
  for (const target of open.filter((each) => !isOut(each, plan.report)))
    if (!act.aborted) yield* writeRow(killing, target);
  const killed = reportAll({...options, ids: killing.ids}, plan, outcomes);
  return {killed, stoppedEarly: open.some(({row}) => row === null)};
}

function* cancelEverywhere({act, plan}: Kill, target: Target): Steps<GearmanOutcome> {
  const outcomes: CancelOutcome[] = [];
  for (const place of placesOf(plan.report, target.job.id)) {
    if (target.inQueues.get(place.queue) === 'removed') continue;
    let outcome: CancelOutcome = 'absent';
    yield* attempt(
      (function* () {
        outcome = yield* cancelByKey(act, place.server as unknown as Gearmand, keyed(place), {
          executingToo: true,
          onAsked: () => markAsked(target, place.queue),
        });
        if (outcome === 'removed' || outcome === 'cancelled') noteAnswer(plan, target, place.queue, outcome);
      })(),
    );
    outcomes.push(outcome);
  }
  return forcedOutcome(target, outcomes);
}
