import {expect, test} from 'vitest';
import {createSiteTime} from '../../../src/atom/site-time.ts';
import type {ShownWorker} from '../../../src/jobs/live/busy-workers.ts';
import {renderReport, renderReportSummary} from '../../../src/render/report.ts';

test('the table of workers has the number of their abilities, and the names are below it', async () => {
  const abilities = Array.from({length: 24}, (_, at) => `arJobOfClassNumber${at}`);
  const worker = (id: string): ShownWorker => ({
    ...{id, pid: 4711, ip: '127.0.0.1', prefix: null, thisSite: true, abilities},
    ...{servers: ['127.0.0.1:4730'], executes: null, mayExecute: []},
  });
  const none = {missing: 'Not asked.'};
  const rest = {versions: none, config: none, queue: none, doctor: none, jobs: none, journal: none};
  const {text} = await renderReport(
    {...rest, workers: {value: [worker('pid_4711_a'), worker('pid_4711_b')]}},
    {
      time: createSiteTime('UTC', process.env),
      now: new Date(0),
      kept: [],
      redactor: {redact: (whole) => whole},
    },
  );
  expect(text).toMatch(/^ *4711 +127\.0\.0\.1 +24 functions +pid_4711_a$/m);
  expect(text).toContain('\nAbilities of pid_4711_a, pid_4711_b: arJobOfClassNumber0 ');
  expect(text).toContain('arJobOfClassNumber23\n');
  expect(text.split('\n').filter((line) => line.includes('arJob') && line.length > 100)).toEqual([]);
});

test('the list of the parts says why one is missing, and leaves what to do to the file', () => {
  const missing = 'The journal of a.service cannot be read. Run atomctl as root.';
  const replaced = {secrets: 0} as never;
  const sections = [{name: 'journal' as const, lines: 0, missing}];
  expect(renderReportSummary({sections, replaced}, 'Written.', [])).toContain(
    '\n  journal   not available: The journal of a.service cannot be read.\n',
  );
});
