import {AtomctlError} from '../../../src/errors.ts';
import type {ServiceManager, Verb} from '../../../src/systemd/systemctl.ts';
import type {UnitState} from '../../../src/systemd/unit-state.ts';

/** A systemd in memory: what of it the worker's commands rely on. One contract holds it and the real one together. */
export class FakeSystemd implements ServiceManager {
  readonly scope = 'system';
  readonly #units = new Map<string, FakeUnit>();
  #lastPid = 100;

  /** Puts a unit file in place; fields that are not given are those of a unit that was never started. */
  install(name: string, fields: Partial<UnitState> = {}): void {
    this.#units.set(name, {
      state: {...NEVER_STARTED, name, path: `/etc/systemd/system/${name}`, ...fields},
      starts: 0,
    });
  }

  /** The main process ends by itself with this status. */
  exit(name: string, status: number): void {
    const unit = this.#units.get(name)!;
    const clean = status === 0 && !unit.state.restartForced.includes(status);
    end(unit.state, {lastExit: {how: 'exited', status}, result: status === 0 ? 'success' : 'exit-code'});
    unit.state.active = clean ? 'inactive' : 'failed';
    unit.state.sub = clean ? 'dead' : 'failed';
    if (clean && unit.state.enablement !== 'enabled')
      Object.assign(unit.state, {lastExit: null, since: null});
    if (clean || unit.state.restartPolicy !== 'on-failure') return;
    unit.state.restarts += 1;
    if (unit.starts < unit.state.startLimit.burst) this.#run(unit);
  }

  async show(names: readonly string[]): Promise<UnitState[]> {
    return names.map((name) => ({
      ...(this.#units.get(name)?.state ?? {...NEVER_STARTED, name, load: 'not-found'}),
    }));
  }

  async services(): Promise<UnitState[]> {
    const inMemory = [...this.#units.values()].filter(({state}) => state.active !== 'inactive');
    return inMemory.map(({state}) => ({...state}));
  }

  async directories(): Promise<string[]> {
    return ['/etc/systemd/system'];
  }

  async reload(): Promise<void> {
    for (const unit of this.#units.values()) unit.starts = 0;
  }

  async change(verb: Verb, name: string): Promise<void> {
    const unit = this.#units.get(name);
    if (unit === undefined) {
      if (verb === 'reset-failed') return;
      throw new AtomctlError('NO_SUCH_UNIT', `systemd has no unit ${name}.`);
    }
    this.#carryOut(verb, unit);
  }

  #carryOut(verb: Verb, unit: FakeUnit): void {
    const {state} = unit;
    if (verb === 'enable' || verb === 'disable') state.enablement = `${verb}d`;
    if (verb === 'reset-failed') {
      unit.starts = 0;
      state.restarts = 0;
      if (state.active === 'failed')
        Object.assign(state, {active: 'inactive', sub: 'dead', result: 'success'});
    }
    if (verb === 'stop' || verb === 'restart') this.#stop(state);
    if (verb === 'restart' || (verb === 'start' && state.active !== 'active')) this.#start(unit);
  }

  #start(unit: FakeUnit): void {
    const {state} = unit;
    if (unit.starts >= state.startLimit.burst) {
      if (state.result === 'success') state.result = 'start-limit-hit';
      Object.assign(state, {active: 'failed', sub: 'failed'});
      throw new AtomctlError('FAILED', `Job for ${state.name} failed.`);
    }
    state.restarts = 0;
    this.#run(unit);
  }

  #run(unit: FakeUnit): void {
    unit.starts += 1;
    this.#lastPid += 1;
    const fresh = {active: 'active', sub: 'running', result: 'success', lastExit: null};
    Object.assign(unit.state, fresh, {mainPid: this.#lastPid, since: new Date()});
  }

  #stop(state: UnitState): void {
    if (state.active === 'active') end(state, {lastExit: {how: 'exited', status: 0}, result: 'success'});
    if (state.active === 'failed') return;
    Object.assign(state, {active: 'inactive', sub: 'dead'});
    forget(state);
  }
}

interface FakeUnit {
  state: UnitState;
  /** Starts that count towards the limit. */
  starts: number;
}

function end(state: UnitState, how: Pick<UnitState, 'lastExit' | 'result'>): void {
  Object.assign(state, how, {mainPid: null});
}

/** systemd keeps a unit in memory that is to be started with the machine, and otherwise forgets how it ended well. */
function forget(state: UnitState): void {
  if (state.enablement !== 'enabled') Object.assign(state, {lastExit: null, since: null});
}

/** A unit as its file describes it: StartLimitBurst=3 in a day, Restart=on-failure. */
export const NEVER_STARTED: UnitState = {
  name: 'atom-worker.service',
  load: 'loaded',
  active: 'inactive',
  sub: 'dead',
  enablement: 'disabled',
  path: null,
  since: null,
  mainPid: null,
  controlGroup: null,
  memoryBytes: null,
  restarts: 0,
  restartPolicy: 'on-failure',
  restartDelaySeconds: 0.1,
  result: 'success',
  lastExit: null,
  restartForced: [],
  restartPrevented: [],
  command: '/usr/bin/php symfony jobs:worker',
  workingDirectory: '/usr/share/nginx/atom',
  user: null,
  after: [],
  startLimit: {burst: 3, intervalSeconds: 86_400},
};
