/** `npm run simulate -- --minutes N [--seed S] [--runs N] [--stories N]`: plays random histories for a time. */
import {parseArgs} from 'node:util';
import {simulate, summaryOf} from './simulation.ts';

const {values} = parseArgs({
  options: {
    minutes: {type: 'string', default: '1'},
    seed: {type: 'string'},
    runs: {type: 'string'},
    stories: {type: 'string', default: '8'},
  },
});
const seed = values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed);
const report = simulate({
  seed,
  histories: values.runs === undefined ? Number.POSITIVE_INFINITY : Number(values.runs),
  untilMs: Date.now() + Number(values.minutes) * 60_000,
  stories: Number(values.stories),
});
process.stdout.write(`${summaryOf(report)}\n`);
process.exitCode = report.findings.some(({finding}) => finding.kind !== 'limit') ? 1 : 0;
