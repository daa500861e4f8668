import {expect, inject, test} from 'vitest';
import {playCrashPoints} from './play.ts';
import {FAULTS} from './strike.ts';
import {summaryOf} from './summary.ts';

/** Another part of the table in each run; `npm run crash-points` plays the whole. */
const SEED = Number(process.env.CRASH_POINTS_SEED ?? Date.now() % 1000);
/** About a minute on two free cores. */
const EVERY = 40;

test(`a fault at a step of kill, mark, clear and doctor --fix: killed jobs never run, others stay in their order, a second run completes the rest (CRASH_POINTS_SEED=${SEED})`, {
  timeout: 600_000,
}, async () => {
  const report = await playCrashPoints(inject('mariadb'), {every: EVERY, seed: SEED});
  const summary = summaryOf(report);
  process.stdout.write(`${summary}\n`);
  const played = report.tables.flatMap((table) => table.played);
  expect(played.filter(({broken}) => broken.length > 0).length, summary).toBe(0);
  expect(played.length).toBeGreaterThan(100);
  expect(new Set(played.map(({point}) => point.fault))).toEqual(new Set(FAULTS));
});
