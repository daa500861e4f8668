import type {LiveEvidence} from '../../src/jobs/live/evidence.ts';
import {liveVerdicts} from '../../src/jobs/live/verdict.ts';
import {SECOND} from './clock.ts';
import {EVENTS, PAUSES} from './events.ts';
import type {History} from './histories.ts';
import {missingClaim} from './must-claim.ts';
import {Observation} from './observe.ts';
import {type TrueState, World} from './world.ts';

/** What was claimed in the histories that were played. */
export class Tally {
  histories = 0;
  events = 0;
  observations = 0;
  readonly claims = new Map<string, number>();
  readonly uncertain = new Map<string, number>();

  claim(state: string, reason: string): void {
    count(this.claims, state);
    if (state === 'uncertain') count(this.uncertain, patternOf(reason));
  }
}

function count(map: Map<string, number>, name: string): void {
  map.set(name, (map.get(name) ?? 0) + 1);
}

export type Judge = (evidence: LiveEvidence) => ReturnType<typeof liveVerdicts>;

export interface Finding {
  /**
   * `wrong`: a state that was not true. `missing`: uncertain, although the state can be proved. `limit`: wrong in a way that
   * docs/faults.md names (Watch.isLimit).
   */
  kind: 'wrong' | 'missing' | 'limit';
  /** Kind, state and reason, without what is particular to one history. */
  group: string;
  text: string;
  evidence: LiveEvidence;
}

/**
 * Plays a history and checks each verdict; returns what was false. `story` gets one sentence for each thing that happened
 * up to the first finding of the group `until`; `tally` counts.
 */
export function play(
  history: History,
  {
    judge = liveVerdicts,
    tally,
    story,
    until,
    judged,
  }: {
    judge?: Judge;
    tally?: Tally;
    story?: string[];
    until?: string;
    /** Called with each evidence and what was true while it was gathered. */
    judged?: (evidence: LiveEvidence, truths: ReadonlyMap<number, ReadonlySet<TrueState>>) => void;
  } = {},
): Finding[] {
  const findings: Finding[] = [];
  const world = new World(history.setup);
  story?.push(...openingOf(history));
  let looks = 0;
  let observation: Observation | null = null;
  let waiting = new Set<number>();
  let waitingSinceMs = 0;
  if (tally) tally.histories += 1;

  for (const event of history.events) {
    if (tally) tally.events += 1;
    const pause = PAUSES[event.pause]!;
    // An observation lasts seconds.
    const passed = observation ? Math.min(pause, 1 * SECOND) : pause;
    world.advance(passed);
    const happened = EVENTS[event.kind]!.happens(world, event.a, event.b);
    if (story && (happened !== null || passed > 0))
      story.push(`${stamp(world, passed)} ${happened ?? 'Time passes.'}`);
    observation?.worldChanged();

    for (let step = 0; step < event.looks; step += 1) {
      if (!observation) {
        const manner = history.manners[looks % history.manners.length]!;
        const again = manner.acts && world.clock.nowMs - waitingSinceMs >= 10 * SECOND;
        observation = new Observation(world, {
          probe: manner.probe,
          oneServer: manner.oneServer,
          seenBefore: again ? waiting : new Set(),
        });
        looks += 1;
        // A story tells the steps of its last observation only.
        story?.splice(0, story.length, ...story.filter((line) => !line.startsWith('  atomctl')));
      }
      const done = observation.step();
      story?.push(`  atomctl ${observation.lastStep}`);
      if (!done) continue;
      const {evidence, watch} = observation;
      const verdicts = judge(evidence!);
      judged?.(evidence!, watch!.truths);
      if (tally) tally.observations += 1;
      waiting = new Set();
      waitingSinceMs = world.clock.nowMs;
      for (const row of evidence!.rows) {
        const verdict = verdicts.get(row.id)!;
        if (verdict.needsTime) waiting.add(row.id);
        const {state, reason} = verdict;
        const truths = watch!.truths.get(row.id)!;
        tally?.claim(state, reason);
        const said = `atomctl says that job ${row.id} is ${state}: ${reason}`;
        if (state !== 'uncertain') {
          if (truths.has(state)) continue;
          const isLimit = watch!.isLimit(row.id, verdict, {row, evidence: evidence!});
          const kind = isLimit ? 'limit' : 'wrong';
          findings.push({
            kind,
            group: `${kind}: ${state}, truth ${[...truths].sort().join('/')}: ${patternOf(reason)}`,
            text: `${said} The truth: ${[...truths].join(' or ')}.`,
            evidence: evidence!,
          });
        } else {
          const expected = observation.atomic
            ? missingClaim(row, evidence!, truths, observation.options.probe)
            : null;
          if (!expected) continue;
          findings.push({
            kind: 'missing',
            group: `missing: ${expected}: ${patternOf(reason)}`,
            text: `${said} Expected: ${expected}.`,
            evidence: evidence!,
          });
        }
        if (findings.at(-1)!.group === until) return findings;
      }
      observation = null;
      // The rest of the steps would look at the same moment again.
      break;
    }
  }
  return findings;
}

/** The reason without numbers, addresses and names, so that like ones count together. */
export function patternOf(reason: string): string {
  return reason
    .replace(/\d{4}-\d\d-\d\d[T ][\d:.+-]+Z?/g, 'T')
    .replace(/127\.0\.0\.\d:4730(, 127\.0\.0\.\d:4730)*/g, 'SERVER')
    .replace(/\/srv\/[\w./#@-]+/g, 'NAME')
    .replace(/pid_\w+/g, 'pid_N')
    .replace(/\b\d[\d:]*[dhms]?\b/g, 'N');
}

export function stamp(world: World, passed: number): string {
  const time = new Date(world.clock.nowMs).toISOString().slice(5, 23).replace('T', ' ');
  return `${time}${passed >= SECOND ? ` (${passed / SECOND} s later)` : ''}`;
}

export function openingOf({setup}: History): string[] {
  const servers = setup.servers.map(
    ({here, onlyLoopback, durable, retryLimit}) =>
      `${here ? 'on this host' : 'on another host'}${onlyLoopback ? ', loopback only' : ''}${durable ? ', durable' : ''}${retryLimit ? `, --job-retries=${retryLimit}` : ''}`,
  );
  return [
    `AtoM ${setup.version}, ${setup.workers} worker(s), gearmand: ${servers.join('; ')}.`,
    `Zone ${setup.zoneObserved ? 'observed' : `not observed, off by ${setup.zoneQuarters * 15} minutes`}${setup.foldedHour ? ', the first hour occurs twice' : ''}; second site: ${setup.otherSite}; workers ${setup.workersElsewhere ? 'may run elsewhere' : 'run here'}${setup.statedHere ? ' (stated)' : ''}${setup.replica ? '; database is a replica' : ''}${setup.processesReadable ? '' : '; /proc cannot be read'}${setup.guessed ? '; atomctl knows neither root nor servers' : ''}.`,
  ];
}
