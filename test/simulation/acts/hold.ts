/** queue:hold, step by step: src/jobs/hold. */
import {isSerial} from '../../../src/atom/job-classes.ts';
import {AtomctlError} from '../../../src/errors.ts';
import {type HoldResult, holdExitStatus} from '../../../src/jobs/hold/hold.ts';
import {unseenJobs} from '../../../src/jobs/hold/unseen-jobs.ts';
import type {RestoreAction} from '../../../src/jobs/save/restore.ts';
import {SECOND} from '../clock.ts';
import type {Connection, Entry, Gearmand} from '../gearmand.ts';
import {keyOf} from '../world.ts';
import {
  type Act,
  type CommandStep,
  liveStates,
  refused,
  requireAlive,
  requireUp,
  type Steps,
  unreachable,
} from './act.ts';
import type {CopiedJob} from './act-world.ts';
import {attempt, classOf, Hold, releaseProbeLock, takeProbeLock} from './queue-steps.ts';
import {judgeCopied, prefixOf, restore} from './restore.ts';
import {runningLengths} from './save.ts';

const POLL_MS = 1 * SECOND;

/** What is held of one server: as ServerHold. */
interface ServerHold {
  server: Gearmand;
  abilities: Connection;
  names: ReadonlySet<string>;
  run: number | undefined;
  parts: Hold[];
  lost: boolean;
}

interface Holding {
  act: Act;
  holds: ServerHold[];
  /** In the order in which they were taken. */
  saved: Map<Entry, CopiedJob>;
  /** The same, with those that were moved to another prefix. */
  taken: Map<Entry, CopiedJob>;
  unitsStopped: boolean;
  commandStatus: number | null;
}

export function* hold(act: Act): Steps<{result: HoldResult; exit: number}> {
  const {world} = act;
  yield {did: 'connects to the servers'};
  for (const server of act.view.servers) requireUp(server);
  const holding: Holding = {
    act,
    holds: [],
    saved: new Map(),
    taken: new Map(),
    unitsStopped: false,
    commandStatus: null,
  };
  act.onKill = () => checkNothingLost(holding, new Map());
  try {
    yield* open(holding);
    const failure = yield* attempt(runHeld(holding));
    act.witness.held = new Set();
    const end = yield* finish(holding);
    const result: HoldResult = {
      ...{commandStatus: holding.commandStatus, held: holding.saved.size, unitsStopped: holding.unitsStopped},
      ...{waitedFor: [], left: [], dropped: 0, returned: holding.saved.size},
      ...end,
      failure: failure ?? end.failure,
    };
    return {result, exit: holdExitStatus(result)};
  } finally {
    act.witness.held = new Set();
    world.holding = null;
    for (const {server, abilities} of holding.holds) server.disconnect(abilities);
  }
}

/** A restarted gearmand does not know what its workers execute. */
function* refuseUnseenJobs(act: Act): Steps<void> {
  const report = yield* liveStates(act);
  if (unseenJobs(report).length > 0 && !act.careless.asksNobody)
    throw refused('Jobs execute that no Gearman server runs.');
}

/** What a server forgets from now on is noticed: the connections of the abilities break. */
function* open({act, holds}: Holding): Steps<void> {
  const {world, view} = act;
  for (const server of view.servers) {
    requireUp(server);
    const run = world.stops.get(server);
    holds.push({server, abilities: act.connect(server, []), names: new Set(), run, parts: [], lost: false});
  }
  if (act.spec.queue!.units) yield* refuseUnseenJobs(act);
  for (const each of holds) {
    const {server, abilities} = each;
    requireUp(server);
    const names = server
      .status()
      .map((row) => row.function)
      .filter((name) => view.prefixes.has(prefixOf(name)) && server.capable(name) > 0);
    yield* takeProbeLock(act, server);
    requireAlive(server, abilities);
    if (!act.careless.hasNoAbilities) abilities.functions = names;
    each.names = new Set(names);
    yield {did: 'registers the abilities of the workers'};
  }
}

function* runHeld(holding: Holding): Steps<void> {
  const {act, holds, saved} = holding;
  const {world, witness, careless} = act;
  const spec = act.spec.queue!;
  yield* becomeIdle(holding);
  if (spec.units) {
    if (careless.givesBackEarly) for (const each of holds) yield* giveBackParts(each);
    holding.unitsStopped = true;
    for (const worker of world.workers.filter(({site, host}) => site === 'own' && host === 'here')) {
      yield {did: `stops the unit of worker ${worker.pid}`};
      if (world.workers.includes(worker)) act.stopUnit(worker);
    }
    yield* takeWaiting(holding);
  }
  if (careless.givesBackEarly && !spec.units) for (const each of holds) yield* giveBackParts(each);
  yield {did: 'asks which workers are connected'};
  if (act.aborted) throw new AtomctlError('INTERRUPTED', 'Interrupted before the command was run.');
  const isThere = (entry: Entry) => entry.holder !== null && !entry.ignored;
  witness.held = new Set([...saved.keys()].filter((entry) => careless.givesBackEarly || isThere(entry)));
  world.holding = {
    abilities: new Map(
      holds.map(({server, names, run, abilities}) => [server, {names, run, cut: () => abilities.broken}]),
    ),
  };
  for (const did of spec.command) {
    yield {did: `runs the command: ${doCommand(act, did)}`, untilMs: world.clock.nowMs + POLL_MS};
    yield* takeArrived(holding);
  }
  holding.commandStatus = spec.commandStatus;
}

/** What a command does that an administrator gives to a hold. */
function doCommand({world, witness}: Act, step: CommandStep): string {
  const server = world.servers[0]!;
  witness.happening = 'command';
  if (step === 'restart' || step === 'stop') if (server.up) world.stopServer(server);
  if ((step === 'restart' || step === 'start') && !server.up) server.start(world.clock.nowMs);
  if (step === 'deploy') world.deploy(true);
  if (step === 'clearCache') {
    world.own.release.web = null;
    world.own.release.worker = null;
    world.own.release.movedMs = world.clock.nowMs;
  }
  if (step === 'startWorker') world.startWorker('own', 'here');
  witness.happening = 'act';
  return step;
}

function* becomeIdle(holding: Holding): Steps<void> {
  const {act} = holding;
  const {clock} = act.world;
  const {maxWaitSeconds} = act.spec.queue!;
  const beganMs = clock.nowMs;
  for (;;) {
    const left = yield* takeWaiting(holding);
    const executing = yield* countExecuting(holding);
    requireConnected(holding);
    act.reportMs = clock.nowMs;
    if (left + executing === 0 || act.careless.waitsForNobody) return;
    if (act.aborted) throw new AtomctlError('INTERRUPTED', 'Interrupted before the command was run.');
    if (clock.nowMs - beganMs >= maxWaitSeconds * SECOND)
      throw new AtomctlError('TIME_OVER', 'The site still executes jobs.');
    yield {did: 'waits for the end of jobs', untilMs: clock.nowMs + POLL_MS};
  }
}

/** A restarted server does not know what executes. @throws AtomctlError */
function requireConnected({act, holds}: Holding): void {
  for (const {server, abilities} of holds) if (!act.careless.missesRestarts) requireAlive(server, abilities);
}

/** @returns how many jobs still wait */
function* takeWaiting(holding: Holding): Steps<number> {
  let left = 0;
  for (const each of holding.holds) {
    if (each.lost) continue;
    left += yield* takeFrom(holding, each);
  }
  return left;
}

/** As takeWaiting while the command runs: a server that fails is not asked again. */
function* takeArrived(holding: Holding): Steps<void> {
  for (const each of holding.holds) {
    if (each.lost) continue;
    const failed = yield* attempt(
      (function* () {
        yield* takeFrom(holding, each);
      })(),
    );
    if (failed?.code === 'REFUSED') holding.act.witness.arrivalsStay();
    else if (failed !== null) each.lost = true;
  }
}

function* takeFrom(holding: Holding, each: ServerHold): Steps<number> {
  const {act, saved, taken} = holding;
  const {world} = act;
  const {server} = each;
  yield {did: `asks ${server.address} what waits`};
  requireUp(server);
  const waiting = siteNames(act, server).filter((name) => server.waitingIn(name).length > 0);
  if (waiting.length === 0) return 0;
  const names = waiting.filter((name) => mayTake(act, each, name));
  if (names.length < waiting.length) act.witness.arrivalsStay('serial worker became free');
  if (names.length > 0) {
    yield {did: 'reads the lengths of the logs'};
    const lengths = runningLengths(act);
    const part = new Hold(act, server);
    yield* part.take(names);
    each.parts.push(part);
    if (part.refused.length > 0) act.witness.arrivalsStay('serial worker became free');
    for (const entry of part.jobs) {
      const {function: name, key, payload} = entry;
      const {jobId} = payload;
      const executed = world.executes(jobId);
      const logLength = lengths.get(jobId) ?? null;
      const job = {server, function: name, key, payload, logLength, executed};
      saved.set(entry, job);
      taken.set(entry, job);
    }
  }
  yield {did: `asks ${server.address} what still waits`};
  requireUp(server);
  return waiting.reduce((sum, name) => sum + server.waitingIn(name).length, 0);
}

function siteNames({view}: Act, server: Gearmand): string[] {
  return server
    .status()
    .map((row) => row.function)
    .filter((name) => view.prefixes.has(prefixOf(name)));
}

/** A worker that is free for a serial class would be handed a younger job than those that are held. */
function mayTake(act: Act, each: ServerHold, name: string): boolean {
  if (!isSerial(classOf(name))) return true;
  const able = each.server.connections.filter(
    ({id, functions}) => !id.startsWith('atomctl-') && functions.includes(name),
  );
  return able.length === 0 || (act.spec.queue!.units && runningOn(act, each) >= able.length);
}

function runningOn(act: Act, {server, parts}: ServerHold): number {
  const names = new Set(siteNames(act, server));
  const running = server.status().reduce((sum, row) => sum + (names.has(row.function) ? row.running : 0), 0);
  const ours = parts.reduce((sum, part) => sum + part.jobs.length, 0);
  return Math.max(0, running - ours);
}

function* countExecuting({act, holds}: Holding): Steps<number> {
  let sum = 0;
  for (const each of holds) {
    yield {did: `asks ${each.server.address} what executes`};
    requireUp(each.server);
    sum += runningOn(act, each);
  }
  return sum;
}

type Ending = Pick<HoldResult, 'moved' | 'restored' | 'failure' | 'problems'>;

function* finish(holding: Holding): Steps<Ending> {
  const {act, holds, saved, taken} = holding;
  const {world} = act;
  const spec = act.spec.queue!;
  const end: Ending = {moved: 0, restored: 0, failure: null, problems: []};
  const report = (error: AtomctlError | null) => {
    if (error !== null) end.problems.push(error.message);
  };
  yield {did: 'reads the settings again'};
  const before = act.view.ownPrefix;
  const after = world.siteView(act.spec.oneServer);
  act.witness.givesBack();
  yield* takeArrived(holding);
  if (spec.rePrefix) report(yield* attempt(move(holding, after.ownPrefix, end)));
  const runs = new Map<Gearmand, number | undefined>();
  for (const each of holds) {
    const problem = yield* giveBackParts(each);
    report(problem);
  }
  if (holding.unitsStopped) {
    for (; act.stopped > 0; act.stopped -= 1)
      if (world.startWorker('own', 'here') === null) end.problems.push('A unit did not come back.');
    yield {did: 'has started the workers'};
  }
  for (const each of holds) {
    noticeLoss(each, act);
    runs.set(each.server, each.lost ? undefined : world.stops.get(each.server));
  }
  world.holding = null;
  for (const {server, abilities} of holds) {
    server.disconnect(abilities);
    releaseProbeLock(act, server);
  }
  const isLost = (server: Gearmand) => holds.some((each) => each.server === server && each.lost);
  const left = [...saved.values()].filter(
    (job) => prefixOf(job.function) !== after.ownPrefix && !(spec.rePrefix && isLost(job.server)),
  );
  if (before !== after.ownPrefix && left.length > 0)
    end.failure = refused('Jobs wait under the old function prefix.');
  yield {did: 'has given everything back'};
  if (holds.some(({lost}) => lost)) {
    const jobs = [...saved.values()];
    const earlier = spec.rePrefix ? [] : act.view.prefixes;
    act.view = {...after, prefixes: new Set([...after.prefixes, ...earlier])};
    for (const {server} of holds) runs.set(server, world.stops.get(server));
    let isWhole = false;
    const restoreLost = function* () {
      const {targets} = yield* restore(act, {jobs, to: null, rePrefix: spec.rePrefix, asked: false});
      // What is made of an ended row afterwards is no loss of the hold.
      const ended = new Set(targets.filter(({action}) => action === 'ended').map(({saved: job}) => job));
      for (const [entry, job] of taken) if (ended.has(job)) taken.delete(entry);
      const left = targets.filter(({action}) => ['blocked', 'refused', 'failed', 'left'].includes(action));
      end.restored = targets.filter(({action}) => action === 'submitted').length;
      end.problems.push(...left.map(({message}) => message));
      isWhole = left.length === 0;
    };
    if (jobs.length > 0) report(yield* attempt(restoreLost()));
    if (!isWhole && !act.careless.keepsNoCopy) {
      world.copies.push({savedMs: world.clock.nowMs, jobs});
      return end;
    }
  }
  checkNothingLost(holding, runs);
  return end;
}

/** So many are moved at a time: src/jobs/hold/held-queue.ts. */
const MOVED_AT_A_TIME = 50;

/** Submits what is held under another prefix with this one, and ends it there; what has been moved or has ended is only ended. */
function* move(holding: Holding, prefix: string, end: Ending): Steps<void> {
  const {world, careless} = holding.act;
  if (world.setup.replica && careless.restoresDespite !== 'old rows')
    throw refused('The database is read-only or a replica.');
  for (const each of holding.holds) {
    noticeLoss(each, holding.act);
    if (each.lost) continue;
    for (const part of each.parts) {
      const others = part.jobs.filter((entry) => prefixOf(entry.function) !== prefix);
      for (let from = 0; from < others.length; from += MOVED_AT_A_TIME)
        yield* moveSome(holding, {each, part, some: others.slice(from, from + MOVED_AT_A_TIME)}, prefix, end);
    }
  }
}

function* moveSome(
  {act, holds, saved, taken}: Holding,
  {each: {server}, part, some}: {each: ServerHold; part: Hold; some: readonly Entry[]},
  prefix: string,
  end: Ending,
): Steps<void> {
  for (const {payload} of some) if (payload.site === 'own') act.named.add(payload.jobId);
  const places = some.map((entry) => {
    const name = prefix + classOf(entry.function);
    return {entry, name, key: keyOf(name, entry.payload.jobId), action: null as RestoreAction | null};
  });
  for (const other of holds) {
    if (other.lost) continue;
    yield {did: `asks ${other.server.address} for the keys under the new prefix`};
    requireUp(other.server);
    for (const place of places) place.action ??= presenceOf(other.server.find(place.name, place.key));
  }
  yield {did: 'reads the rows'};
  for (const place of places) place.action ??= judgeCopied(act, saved.get(place.entry)!).action;
  const submit = function* () {
    for (const {entry, name, key, action} of places) {
      if (action !== 'submitted') continue;
      yield {did: `submits job ${entry.payload.jobId} under the new prefix`};
      requireUp(server);
      server.submit(name, key, entry.payload);
    }
  };
  const ending = new Map(
    places.filter(({action}) => ENDED_WHERE_HELD.has(action!)).map((place) => [place.entry, place]),
  );
  const endOld = part.end(
    (entry) => ending.has(entry),
    (entry) => {
      const {name, key, action} = ending.get(entry)!;
      if (action === 'submitted') saved.set(entry, {...saved.get(entry)!, function: name, key});
      else saved.delete(entry);
      // What is made of an ended row afterwards is no loss of the hold.
      if (action === 'ended') taken.delete(entry);
      end.moved += 1;
    },
  );
  for (const {entry, action} of places)
    if (!ending.has(entry)) end.problems.push(`Job ${entry.payload.jobId} was not moved: ${action}.`);
  if (act.careless.endsBeforeItMoves) {
    yield* endOld;
    yield* submit();
  } else {
    yield* submit();
    yield* endOld;
  }
}

/** `submitted`: it was moved. The others are elsewhere already, or their rows have ended. */
const ENDED_WHERE_HELD: ReadonlySet<RestoreAction> = new Set(['submitted', 'waiting', 'executing', 'ended']);

function presenceOf(entry: Entry | undefined): RestoreAction | null {
  if (entry === undefined) return null;
  if (entry.holder !== null) return 'executing';
  return entry.ignored ? 'blocked' : 'waiting';
}

function noticeLoss(each: ServerHold, {careless}: Act): void {
  each.lost ||= isCut(each) && !careless.missesRestarts;
}

function isCut({server, abilities}: ServerHold): boolean {
  return !server.up || abilities.broken;
}

function* giveBackParts(each: ServerHold): Steps<AtomctlError | null> {
  const {act} = each.parts[0] ?? {act: null};
  let problem: AtomctlError | null = null;
  for (const part of each.parts) {
    const isWhole = yield* part.giveBackAlone();
    if (isWhole) continue;
    if (!each.server.up && !each.lost) problem = unreachable(each.server);
    if (!act!.careless.missesRestarts) each.lost = true;
  }
  if (act !== null) noticeLoss(each, act);
  each.parts = [];
  return problem;
}

/**
 * What was held is in a queue, begun, or was ended by another.
 * @param runs the run of each server when it had its jobs back: what it forgets afterwards is not lost by the hold
 */
function checkNothingLost({act, taken}: Holding, runs: ReadonlyMap<Gearmand, number | undefined>): void {
  const {world, witness} = act;
  for (const [entry, job] of taken) {
    const {jobId, site} = job.payload;
    const entries = world.servers.flatMap((server) => server.entries());
    const isThere = entries.some(({payload}) => payload.site === site && payload.jobId === jobId);
    // Of a job on two servers, either may have been the one that has it.
    const isForgotten = [...taken.values()].some(
      ({server, payload}) =>
        payload.jobId === jobId &&
        world.stops.get(server) !== (runs.has(server) ? runs : act.beganRuns).get(server),
    );
    const wasHanded = (witness.handedMs.get(jobId) ?? Number.NEGATIVE_INFINITY) >= act.beganMs;
    // An operator has cancelled it, or another atomctl has taken it out and is about to change its row.
    if (act.wasCancelled(jobId) || world.killing.has(jobId)) continue;
    if (site === 'other' || isThere || entry.ignored || isForgotten || wasHanded || world.executes(jobId))
      continue;
    if (world.row(jobId)?.status !== 'running') continue;
    const isDropped = job.server.retryLimit > 0 && entry.retries >= job.server.retryLimit;
    witness.harm(
      'a job that was held is lost',
      `${act.name} held job ${jobId}, which no server has any more.`,
      isDropped ? 'returned while limited retries were tried' : null,
    );
  }
}
