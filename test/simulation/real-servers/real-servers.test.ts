import {afterAll, beforeAll, expect, it} from 'vitest';
import {type MariadbProcess, startMariadb} from '../../support/servers/mariadb.ts';
import {realSummaryOf, simulateReal} from './real-simulation.ts';

/** The same at each run; `npm run simulate -- --real` takes new ones. */
const SEED = Number(process.env.SIMULATION_SEED ?? 20_261_126);
const HISTORIES = 6;

let mariadb: MariadbProcess;

beforeAll(async () => {
  mariadb = await startMariadb();
}, 60_000);

afterAll(() => mariadb.kill());

it(`claims no wrong state of real jobs, and real servers do what the model does (seed ${SEED})`, async () => {
  const wrongIfAbsenceProved = new Set<string>();
  const report = await simulateReal(mariadb, {
    seed: SEED,
    histories: HISTORIES,
    // The same evidence, for a judge that takes a key that no server knows as proof.
    judged: ({rows}, truthOf) => {
      for (const {id, known} of rows)
        if (!known && !truthOf(id).has('lost')) wrongIfAbsenceProved.add('lost');
    },
  });
  if (report.findings.some(({kind}) => kind !== 'limit')) expect.fail(realSummaryOf(report));
  const {tally} = report;
  expect(tally.histories).toBe(HISTORIES);
  expect(tally.events).toBeGreaterThanOrEqual(HISTORIES * 40);
  expect(tally.observations).toBeGreaterThan(HISTORIES * 10);
  expect([...tally.claims.keys()]).toEqual(expect.arrayContaining(['executing', 'queued', 'uncertain']));
  expect([...wrongIfAbsenceProved]).toEqual(['lost']);
});
