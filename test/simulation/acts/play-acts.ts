import {type AtomctlError, EXIT} from '../../../src/errors.ts';
import type {Killed} from '../../../src/jobs/kill/complete.ts';
import type {Marked} from '../../../src/jobs/mark/mark.ts';
import {SECOND} from '../clock.ts';
import {EVENTS, PAUSES, type WorldEvent} from '../events.ts';
import type {History} from '../histories.ts';
import {openingOf, patternOf, stamp} from '../play.ts';
import type {World} from '../world.ts';
import {Act, type ActSpec, type Careless, commandOf, type Step} from './act.ts';
import {ActWorld, isExecuted} from './act-world.ts';
import {clear} from './clear.ts';
import {hold} from './hold.ts';
import {kill} from './kill.ts';
import type {LimitName} from './known-limits.ts';
import {fix, mark} from './mark.ts';
import {restore} from './restore.ts';
import {retry} from './retry.ts';
import {save} from './save.ts';
import {type Harm, Witness} from './witness.ts';

/** A history of the world in which an operator acts. */
export interface ActHistory {
  history: History;
  acts: readonly ActSpec[];
}

/** What was done in the histories that were played. */
export class ActTally {
  histories = 0;
  events = 0;
  /** Events that happened while an act was under way. */
  eventsDuring = 0;
  steps = 0;
  readonly acts = new Map<string, number>();
  /** Jobs, by what the act reported of them. */
  readonly outcomes = new Map<string, number>();
  readonly refusals = new Map<string, number>();
}

function count(map: Map<string, number>, name: string): void {
  map.set(name, (map.get(name) ?? 0) + 1);
}

/** Plays a history with its acts, and at the end lets every job that is left be handed out; returns the harm that was done. */
export function playActs(
  {history, acts}: ActHistory,
  {
    careless = {},
    tally,
    story,
    until,
  }: {careless?: Careless; tally?: ActTally; story?: string[]; until?: string} = {},
): Harm[] {
  const world = new ActWorld(history.setup);
  const witness = new Witness(world);
  world.witness = witness;
  const player = new Player(world, witness, careless, tally, story);
  story?.push(...openingOf(history));
  if (tally) tally.histories += 1;
  const found = () => until !== undefined && witness.harms.some(({group}) => group === until);
  for (const [index, event] of history.events.entries()) {
    for (const spec of acts) if (spec.at === index) player.begin(spec);
    player.happen(event);
    player.goOn(event.looks);
    if (found()) return witness.harms;
  }
  player.goOn(Number.POSITIVE_INFINITY);
  player.over = true;
  for (const event of AFTERWARDS) {
    if (found()) break;
    player.happen(event);
  }
  return witness.harms;
}

/** Index of PAUSES. */
const NOW = 0;
const THREE_SECONDS = 5;
/** What a worker is told to do: its job completes. */
const COMPLETE = 2;

/** Every worker dies and is replaced, and works, twice, so that each job that Gearman still has is handed out. */
const AFTERWARDS: readonly WorldEvent[] = [
  ...['probeEnds', 'startGearmand', 'startGearmand', 'startGearmand'].map((kind) => afterwards(kind, 0)),
  ...[0, 1].flatMap(() => [
    ...[0, 1, 2].flatMap((a) => [afterwards('killWorker', a), afterwards('childEnds', a)]),
    ...[0, 3].map((a) => afterwards('startWorker', a)),
    ...Array.from({length: 8}, () => [
      afterwards('workerActs', 0),
      afterwards('workerActs', 1),
      {...afterwards('childEnds', 0), pause: THREE_SECONDS},
    ]).flat(),
  ]),
];

function afterwards(kind: string, a: number): WorldEvent {
  return {kind, a, b: COMPLETE, pause: NOW, looks: 0};
}

class Player {
  /** What happens from now on is not counted. */
  over = false;
  private under: {act: Act; steps: Generator<Step, void, void>; waitsUntilMs: number} | null = null;

  constructor(
    private readonly world: ActWorld,
    private readonly witness: Witness,
    private readonly careless: Careless,
    private readonly tally: ActTally | undefined,
    private readonly story: string[] | undefined,
  ) {}

  happen({kind, a, b, pause: index}: WorldEvent): void {
    const {world, witness, tally} = this;
    const pause = PAUSES[index]!;
    const passed = this.under ? Math.min(pause, 1 * SECOND) : pause;
    witness.happening = 'timePasses';
    world.advance(passed);
    witness.happening = kind;
    const said = this.mayHappen(kind, a) ? EVENTS[kind]!.happens(world, ...this.choices(kind, a, b)) : null;
    if (tally && !this.over) tally.events += 1;
    if (tally && this.under) tally.eventsDuring += 1;
    if (said !== null || passed > 0) this.story?.push(`${stamp(world, passed)} ${said ?? 'Time passes.'}`);
    this.under?.act.observation?.worldChanged();
  }

  /** One atomctl at a time has a server's probe lock. */
  private mayHappen(kind: string, a: number): boolean {
    if (kind !== 'probe') return true;
    const up = this.world.servers.filter((server) => server.up);
    const server = up[a % Math.max(up.length, 1)];
    return server !== undefined && !this.world.probeLocks.has(server) && !this.world.lockedByOther(server);
  }

  /** Another atomctl kills only if it has the site's lock. */
  private choices(kind: string, a: number, b: number): [number, number] {
    const up = this.world.servers.filter((server) => server.up).length;
    return kind === 'probe' && a % 3 === 0 ? [a + Math.max(up, 1) * (up % 3 === 0 ? 0 : 1), b] : [a, b];
  }

  begin(spec: ActSpec): void {
    const {world, witness, tally} = this;
    const act = new Act(world, witness, spec, this.careless);
    if (tally) count(tally.acts, spec.kind);
    if (world.siteLocked) {
      this.refuse(act, 'This site is locked by another atomctl.');
      return;
    }
    world.siteLocked = true;
    witness.actBegins();
    this.story?.push(`${stamp(world, 0)} An operator runs ${describeAct(spec)}.`);
    this.under = {act, steps: this.run(act), waitsUntilMs: 0};
  }

  private *run(act: Act): Generator<Step, void, void> {
    try {
      yield* this.work(act);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'AtomctlError') throw error;
      // doctor --fix reports each failure as a finding.
      if (act.spec.kind !== 'fix')
        this.checkExit(act, (error as AtomctlError).exitStatus, {left: [], said: true});
      this.refuse(act, error.message);
    }
    this.witness.checkQueues();
  }

  private *work(act: Act): Generator<Step, void, void> {
    const {spec} = act;
    if (spec.kind === 'kill') {
      const ids = pickJobs(this.world, spec);
      const known = new Set(this.world.visibleRows().keys());
      const {result, exit} = yield* kill(act, ids);
      for (const killed of result.killed) this.report(act, killed);
      const isLeft = ({id, action}: Killed) => action === 'failed' || !act.changed.has(id);
      const remains = result.workerProblem !== null || result.killed.some(isLeft);
      this.checkExit(act, exit, {left: rowsLeft(act, ids, known), said: remains});
      this.end(
        act,
        exit,
        result.killed.map(({id, action, gearman}) => `${id} ${action}, Gearman: ${gearman}`),
      );
      for (const killed of result.killed) this.checkDone(act, killed);
    } else if (spec.kind === 'mark') {
      const ids = pickJobs(this.world, spec);
      const {result, exit} = yield* mark(act, ids);
      for (const marked of result.marked) this.report(act, marked);
      this.checkExit(act, exit, {left: rowsLeft(act, ids, new Set()), said: false});
      this.end(
        act,
        exit,
        result.marked.map(({id, action}) => `${id} ${action}`),
      );
    } else if (spec.kind === 'retry') {
      const {result, exit} = yield* retry(act, pickJobs(this.world, spec));
      for (const {id, action, message} of result.retried) this.report(act, {id, action, message, was: null});
      const results = result.retried.map(
        ({id, action, newId}) => `${id} ${action}${newId === null ? '' : ` as ${newId}`}`,
      );
      this.end(act, exit, results);
    } else if (spec.kind === 'save') {
      const {jobs} = yield* save(act);
      this.outcome('save: jobs saved', jobs.length);
      this.end(act, EXIT.ok, [`${jobs.length} saved`]);
    } else if (spec.kind === 'restore') {
      yield* this.restore(act);
    } else if (spec.kind === 'hold') {
      const {result, exit} = yield* hold(act);
      const {held, moved, restored, commandStatus, failure, problems} = result;
      for (const [what, times] of Object.entries({held, moved, restored}))
        this.outcome(`hold: ${what}`, times);
      const hasLeft = failure !== null || problems.length > 0;
      this.checkHoldExit(act, exit, {commandStatus, hasLeft});
      this.end(act, exit, [
        `command ${commandStatus ?? 'not run'}; ${held} held, ${moved} moved, ${restored} restored`,
        ...(failure === null ? [] : [failure.message]),
        ...problems,
      ]);
    } else if (spec.kind === 'fix') {
      const {fixed} = yield* fix(act);
      this.outcome(`fix: fixed`, fixed);
      this.end(act, EXIT.ok, [`${fixed} fixed`]);
    } else {
      const {cleared, queueRemoved, exit, left, problems} = yield* clear(act);
      this.checkExit(act, exit, {left, said: problems.length > 0});
      this.outcome('clear: cleared', cleared);
      this.outcome('clear: out of Gearman', queueRemoved);
      this.end(act, exit, [`${cleared} cleared, ${queueRemoved} out of Gearman`]);
    }
  }

  private *restore(act: Act): Generator<Step, void, void> {
    const {world} = this;
    const {picks, queue} = act.spec;
    const copy = world.copies[picks[0]! % Math.max(world.copies.length, 1)];
    if (copy === undefined) {
      this.refuse(act, 'There is no copy.');
      return;
    }
    const to = queue!.to === null ? null : world.servers[queue!.to % world.servers.length]!;
    const {targets, exit} = yield* restore(act, {
      jobs: copy.jobs,
      to,
      rePrefix: queue!.rePrefix,
      asked: true,
    });
    for (const {action, message, job} of targets)
      this.report(act, {id: job.payload.jobId, action, message, was: null});
    const isLeft = ({action}: {action: string}) => ['blocked', 'refused', 'failed', 'left'].includes(action);
    const isDone = targets.some(({action}) => action === 'submitted');
    const left = targets.filter(isLeft).map(({job, action}) => `${job.payload.jobId} ${action}`);
    this.checkExit(act, exit, {left, said: false});
    const real = act.careless.exit ?? exit;
    if (real === EXIT.refused && isDone)
      this.witness.harm('exit status 5 although jobs were submitted', `${act.name} ends with 5.`);
    this.end(
      act,
      exit,
      targets.map(({job, action}) => `${job.payload.jobId} ${action}`),
    );
  }

  /** The status of the command, if it ran and failed; 0 promises that all jobs are back where the workers find them. */
  private checkHoldExit(
    act: Act,
    real: number,
    {commandStatus, hasLeft}: {commandStatus: number | null; hasLeft: boolean},
  ): void {
    const exit = act.careless.exit ?? real;
    const harm = (what: string) =>
      this.witness.harm(
        `exit status of a hold ${what}`,
        `${act.name} ends with ${exit}; command: ${commandStatus}.`,
      );
    if (commandStatus !== null && commandStatus !== 0 && exit !== commandStatus)
      harm('is not the one of its command');
    if (exit === EXIT.ok && (commandStatus === null || hasLeft)) harm('is 0 although something is left');
    if (exit === EXIT.interrupted && commandStatus === null && !act.aborted)
      harm('is 130 although no signal came');
    if (commandStatus === 0 && !hasLeft && exit !== EXIT.ok) harm('is not 0 although all is done');
  }

  private report(
    act: Act,
    {id, action, message, was}: Pick<Killed | Marked, 'id' | 'message' | 'was'> & {action: string},
  ): void {
    this.outcome(`${act.spec.kind}: ${action}`);
    if (action === 'refused') this.refused(act, was, message);
    if (action === 'refused' && act.touched.has(id))
      this.witness.harm(
        `a job that was refused was touched`,
        `${act.name} refused job ${id} and changed its ${[...act.touched.get(id)!].join(' and ')}: ${message}`,
      );
  }

  /**
   * 5 and 4 promise that nothing was destroyed, 0 that all is done; 1 says that something is left, and 130 that a signal came.
   * @param what.left what the act was to do and has not done, in words
   * @param what.said it says itself that something went wrong
   */
  private checkExit(act: Act, real: number, {left, said}: {left: readonly string[]; said: boolean}): void {
    const exit = act.careless.exit ?? real;
    const harm = (what: string, limit: LimitName | null = null) =>
      this.witness.harm(
        `exit status ${exit} ${what}`,
        `${act.name} ends with ${exit}; it has ${act.destroyed.join(', ') || 'destroyed nothing'}; left: ${left.join(', ') || 'nothing'}.`,
        limit,
      );
    if (exit === EXIT.refused || exit === EXIT.noSuchJob) {
      if (act.destroyed.length > 0) harm('although something was destroyed');
    }
    if (exit === EXIT.ok && left.length > 0) harm('although something is left');
    if (exit === EXIT.failed && left.length === 0 && !said) harm('although nothing is left');
    if (exit === EXIT.interrupted && !act.aborted) harm('although no signal came');
  }

  /** A job whose kill is reported as done does not run, and never will. */
  private checkDone(act: Act, {id, action, gearman, was}: Killed): void {
    const {world, witness} = this;
    if ((action !== 'marked' && action !== 'deleted') || gearman === 'remains') return;
    // Its worker goes on to its end, as the message says.
    if (gearman !== 'cancelled' && world.executes(id))
      witness.harm(
        'a job still runs as its kill is reported',
        `${act.name} reports job ${id} as killed (Gearman: ${gearman}) while a worker executes it.`,
        was === 'ended' || (!act.touched.has(id) && !world.row(id))
          ? 'ended by hand'
          : act.limitOfExecution(id, gearman === 'removed'),
      );
    witness.killReported(id, {
      taken: gearman !== 'none' || act.calledFinished.has(id),
      ended: was === 'ended',
      by: act.name,
    });
  }

  /** What it did to get there, for the figures. */
  private means({spec, stops, held}: Act): void {
    if (stops > 0) this.outcome(`${spec.kind}: with its workers stopped`);
    if (held > 0) this.outcome(`${spec.kind}: with waiting jobs held`);
    if (held > 1) this.outcome(`${spec.kind}: with several held`);
  }

  private end(act: Act, exit: number, results: readonly string[]): void {
    if (this.tally) count(this.tally.outcomes, `${act.spec.kind}: exit ${exit}`);
    this.means(act);
    this.story?.push(`  ${act.name} ends with exit status ${exit}: ${results.join('; ')}.`);
    if (act.stopped > 0) this.witness.harm('workers stay stopped', `${act.name} did not start its workers.`);
  }

  private refuse(act: Act, message: string): void {
    this.outcome(`${act.spec.kind}: refused as a whole`);
    this.refused(act, null, message);
    this.story?.push(`  ${act.name} ends: ${message}`);
  }

  private refused({spec}: Act, was: string | null, message: string): void {
    if (!this.tally) return;
    const reason = patternOf(message).split(/(?<=\.) /)[0]!;
    count(this.tally.refusals, `${spec.kind}${was === null ? '' : ` of ${was}`}: ${reason}`);
  }

  private outcome(name: string, times = 1): void {
    const {tally} = this;
    if (tally) tally.outcomes.set(name, (tally.outcomes.get(name) ?? 0) + times);
  }

  /** The act goes on for so many steps. */
  goOn(steps: number): void {
    for (let done = 0; done < steps && this.under; done += 1) this.step(this.under);
  }

  private step(under: NonNullable<Player['under']>): void {
    const {world, witness, tally} = this;
    const {act, steps, waitsUntilMs} = under;
    if (waitsUntilMs > world.clock.nowMs) {
      witness.happening = 'timePasses';
      world.advance(waitsUntilMs - world.clock.nowMs);
      act.observation?.worldChanged();
    }
    const {signalAt, killedAt, queue} = act.spec;
    act.steps += 1;
    if (tally) tally.steps += 1;
    if (killedAt === act.steps) {
      this.story?.push(`  ${act.name} is killed outright.`);
      this.outcome(`${act.spec.kind}: killed outright`);
      act.kill();
      this.under = null;
      return;
    }
    if (queue?.cutAt === act.steps) {
      this.story?.push(`  The connections of ${act.name} are lost.`);
      act.cut();
    }
    if (signalAt === act.steps) {
      act.aborted = true;
      this.story?.push(`  ${act.name} gets SIGINT.`);
    }
    witness.happening = 'act';
    const {done, value} = steps.next();
    if (done) {
      act.release();
      this.under = null;
      return;
    }
    under.waitsUntilMs = value.untilMs ?? 0;
    this.story?.push(`  atomctl ${value.did}`);
  }
}

/**
 * Named jobs whose rows the act did not change. One that is to be deleted may have gone meanwhile.
 * @param known ids of the rows that there were at the beginning
 */
function rowsLeft({changed, spec, world}: Act, ids: readonly number[], known: ReadonlySet<number>): string[] {
  const isGone = (id: number) => spec.deleteRows && known.has(id) && !world.row(id);
  return ids.filter((id) => !changed.has(id) && !isGone(id)).map((id) => `row ${id}`);
}

/** The jobs that the operator names: mostly running ones, often one that executes; now and then one that does not exist. */
export function pickJobs(world: World, {picks}: ActSpec): number[] {
  const rows = [...world.visibleRows().values()];
  const running = rows.filter(({status}) => status === 'running');
  const executing = running.filter(({id}) => isExecuted(world, id));
  return picks.map((pick) => {
    const wanted = [rows, executing, executing, running, running][pick % 5]!;
    const from = wanted.length > 0 ? wanted : running.length > 0 ? running : rows;
    return pick % 97 === 96 ? 99 : (from[Math.floor(pick / 5) % Math.max(from.length, 1)]?.id ?? 99);
  });
}

/** The command line of an act, for a story. */
export function describeAct(spec: ActSpec): string {
  const {kind, filter} = spec;
  const name = commandOf(kind);
  const flags = [
    ...(kind === 'clear' ? [filter] : []),
    ...(kind === 'mark' ? [`--as ${spec.as}`] : []),
    ...((kind === 'kill' || kind === 'mark') && spec.force ? ['--force'] : []),
    ...(kind === 'kill' && spec.deleteRows ? ['--delete'] : []),
    ...((kind === 'kill' || kind === 'clear') && spec.restartWorker
      ? ['--restart-worker', ...(spec.interrupt === 'all' ? ['--interrupt-others'] : [])]
      : []),
    ...(kind === 'clear' && spec.allQueued ? ['--all-queued'] : []),
    ...(kind === 'clear' && spec.keepQueue ? ['--keep-queue'] : []),
    ...(kind === 'restore' && spec.queue?.to !== null ? [`--to server ${spec.queue?.to}`] : []),
    ...((kind === 'restore' || kind === 'hold') && spec.queue?.rePrefix ? ['--re-prefix'] : []),
    ...(kind === 'hold'
      ? [`--max-wait ${spec.queue!.maxWaitSeconds}${spec.queue!.units ? '' : ' (no units)'}`]
      : []),
    ...(spec.oneServer ? ['--gearman of the first server'] : []),
  ];
  return [name, ...flags].join(' ');
}
