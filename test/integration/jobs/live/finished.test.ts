import {writeFile} from 'node:fs/promises';
import {describe, expect, test} from 'vitest';
import {live, logOf} from '../../../support/live.ts';
import {useLiveRig} from '../../../support/live-rig.ts';
import {type SubmittedJob, submitBackground, submitJob, until} from '../../../support/sandbox.ts';
import type {JobWork, SubmitJob} from '../../../support/servers/submit-job.ts';
import {insertBegun} from '../../../support/site/queue-site.ts';

describe.each(['2.8.2', '2.6.4'])('AtoM %s', (version) => {
  const rig = useLiveRig({version});

  /** Runs a job to its end, and takes its end from its row. */
  async function unsave(job: SubmitJob & {work?: JobWork}): Promise<SubmittedJob> {
    const submitted = await submitJob(rig.site, job);
    await rig.start(`--abilities=${job.jobClass ?? 'arFindingAidJob'}`);
    await rig.logged(submitted, 'Job finished.');
    await until(async () => (await rig.at.server.jobs()).length === 0);
    await rig.site.query('UPDATE job SET status_id = 183, completed_at = NULL WHERE id = ?', [submitted.id]);
    return submitted;
  }

  test('the log says that it finished, the row was not saved, while its worker is idle (T12)', async () => {
    const {id} = await unsave({});
    const {states, reasons} = await live(rig.at);
    expect([states, reasons[id]]).toEqual([
      {[id]: 'finished'},
      'Its log says "Job finished."; only the row was not saved.',
    ]);
  });

  // Up to 2.6 the log does not tell an error from another line.
  if (version === '2.8.2') {
    test('after an error, which is what its row should say', async () => {
      const {id} = await unsave({work: {error: 'No such term.'}});
      const {states, reasons} = await live(rig.at);
      expect([states, reasons[id]]).toEqual([
        {[id]: 'finished'},
        'Its log says "Job finished." after an error; only the row was not saved.',
      ]);
    });
  }

  test('an export logs one more line after its end', async () => {
    const {id} = await unsave({jobClass: 'arInformationObjectCsvExportJob', name: 'CSV export'});
    if (version === '2.8.2')
      await until(async () => (await logOf(rig.site, id)).includes('Deleting temporary job directory'));
    expect((await live(rig.at)).states).toEqual({[id]: 'finished'});
  });

  test('is not claimed while it runs again', async () => {
    const {id, unique, payload} = await unsave({});
    await writeFile(`${rig.site.root}/sandbox/jobs/${id}.json`, '{"seconds":600}');
    await submitBackground(rig.gearmand.endpoint, rig.site.functionName('arFindingAidJob'), unique, payload);
    await until(async () => (await logOf(rig.site, id)).split('Job started.').length === 3);
    if (version === '2.8.2') await until(async () => (await logOf(rig.site, id)).endsWith('"}\n'));
    expect((await live(rig.at)).states).toEqual({[id]: 'executing'});
  });

  test('is not claimed for a line of another row in its log, or for a name that looks like one', async () => {
    const name = 'Report": Job finished.';
    const id = await insertBegun(rig.site, {
      name,
      messages: ['[info] Job 1 "arFindingAidJob": Job finished.'],
    });
    expect((await live(rig.at)).states[id]).toBe('lost');
  });

  test('is not claimed while a server does not answer', async () => {
    const {id} = await unsave({});
    await rig.gearmand.kill();
    const {states} = await live(rig.at);
    await rig.restartGearmand();
    expect(states).toEqual({[id]: 'finished?'});
  });
});
