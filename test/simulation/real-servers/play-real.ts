import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {LiveEvidence} from '../../../src/jobs/live/evidence.ts';
import type {LiveReport} from '../../../src/jobs/live/live-state.ts';
import type {MariadbConnection} from '../../support/servers/mariadb.ts';
import {SECOND} from '../clock.ts';
import {PAUSES, type WorldEvent} from '../events.ts';
import type {History} from '../histories.ts';
import {Observation} from '../observe.ts';
import {openingOf, patternOf, stamp, type Tally} from '../play.ts';
import {Watch} from '../watch.ts';
import type {TrueState} from '../world.ts';
import {waitUntilAlike} from './compare.ts';
import {isNotPlayed, playable} from './not-played.ts';
import {RealParts} from './real-parts.ts';
import {RecordedWorld} from './recorded-world.ts';
import {takeObservation} from './take-observation.ts';
import {Disagreement} from './wait-for.ts';

/** What the figures of histories on real parts have beyond those of the model. */
export interface RealTally extends Tally {
  /** By kind, how many events did not happen because real parts cannot play them; see not-played.ts. */
  readonly notPlayed: Map<string, number>;
}

export interface RealFinding {
  /**
   * `wrong` and `limit`: as in play.ts. `disagreement`: the real parts did not do what the model did, and the history
   * stopped there.
   */
  kind: 'wrong' | 'limit' | 'disagreement';
  text: string;
  story: readonly string[];
  evidence: LiveEvidence | null;
}

/** Called with each evidence, and with what was true of a real row while it was gathered. */
export type Judged = (evidence: LiveEvidence, truthOf: (realId: number) => ReadonlySet<TrueState>) => void;

/** Plays a history on real parts beside the model, observes with the code of jobs:list, and returns what was false. */
export async function playReal(
  history: History,
  mariadb: MariadbConnection,
  {tally, judged}: {tally: RealTally; judged?: Judged | undefined},
): Promise<RealFinding[]> {
  const {setup, without} = playable(history.setup);
  for (const name of without) count(tally.notPlayed, name);
  const world = new RecordedWorld(setup);
  const parts = await RealParts.create(world, mariadb);
  const player = new Player({...history, setup}, world, parts, {tally, judged});
  tally.histories += 1;
  try {
    await player.play();
  } catch (error) {
    if (!(error instanceof Disagreement)) throw new Error(player.story.join('\n'), {cause: error});
    player.found('disagreement', error.message);
  } finally {
    await player.abandon();
    await parts.close();
  }
  return player.findings;
}

/** An observation that waits while the next event happens. */
interface Pending {
  report: Promise<LiveReport>;
  goOn: () => void;
}

/** atomctl's configuration file for the sites of a history. */
export function writeSiteFile(parts: RealParts): string {
  const file = join(parts.own.uploads, '../sites.yml');
  const {otherSite, statedHere} = parts.world.setup;
  const other = otherSite === 'listed' ? `  neighbour:\n    root: ${parts.other.root}\n` : '';
  const stated = statedHere ? '    workers: this-host\n' : '';
  writeFileSync(file, `sites:\n  archive:\n    root: ${parts.own.link}\n${stated}${other}`);
  return file;
}

class Player {
  readonly findings: RealFinding[] = [];
  readonly story: string[];
  private readonly siteFile: string;
  private observations = 0;
  private pending: Pending | null = null;
  private watch = new Watch([]);
  private waiting = new Set<number>();
  private waitingSinceMs = 0;

  constructor(
    private readonly history: History,
    private readonly world: RecordedWorld,
    private readonly parts: RealParts,
    private readonly options: {tally: RealTally; judged: Judged | undefined},
  ) {
    this.story = openingOf(history);
    this.siteFile = writeSiteFile(parts);
  }

  async play(): Promise<void> {
    await waitUntilAlike(this.parts);
    for (const event of this.history.events) await this.happen(event);
    await this.finishPending();
  }

  found(kind: RealFinding['kind'], text: string, evidence: LiveEvidence | null = null): void {
    this.findings.push({kind, text, evidence, story: [...this.story]});
  }

  /** Ends an observation whose history has stopped. */
  async abandon(): Promise<void> {
    this.pending?.goOn();
    await this.pending?.report.catch(() => {});
  }

  private async happen(event: WorldEvent): Promise<void> {
    const {world, parts} = this;
    const {tally} = this.options;
    const pause = PAUSES[event.pause]!;
    // An observation lasts seconds.
    const passed = this.pending ? Math.min(pause, 1 * SECOND) : pause;
    world.advance(passed);
    let {kind} = event;
    if (isNotPlayed(event, world)) {
      count(tally.notPlayed, kind);
      kind = 'timePasses';
    }
    const said = world.happen(kind, event.a, event.b);
    tally.events += 1;
    if (said !== null || passed > 0) this.story.push(`${stamp(world, passed)} ${said ?? 'Time passes.'}`);
    await parts.writeFiles();
    for (const operation of world.take()) await parts.do(operation);
    await waitUntilAlike(parts);
    if (this.pending) await this.finishPending();
    else if (event.looks > 0) await this.observe(event.looks);
  }

  /** Observes at once, or up to the moment at which the next event happens. */
  private async observe(looks: number): Promise<void> {
    const {world, history} = this;
    const manner = history.manners[this.observations % history.manners.length]!;
    this.observations += 1;
    const again = manner.acts && world.clock.nowMs - this.waitingSinceMs >= 10 * SECOND;
    this.watch = new Watch(world.own.running().map(({id}) => id));
    this.watch.note(world);
    let goOn = () => {};
    let arrive = () => {};
    const hold = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const reached = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const wait = () => {
      arrive();
      return hold;
    };
    const report = takeObservation(
      this.parts,
      this.siteFile,
      {
        // Another atomctl that holds the lock would be waited for in vain.
        probe: manner.probe && world.probes.length === 0,
        oneServer: manner.oneServer,
        seenBefore: again ? this.waiting : new Set(),
      },
      {
        // The model's queues change too.
        probed: (endpoint) => {
          for (const [server, gearmand] of this.parts.gearmands)
            if (server.up && gearmand.endpoint === endpoint) server.probe(world.probedFunctions(server));
        },
        ...(looks === Observation.STEPS
          ? {}
          : {[looks < Observation.STEPS / 2 ? 'afterRows' : 'atProcesses']: wait}),
      },
    );
    report.catch(() => {});
    const ended = await Promise.race([report, reached]);
    if (ended) {
      this.judge(ended);
      return;
    }
    this.story.push('  atomctl begins to observe');
    this.pending = {report, goOn};
  }

  private async finishPending(): Promise<void> {
    if (!this.pending) return;
    const {report, goOn} = this.pending;
    this.watch.note(this.world);
    goOn();
    const done = await report;
    this.pending = null;
    this.judge(done);
  }

  private judge({verdicts, evidence}: LiveReport): void {
    this.story.push('  atomctl observes');
    const {tally, judged} = this.options;
    tally.observations += 1;
    judged?.(evidence, (realId) => this.watch.truths.get(this.parts.modelId(realId)) ?? new Set());
    this.waiting = new Set();
    this.waitingSinceMs = this.world.clock.nowMs;
    const rows = new Map(evidence.rows.map((row) => [row.id, row]));
    for (const [realId, verdict] of verdicts) {
      const {state, reason, needsTime} = verdict;
      const id = this.parts.modelId(realId);
      if (needsTime) this.waiting.add(id);
      tally.claim(state, reason);
      const truths = this.watch.truths.get(id);
      if (state === 'uncertain' || truths?.has(state)) continue;
      const truth = truths ? [...truths].join(' or ') : 'not running';
      const isLimit = truths && this.watch.isLimit(id, verdict, {row: rows.get(realId)!, evidence});
      this.found(
        isLimit ? 'limit' : 'wrong',
        `atomctl says that job ${id} is ${state}: ${reason} The truth: ${truth}. (${patternOf(reason)})`,
        evidence,
      );
    }
  }
}

function count(map: Map<string, number>, name: string): void {
  map.set(name, (map.get(name) ?? 0) + 1);
}
