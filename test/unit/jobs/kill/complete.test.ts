import {expect, it} from 'vitest';
import {complete, killedReport, settle} from '../../../../src/jobs/kill/complete.ts';
import {noteGoingOn} from '../../../../src/jobs/kill/progress.ts';
import type {KillOptions, KillPlan, Target} from '../../../../src/jobs/kill/target.ts';

/** A forced kill of an executing job whose server knows it no more when it is asked again. */
function forcedKill(presence: {known: boolean; running: boolean}) {
  const server = {
    statusOfUniqueKeys: async () => [presence],
    handleOf: async () => 'H:1',
    cancel: async () => true,
    statusOfHandles: async () => [presence],
  };
  const job = {id: 7, status: 'running'};
  const target = {
    job,
    was: 'executing',
    now: 'executing',
    logLength: 0,
    refused: null,
    inQueues: new Map(),
    unchecked: new Map(),
    row: null,
  };
  const found = new Map([[7, [{server, queue: 'f 127.0.0.1:4730', function: 'f', unique: 'k'}]]]);
  const evidence = {queues: [{queue: 'f 127.0.0.1:4730', owner: 'site'}], servers: []};
  const options = {
    ids: [7],
    force: true,
    deleteRows: false,
    signal: new AbortController().signal,
    database: {transaction: async () => [{outcome: 'done'}]},
    time: {toWall: () => '2026-11-26 10:00:00'},
    now: () => new Date(0),
  };
  const plan = {targets: new Map([[7, target]]), report: {found, evidence}, workers: null, problems: []};
  return complete(options as unknown as KillOptions, plan as unknown as KillPlan);
}

it('says of a forced kill what may go on if the server was restarted and knows the job no more', async () => {
  const {killed} = await forcedKill({known: false, running: false});
  expect(killed).toMatchObject([{action: 'marked', gearman: 'remains'}]);
  expect(killed[0]!.message).toMatch(/a worker may still run it/);
});

it.each([
  ['had begun', 'queued', 120, /may change the row back/],
  ['never began', 'queued', 0, /Its Gearman job is removed\.$/],
  ['was executing until its worker stopped', 'executing', 120, /Its Gearman job is removed\.$/],
])('says of a job that waited and %s what may go on', (_what, was, logLength, message) => {
  const target = {
    job: {id: 7, status: 'running'},
    was,
    logLength,
    row: {outcome: 'done'},
  } as unknown as Target;
  expect(killedReport(target, 'removed', {deleteRows: false}).message).toMatch(message);
});

it('says of a forced kill that the worker goes on, if the job executes although the server has it as waiting', async () => {
  const {killed} = await forcedKill({known: true, running: false});
  expect(killed).toMatchObject([{action: 'marked', gearman: 'cancelled'}]);
});

it('leaves the row of a job that is out of Gearman and that a process goes on with after its worker was stopped', () => {
  const target = {
    ...{job: {id: 7, status: 'running'}, was: 'executing', now: 'executing', refused: null},
    inQueues: new Map([['f 127.0.0.1:4730', 'removed']]),
    unchecked: new Map(),
  } as unknown as Target;
  const plan = {report: {found: new Map(), evidence: {queues: []}}, problems: []} as unknown as KillPlan;
  const options = {force: false, signal: new AbortController().signal} as KillOptions;
  expect(settle(options, plan, target)).toBe('removed');
  noteGoingOn(target);
  expect(settle(options, plan, target)).toMatchObject({
    action: 'failed',
    gearman: 'cancelled',
    message: expect.stringMatching(/still executing: its worker did not stop/),
  });
});

it('says of a forced kill that the worker goes on, if the server has the job', async () => {
  const {killed} = await forcedKill({known: true, running: true});
  expect(killed).toMatchObject([{action: 'marked', gearman: 'cancelled'}]);
});
