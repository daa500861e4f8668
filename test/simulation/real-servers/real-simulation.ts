import fc from 'fast-check';
import type {MariadbConnection} from '../../support/servers/mariadb.ts';
import {histories} from '../histories.ts';
import {Tally} from '../play.ts';
import {type Judged, playReal, type RealFinding, type RealTally} from './play-real.ts';

export interface RealReport {
  seed: number;
  tally: RealTally;
  findings: (RealFinding & {seed: number})[];
  seconds: number;
}

/** Most of the time is spent on waiting for processes. */
const AT_ONCE = 3;

/** Plays histories on real parts, each from the seed after the last one's, until there are enough or the time is over. */
export async function simulateReal(
  mariadb: MariadbConnection,
  options: {seed: number; histories: number; untilMs?: number; judged?: Judged},
): Promise<RealReport> {
  const {seed, untilMs = Number.POSITIVE_INFINITY} = options;
  const began = Date.now();
  const tally: RealTally = Object.assign(new Tally(), {notPlayed: new Map<string, number>()});
  const findings: RealReport['findings'] = [];
  let next = 0;
  const playNext = async () => {
    while (next < options.histories && Date.now() < untilMs) {
      const of = seed + next++;
      // The first history of the simulation with this seed.
      const [history] = fc.sample(histories(40, 60), {seed: of, numRuns: 1});
      for (const finding of await playReal(history!, mariadb, {tally, judged: options.judged}))
        findings.push({...finding, seed: of});
    }
  };
  await Promise.all(Array.from({length: AT_ONCE}, playNext));
  return {seed, tally, findings, seconds: (Date.now() - began) / 1000};
}

/** The figures and the stories, for people. */
export function realSummaryOf({seed, tally, findings, seconds}: RealReport): string {
  const list = (map: Map<string, number>) =>
    [...map].sort((a, b) => b[1] - a[1]).map(([name, count]) => `  ${String(count).padStart(8)}  ${name}`);
  const total = (kind: RealFinding['kind']) => findings.filter((finding) => finding.kind === kind).length;
  return [
    `seed ${seed}: ${tally.histories} histories on real servers, ${tally.events} events, ${tally.observations} observations, ${seconds.toFixed(1)} s`,
    'not played, by kind:',
    ...list(tally.notPlayed),
    'states claimed:',
    ...list(tally.claims),
    'uncertain, by reason:',
    ...list(tally.uncertain),
    `wrong states: ${total('wrong')}`,
    `wrong by count, beside a job without its own row or one that was submitted twice: ${total('limit')}`,
    `the real parts did something else than the model: ${total('disagreement')}`,
    ...findings.flatMap(({kind, text, story, seed: at, evidence}) => [
      '',
      `${kind} (seed ${at})`,
      ...story.map((line) => `    ${line}`),
      `    ${text}`,
      ...(process.env.SIMULATION_EVIDENCE ? [JSON.stringify(evidence, null, 1)] : []),
    ]),
  ].join('\n');
}
