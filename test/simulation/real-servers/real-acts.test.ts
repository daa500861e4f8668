import {afterAll, beforeAll, expect, it} from 'vitest';
import {type MariadbProcess, startMariadb} from '../../support/servers/mariadb.ts';
import {realActSummaryOf, simulateRealActs} from './real-acts.ts';

/** The same at each run; `npm run simulate -- --acts --real` takes new ones. */
const SEED = Number(process.env.SIMULATION_SEED ?? 20_261_126);
const HISTORIES = 3;

let mariadb: MariadbProcess;

beforeAll(async () => {
  mariadb = await startMariadb();
}, 60_000);

afterAll(() => mariadb.kill());

it(`harms no real job that was not named (seed ${SEED})`, async () => {
  const report = await simulateRealActs(mariadb, {seed: SEED, histories: HISTORIES});
  if (report.findings.length > 0) expect.fail(realActSummaryOf(report));
  expect(report.histories).toBe(HISTORIES);
  const acts = [...report.acts.values()].reduce((sum, count) => sum + count, 0);
  expect(acts).toBeGreaterThanOrEqual(HISTORIES * 2);
});
