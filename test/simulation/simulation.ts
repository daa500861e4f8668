import fc from 'fast-check';
import {type History, histories} from './histories.ts';
import {type Finding, type Judge, play, Tally} from './play.ts';

export interface SimulationReport {
  seed: number;
  tally: Tally;
  /** Kinds of false verdicts: how many there were, and one history, shrunk. */
  findings: {finding: Finding; count: number; story: string[]; seed: number}[];
  seconds: number;
}

/** Histories of one seed; the next block has the next seed. */
export const BLOCK = 250;

/**
 * Plays histories of 40 to 60 events from a seed, until there are enough or the time is over. Then at most `stories` kinds
 * of false verdicts are shrunk by fast-check; a story has only the events that did something.
 */
export function simulate(options: {
  seed: number;
  histories: number;
  untilMs?: number;
  stories?: number;
  judge?: Judge;
}): SimulationReport {
  const {seed, untilMs = Number.POSITIVE_INFINITY, stories = 8, judge} = options;
  const began = Date.now();
  const tally = new Tally();
  const found = new Map<string, {finding: Finding; count: number; seed: number; runs: number}>();
  for (let block = 0; tally.histories < options.histories && Date.now() < untilMs; block += 1) {
    const at = {seed: seed + block, runs: Math.min(BLOCK, options.histories - tally.histories)};
    each(at, (history) => {
      for (const finding of play(history, {judge, tally})) {
        const group = found.get(finding.group);
        if (group) group.count += 1;
        else found.set(finding.group, {finding, count: 1, ...at});
      }
      return true;
    });
  }
  const seconds = (Date.now() - began) / 1000;
  const groups = [...found.values()].sort(
    (a, b) => b.finding.kind.localeCompare(a.finding.kind) || b.count - a.count,
  );
  const findings = groups.map((group, index) => ({
    ...group,
    ...(index < stories ? shrink(group, judge) : {story: []}),
  }));
  return {seed, tally, findings, seconds};
}

function each({seed, runs}: {seed: number; runs: number}, holds: (history: History) => boolean) {
  return fc.check(fc.property(histories(40, 60), holds), {seed, numRuns: runs});
}

/** The smallest history with a finding of the group, as a story. */
function shrink(
  {finding: {group}, seed, runs}: {finding: Finding; seed: number; runs: number},
  judge: Judge | undefined,
): {finding: Finding; story: string[]} {
  const shows = (history: History) =>
    play(history, {judge, until: group}).some((finding) => finding.group === group);
  const {counterexample} = each({seed, runs}, (history) => !shows(history));
  return storyOf(counterexample![0], group, judge);
}

/** Leaves out the events that the finding does not need, of which fast-check keeps forty. */
export function storyOf(history: History, group: string, judge?: Judge): {finding: Finding; story: string[]} {
  const shows = (shorter: History) =>
    play(shorter, {judge, until: group}).some((finding) => finding.group === group);
  let best = history;
  for (let again = true; again; ) {
    again = false;
    for (let index = best.events.length - 1; index >= 0; index -= 1) {
      const shorter = {...best, events: best.events.filter((_, at) => at !== index)};
      if (!shows(shorter)) continue;
      best = shorter;
      again = true;
    }
  }
  const story: string[] = [];
  return {
    finding: play(best, {judge, story, until: group}).find((finding) => finding.group === group)!,
    story,
  };
}

/** The figures and the stories, for people. */
export function summaryOf({seed, tally, findings, seconds}: SimulationReport): string {
  const list = (map: Map<string, number>) =>
    [...map].sort((a, b) => b[1] - a[1]).map(([name, count]) => `  ${String(count).padStart(8)}  ${name}`);
  const total = (kind: Finding['kind']) =>
    findings.filter(({finding}) => finding.kind === kind).reduce((sum, {count}) => sum + count, 0);
  return [
    `seed ${seed}: ${tally.histories} histories, ${tally.events} events, ${tally.observations} observations, ${seconds.toFixed(1)} s`,
    'states claimed:',
    ...list(tally.claims),
    'uncertain, by reason:',
    ...list(tally.uncertain),
    `wrong states: ${total('wrong')}`,
    `wrong within the limits that docs/faults.md names: ${total('limit')}`,
    `uncertain, although the state can be proved: ${total('missing')}`,
    ...findings.flatMap(({finding, count, story, seed: at}) => [
      '',
      `${count} x ${finding.group} (seed ${at})`,
      ...story.map((line) => `    ${line}`),
      `    ${finding.text}`,
      ...(process.env.SIMULATION_EVIDENCE && story.length > 0
        ? [JSON.stringify(finding.evidence, null, 1)]
        : []),
    ]),
  ].join('\n');
}
