/**
 * `npm run simulate -- --minutes N [--seed S] [--runs N] [--stories N] [--real] [--acts] [--queue]`: plays random histories for a time;
 * with `--real` on real servers and workers, with `--acts` those in which an operator kills, marks, clears and fixes, with
 * `--queue` those in which one saves, restores and holds the queue.
 */
import {parseArgs} from 'node:util';
import {simulate, summaryOf} from './simulation.ts';

const {values} = parseArgs({
  options: {
    minutes: {type: 'string', default: '1'},
    seed: {type: 'string'},
    runs: {type: 'string'},
    stories: {type: 'string', default: '8'},
    real: {type: 'boolean', default: false},
    acts: {type: 'boolean', default: false},
    queue: {type: 'boolean', default: false},
  },
});
const options = {
  seed: values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed),
  histories: values.runs === undefined ? Number.POSITIVE_INFINITY : Number(values.runs),
  untilMs: Date.now() + Number(values.minutes) * 60_000,
};

async function runReal() {
  const [{realSummaryOf, simulateReal}, {startMariadb}, {removeScratch}] = await Promise.all([
    import('./real-servers/real-simulation.ts'),
    import('../support/servers/mariadb.ts'),
    import('../support/scratch.ts'),
  ]);
  const mariadb = await startMariadb();
  try {
    if (values.acts) {
      const {realActSummaryOf, simulateRealActs} = await import('./real-servers/real-acts.ts');
      const acts = await simulateRealActs(mariadb, options);
      return {text: realActSummaryOf(acts), kinds: acts.findings.map(() => 'harm')};
    }
    const report = await simulateReal(mariadb, options);
    return {text: realSummaryOf(report), kinds: report.findings.map(({kind}) => kind)};
  } finally {
    await mariadb.kill();
    removeScratch();
  }
}

async function runActs() {
  const {actSummaryOf, queueHistories, simulateActs} = await import('./acts/simulate-acts.ts');
  const drawn = values.queue ? queueHistories : undefined;
  const report = simulateActs({...options, drawn, stories: Number(values.stories)});
  return {
    text: actSummaryOf(report),
    kinds: report.findings.map(({harm}) => (harm.limit === null ? 'harm' : 'limit')),
  };
}

function runModel() {
  const report = simulate({...options, stories: Number(values.stories)});
  return {text: summaryOf(report), kinds: report.findings.map(({finding}) => finding.kind)};
}

const {text, kinds} = values.real
  ? await runReal()
  : values.acts || values.queue
    ? await runActs()
    : runModel();
process.stdout.write(`${text}\n`);
process.exitCode = kinds.some((kind) => kind !== 'limit') ? 1 : 0;
