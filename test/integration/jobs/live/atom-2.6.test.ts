import {describe, expect, test} from 'vitest';
import {later, live, logOf, realHost} from '../../../support/live.ts';
import {useLiveRig} from '../../../support/live-rig.ts';
import {submitJob, until} from '../../../support/sandbox.ts';
import {insertBegun, insertLost} from '../../../support/site/queue-site.ts';

/** Up to 2.6 no parameters are logged, so there is no key. */
describe('AtoM 2.6', () => {
  const rig = useLiveRig({version: '2.6.4'});

  async function execute(jobClass = 'arFindingAidJob') {
    const job = await submitJob(rig.site, {jobClass, work: {seconds: 600}});
    const worker = await rig.start(`--abilities=${jobClass}`);
    await rig.logged(job, 'Job started.');
    expect(await logOf(rig.site, job.id)).not.toContain('Parameters');
    return {...job, worker};
  }

  test('executing by count, and no more if another begun row may be the one', async () => {
    const {id} = await execute();
    const {states, reasons} = await live(rig.at);
    expect([states, reasons[id]]).toEqual([
      {[id]: 'executing'},
      'A worker has one job of its class, and it can only be this one.',
    ]);
    const begun = await insertBegun(rig.site);
    const both = await live(rig.at);
    expect([both.states, both.reasons[id]]).toEqual([
      {[id]: 'executing?', [begun]: 'executing?'},
      'It may be the job in its queue, but its log shows no parameters, so atomctl cannot ask a server for its key.',
    ]);
  });

  test('not executing by count if a job of its class has just ended: Gearman may not know it yet', async () => {
    const {id} = await execute();
    const now = /\d{4}-\d\d-\d\d [\d:]{8}/.exec(await logOf(rig.site, id))![0];
    const ended = await insertBegun(rig.site, {messages: ['Job finished.']});
    const end = (seconds: number) =>
      rig.site.query(
        'UPDATE job SET status_id = 184, completed_at = TIMESTAMPADD(SECOND, ?, ?) WHERE id = ?',
        [seconds, now, ended],
      );
    // Quarters of an hour may be an error of the zone.
    for (const [seconds, state] of [
      [0, 'executing?'],
      [-4500, 'executing?'],
      [-600, 'executing'],
    ] as const) {
      await end(seconds);
      expect([seconds, (await live(rig.at)).states]).toEqual([seconds, {[id]: state}]);
    }
  });

  test('queued by its payload, also if it began before', async () => {
    const {id, worker} = await execute();
    await worker.kill();
    await until(async () => (await rig.at.server.status()).every(({running}) => running === 0));
    const waiting = await submitJob(rig.site);
    expect((await live(rig.at)).states).toEqual({[id]: 'queued?', [waiting.id]: 'queued?'});
    const {states, reasons} = await live(rig.at, {probe: true});
    expect(states).toEqual({[id]: 'queued', [waiting.id]: 'queued'});
    expect(reasons[id]).toMatch(
      /^Its payload was seen waiting, begun at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: it will run again from its start\.$/,
    );
  });

  test('gearmand is restarted while a worker executes it: likely executing (T2, T3), lost without a process', async () => {
    const {id, worker} = await execute('arFileImportJob');
    const host = realHost(rig.site);
    await until(async () => (await host.processes()).imports.length > 0);
    await rig.restartGearmand();
    const options = {host, now: later(60)};
    expect((await live(rig.at, options)).states).toEqual({[id]: 'executing?'});
    await worker.kill();
    const {states, reasons} = await live(rig.at, options);
    expect([states, reasons[id]]).toEqual([
      {[id]: 'executing?'},
      expect.stringMatching(/^Process \d+ imports a file and may be running it\.$/),
    ]);
    worker.killGroup();
    await until(async () => (await host.processes()).imports.length === 0);
    expect((await live(rig.at, options)).states).toEqual({[id]: 'lost'});
  });

  test('never begun and in no queue: lost', async () => {
    const never = await insertLost(rig.site);
    expect((await live(rig.at)).states).toEqual({[never]: 'lost'});
  });
});
