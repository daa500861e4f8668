import {expect, it} from 'vitest';
import {simulate, summaryOf} from './simulation.ts';

const seed = Number(process.env.SIMULATION_SEED ?? Date.now() % 1_000_000_000);
const HISTORIES = 5000;

it(`claims no wrong state, and every state that can be proved, in ${HISTORIES} histories (seed ${seed})`, {
  timeout: 600_000,
}, () => {
  const report = simulate({seed, histories: HISTORIES});
  console.log(summaryOf(report));
  expect(report.tally.histories).toBe(HISTORIES);
  expect(report.tally.events).toBeGreaterThanOrEqual(HISTORIES * 40);
  for (const state of ['executing', 'queued', 'finished', 'lost', 'uncertain']) {
    expect(report.tally.claims.get(state), state).toBeGreaterThan(100);
  }
  expect(
    report.findings.map(({finding}) => finding.group),
    'what was claimed wrongly, or not claimed',
  ).toEqual([]);
});
