import {expect, test} from 'vitest';
import {
  interruptionQuestion,
  logEntryDocument,
  renderJournalEntry,
  renderWorkerStatus,
} from '../../../src/render/worker.ts';
import type {WorkerStatus} from '../../../src/worker/status.ts';

const SCREEN = {isTTY: false, width: Number.POSITIVE_INFINITY, color: false};
const NOW = new Date('2026-11-23T12:00:00Z');

const STATUS: WorkerStatus = {
  status: 'critical',
  problems: ['atom-worker.service is failed.\u001b[2J It ended.'],
  units: [
    {
      unit: 'atom-worker.service',
      load: 'loaded',
      active: 'active',
      sub: 'running',
      enabled: true,
      enablement: 'enabled',
      since: '2026-11-23T10:30:00.000Z',
      mainPid: 485,
      memoryBytes: 52_428_800,
      restarts: 1,
      startLimit: {burst: 3, intervalSeconds: 86_400, startsUsed: 2, hit: false, secondsLeft: null},
      result: 'success',
      exitStatus: 111,
      ending: "it ended with exit status 111: the worker's own limit was reached",
      servers: [
        {
          server: '127.0.0.1:4730',
          error: null,
          abilities: ['arFindingAidJob'],
          missing: ['arObjectMoveJob'],
          strangePrefixes: [],
        },
        {
          server: '127.0.0.1:4731',
          error: 'It did not answer.',
          abilities: [],
          missing: [],
          strangePrefixes: [],
        },
      ],
      problems: [],
    },
  ],
  unmanaged: [{id: 'pid_7_67', pid: 7, ip: '172.18.0.4', abilities: ['a', 'b'], servers: ['127.0.0.1:4730']}],
  executing: [{id: 500, name: 'arFindingAidJob', unit: 'atom-worker.service'}],
  servers: [],
};

test('the status has verdict, problems, units and workers without a unit, and no control characters', async () => {
  expect(await renderWorkerStatus(STATUS, SCREEN, NOW)).toBe(`Status: critical
  atom-worker.service is failed.\\x1b[2J It ended.

atom-worker.service
  State     active (running) for 1h 30m
  At boot   enabled
  Process   485, 50 MiB
  Starts    at most 2 of 3 in 1d used, restarted by systemd 1 time
  Last end  it ended with exit status 111: the worker's own limit was reached
  Gearman   127.0.0.1:4730: 1 ability, 1 missing
  Gearman   127.0.0.1:4731: did not answer
  Executing job 500 (arFindingAidJob)

Connected, but without a unit on this machine (in a container, on a terminal or on another machine):
WORKER    PID  HOST        SERVERS         ABILITIES
pid_7_67    7  172.18.0.4  127.0.0.1:4730          2
`);
});

test('the question before a worker is stopped in the middle of a job names the job', () => {
  const jobs = [{id: 500, name: 'arFileImportJob\u001b[2J', unit: null}];
  expect(interruptionQuestion({verb: 'restart', units: ['a.service'], jobs, unnamed: 0})).toBe(
    'Job 500 (arFileImportJob\\x1b[2J) is executing. Gearman will hand it out again, from the start, to the next worker.\n' +
      'Restart a.service anyway? (y/N)',
  );
  expect(interruptionQuestion({verb: 'stop', units: ['a.service'], jobs, unnamed: 2})).toMatch(
    /^Job 500 .*, 2 more jobs of this site are executing\. Gearman will hand them out/,
  );
  expect(interruptionQuestion({verb: 'stop', units: ['a.service'], jobs: [], unnamed: 1})).toMatch(
    /^1 job of this site is executing\./,
  );
});

test("a line of the journal has the site's wall clock", async () => {
  const {createSiteTime} = await import('../../../src/atom/site-time.ts');
  const time = createSiteTime('America/Vancouver', process.env);
  const entry = {at: NOW, unit: 'a.service', pid: 7, message: 'New\nability\u001b]0;x', messageId: null};
  expect(renderJournalEntry(entry, time, false)).toBe('2026-11-23 04:00:00 [7] New ability\\x1b]0;x\n');
  expect(renderJournalEntry(entry, time, true)).toContain(' a.service [7] ');
  expect(logEntryDocument(entry, time)).toEqual({
    at: '2026-11-23T04:00:00-08:00',
    unit: 'a.service',
    pid: 7,
    message: 'New\nability\u001b]0;x',
  });
});
