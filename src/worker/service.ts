import {setTimeout as sleep} from 'node:timers/promises';
import {AtomctlError} from '../errors.ts';
import type {ServerReport} from '../queue/server-report.ts';
import {processesOf} from '../systemd/control-group.ts';
import type {ServiceManager} from '../systemd/systemctl.ts';
import type {UnitState} from '../systemd/unit-state.ts';
import {
  type AskServers,
  abilityCount,
  expectedClasses,
  isComplete,
  type Registration,
  registrationFaults,
  registrations,
  type SiteAbilities,
  serverList,
  workerIds,
} from './abilities.ts';
import {whyNotRunning} from './ending.ts';
import {limitText, type StartLimit} from './start-limit.ts';

export interface ServiceOptions {
  manager: ServiceManager;
  units: readonly UnitState[];
  site: SiteAbilities;
  askServers: AskServers;
  /** How far a unit is from systemd's start limit, read again at each call. */
  readLimit: (unit: UnitState) => Promise<StartLimit>;
  /** Seconds to wait until Gearman shows the change. */
  waitSeconds: number;
}

export interface StartOptions extends ServiceOptions {
  /** Clear systemd's failure state and start counter first. */
  reset: boolean;
}

/** The result for one unit. */
export interface UnitChange {
  unit: string;
  /** It was done, and Gearman confirms it. */
  done: boolean;
  /** What happened: sentences. */
  message: string;
  mainPid: number | null;
  /** What its worker has registered with each server afterwards. */
  servers: Registration[];
}

/**
 * Starts the units and waits until each has registered, with every Gearman server, the abilities that the site
 * expects of it. A unit that cannot be started or registers nothing is reported in its result, not thrown.
 * @throws AtomctlError SYSTEMD_UNAVAILABLE, SYSTEMD_REFUSED, NO_SUCH_UNIT
 */
export function startWorker(options: StartOptions): Promise<UnitChange[]> {
  return Promise.all(options.units.map((unit) => bringUp('start', unit, options)));
}

/**
 * Orders systemd to start the units, and waits for nothing: for a caller that cannot say now what the site expects of them. Whether
 * they run, startWorker tells afterwards.
 */
export async function orderStart({manager, units}: Pick<StartOptions, 'manager' | 'units'>): Promise<void> {
  await Promise.all(
    units.map(async ({name}) => {
      await orFailure(manager.change('reset-failed', name));
      await attempt(() => manager.change('start', name));
    }),
  );
}

/**
 * Restarts the units, one after the other so that the site keeps a worker if it has several, and waits as
 * `startWorker` does. A unit whose starts are used up by its journal is left running rather than stopped and then
 * refused, unless the counter is reset.
 */
export async function restartWorker(options: StartOptions): Promise<UnitChange[]> {
  const changes: UnitChange[] = [];
  for (const unit of options.units) changes.push(await bringUp('restart', unit, options));
  return changes;
}

/**
 * Stops the units, all at once so that none is handed the job of another, and waits until no Gearman server has a
 * connection of theirs. What a worker was executing, gearmand has queued again by then.
 */
export function stopWorker(options: ServiceOptions): Promise<UnitChange[]> {
  return Promise.all(options.units.map((unit) => takeDown(unit, options)));
}

async function bringUp(
  verb: 'start' | 'restart',
  {name}: UnitState,
  options: StartOptions,
): Promise<UnitChange> {
  const {manager} = options;
  const [before] = (await orFailure(manager.show([name]))) ?? [];
  const runs = before?.active === 'active';
  // What only prepares the start must not prevent it: a worker that was stopped is to run again.
  if (options.reset) await orFailure(manager.change('reset-failed', name));
  else if (verb === 'restart' && before && runs) {
    const limit = await options.readLimit(before);
    if (limit.burst > 0 && (limit.startsUsed ?? 0) >= limit.burst) return leftRunning(before, limit, options);
  }
  const failure = await attempt(() => manager.change(verb, name));
  if (failure !== null) {
    const again = verb === 'restart' && runs ? await startPastLimit(name, options) : null;
    return again ?? refused(name, failure.message, options);
  }
  const change = await awaitRegistration(name, options);
  const already = verb === 'start' && runs && change.done;
  return already ? {...change, message: `${name} was already running. ${change.message}`} : change;
}

/**
 * Starts a unit again that systemd stopped for a restart and then refused, since it counted more starts than its journal tells of.
 * @returns null if systemd refused it for another reason, or again
 */
async function startPastLimit(name: string, options: ServiceOptions): Promise<UnitChange | null> {
  const {manager} = options;
  const [stopped] = (await orFailure(manager.show([name]))) ?? [];
  if (stopped === undefined) return null;
  const limit = await options.readLimit(stopped);
  if (!limit.hit) return null;
  await orFailure(manager.change('reset-failed', name));
  if ((await attempt(() => manager.change('start', name))) !== null) return null;
  const {message, ...change} = await awaitRegistration(name, options);
  return {
    ...change,
    message: `All of its ${limitText(limit)} were used, so their count was cleared. ${message}`,
  };
}

/** What came of work; null if it failed as can be expected of a unit. */
async function orFailure<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof AtomctlError && error.code === 'FAILED') return null;
    throw error;
  }
}

/** Runs a change; the failure of the unit itself is returned, for its state to be explained. */
async function attempt(change: () => Promise<void>): Promise<AtomctlError | null> {
  try {
    await change();
    return null;
  } catch (error) {
    if (error instanceof AtomctlError && error.code === 'FAILED') return error;
    throw error;
  }
}

async function leftRunning(unit: UnitState, limit: StartLimit, options: ServiceOptions): Promise<UnitChange> {
  const {servers} = await fetchSnapshot(unit.name, options);
  const message =
    `${unit.name} was not stopped: all of its ${limitText(limit)} may be used, and systemd would stop it and then` +
    ' refuse to start it. To clear the count first, give --reset.';
  return {unit: unit.name, done: false, message, mainPid: unit.mainPid, servers};
}

async function refused(name: string, failure: string, options: ServiceOptions): Promise<UnitChange> {
  const {state, servers} = await fetchSnapshot(name, options);
  const limit = await options.readLimit(state);
  const why = whyNotRunning(state, limit) ?? failure;
  const message = `${name} did not start. ${why} To see its log: atomctl worker:logs`;
  return {unit: name, done: false, message, mainPid: state.mainPid, servers};
}

async function awaitRegistration(name: string, options: ServiceOptions): Promise<UnitChange> {
  const found = await poll(options, async () => {
    const snapshot = await fetchSnapshot(name, options);
    const up = snapshot.state.active === 'active' && isComplete(snapshot.servers);
    return {...snapshot, up, settled: up || snapshot.state.active === 'failed'};
  });
  const {state, servers, up} = found;
  if (state.active !== 'active') return refused(name, `It is ${state.active}.`, options);
  const message = up
    ? `${name} runs (PID ${state.mainPid}) and has registered ${abilityCount(servers)}.`
    : `${name} is active (PID ${state.mainPid}), but after ${options.waitSeconds} s ${registrationFaults(servers).join(' ')}`;
  return {unit: name, done: up, message, mainPid: state.mainPid, servers};
}

async function takeDown({name}: UnitState, options: ServiceOptions): Promise<UnitChange> {
  const {manager, askServers} = options;
  const [[before], answers] = await Promise.all([manager.show([name]), askServers()]);
  const ids = workerIds(answers, await processesOf(before!));
  const failure = await attempt(() => manager.change('stop', name));
  const {state, servers, gone} = await poll(options, async () => {
    const snapshot = await fetchSnapshot(name, options);
    const connected = snapshot.answers.some(({connections}) => connections.some(({id}) => ids.has(id)));
    const gone = !connected && ['inactive', 'failed'].includes(snapshot.state.active);
    return {...snapshot, gone, settled: gone};
  });
  const asked = servers.every(({error}) => error === null);
  const message = gone
    ? stoppedText(name, servers)
    : `${name} is ${state.active}, and its worker still connected, after ${options.waitSeconds} s. ${failure?.message ?? ''}`;
  return {unit: name, done: gone && asked, message: message.trimEnd(), mainPid: state.mainPid, servers};
}

function stoppedText(name: string, servers: readonly Registration[]): string {
  const silent = servers.filter(({error}) => error !== null);
  return silent.length === 0
    ? `${name} is stopped, and its abilities are removed from ${serverList(servers)}.`
    : `${name} is stopped; ${serverList(silent)} did not answer, so it was not checked there.`;
}

interface UnitSnapshot {
  state: UnitState;
  answers: ServerReport[];
  servers: Registration[];
}

/** A unit as systemd and Gearman see it now. */
async function fetchSnapshot(
  name: string,
  {manager, askServers, site}: ServiceOptions,
): Promise<UnitSnapshot> {
  const [[state], answers] = await Promise.all([manager.show([name]), askServers()]);
  const expected = expectedClasses(state!.command, site.workerTypes);
  const pids = await processesOf(state!);
  return {state: state!, answers, servers: registrations({answers, pids, expected, prefix: site.prefix})};
}

const POLL_MILLISECONDS = 200;

/** Polls until the snapshot is settled or the wait is over; returns the last snapshot. */
async function poll<T extends {settled: boolean}>(
  options: ServiceOptions,
  fetchOnce: () => Promise<T>,
): Promise<T> {
  const deadline = Date.now() + options.waitSeconds * 1000;
  for (;;) {
    const snapshot = await fetchOnce();
    if (snapshot.settled || Date.now() >= deadline) return snapshot;
    await sleep(POLL_MILLISECONDS);
  }
}
