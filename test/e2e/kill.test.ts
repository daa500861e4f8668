import {hostname, userInfo} from 'node:os';
import {stripVTControlCharacters} from 'node:util';
import {describe, expect, test} from 'vitest';
import {freePort, runAtomctl, runOnTerminal, until} from '../support/sandbox.ts';
import {executeJob, handedOut, insertBegun, insertLost, submitJobs} from '../support/site/queue-site.ts';
import {useQueueSite} from '../support/site/use-queue-site.ts';
import {everyTable, insertAllKinds} from '../support/site/whole-site.ts';

const {at, workers} = await useQueueSite();

const kill = (...args: (string | number)[]) =>
  runAtomctl(['jobs:kill', ...args.map(String)], {env: {...at.site.env, SUDO_USER: ''}});

const onTerminal = (input: string, ...args: (string | number)[]) =>
  runOnTerminal(['jobs:kill', ...args.map(String)], {env: at.site.env, input, columns: 300});

const submit = (count: number) => submitJobs(at, count);

test('one of five queued jobs: JSON, note, and the order of the others', async () => {
  const ids = await submit(5);
  const third = ids[2]!;
  const {code, stdout, stderr} = await kill(third, '--yes', '--json', '--reason', 'submitted twice');
  expect([code, stderr]).toEqual([0, '']);
  expect(JSON.parse(stdout)).toEqual({
    killed: [
      {
        id: third,
        was: 'queued',
        action: 'marked',
        gearman: 'removed',
        message: `Job ${third} is marked as an error. Its Gearman job is removed.`,
      },
    ],
    workerRestarted: false,
    interrupted: [],
  });
  const shown = JSON.parse(
    (await runAtomctl(['jobs:show', String(third), '--json'], {env: at.site.env})).stdout,
  );
  expect(shown).toMatchObject({status: 'error', live: null, finishedAt: expect.any(String)});
  expect(shown.notes).toEqual([
    {
      text: expect.stringMatching(
        new RegExp(
          `^Killed with atomctl by ${userInfo().username}@${hostname()} on [\\d-]+ [\\d:]+, while it was queued\\. Reason: submitted twice$`,
        ),
      ),
      error: true,
    },
  ]);
  expect(await handedOut(at.site)).toEqual(ids.filter((id) => id !== third));
});

test('refused, missing and killed jobs together: each is reported, and the exit status is 1', async () => {
  const {id: executing, worker} = await executeJob(at.site);
  workers.push(worker);
  const lost = await insertLost(at.site);
  const {completed} = await insertAllKinds(at.site);

  const refused = await kill(executing, '-y');
  expect([refused.code, refused.stdout]).toEqual([
    5,
    expect.stringMatching(/^\d+: refused \(was executing\)\. Job \d+ is executing, and .* its worker/),
  ]);
  const ended = await kill(completed, '-y', '--json');
  expect([ended.code, JSON.parse(ended.stdout).killed[0]]).toMatchObject([
    5,
    {was: 'ended', action: 'refused', gearman: 'none'},
  ]);

  const missing = await kill(999_999, '--yes', '--json');
  expect([missing.code, JSON.parse(missing.stdout).error.code]).toEqual([4, 'NO_SUCH_JOB']);

  const several = await kill(lost, 999_999, executing, '-B', '--json');
  expect(several.code).toBe(1);
  const {killed} = JSON.parse(several.stdout) as {killed: {id: number; was: string | null; action: string}[]};
  expect(killed.map(({id, was, action}) => [id, was, action])).toEqual([
    [lost, 'lost', 'marked'],
    [999_999, null, 'refused'],
    [executing, 'executing', 'refused'],
  ]);
});

test('--force cancels the executing job and says what remains; --delete removes the whole row and no other', async () => {
  await insertAllKinds(at.site);
  const before = await everyTable(at.site);
  const {id, worker} = await executeJob(at.site);
  workers.push(worker);
  const forced = await kill(id, '--yes', '--force', '--json');
  expect([forced.code, JSON.parse(forced.stdout).killed[0]]).toMatchObject([
    0,
    {
      was: 'executing',
      action: 'marked',
      gearman: 'cancelled',
      message: expect.stringContaining('may change the row back'),
    },
  ]);
  await worker.kill();
  const gone = await kill(id, '--yes', '--delete');
  expect([gone.code, gone.stdout]).toEqual([0, `${id}: deleted (was ended). Job ${id} is deleted.\n`]);
  expect(await everyTable(at.site)).toEqual(before);
});

test.each([
  ['its key is known', '"objectId":512', 'cancelled', 'Gearman will not hand the job out again'],
  [
    'its key is not known (T5)',
    '"objectId":512,"scale":2',
    'remains',
    'Its key in Gearman is not known, so it cannot be cancelled there',
  ],
])(
  'K11: --force of an executing job, %s: --dry-run promises no more than is done',
  async (_what, parameters, gearman, message) => {
    const {id, worker} = await executeJob(at.site);
    workers.push(worker);
    await at.site.query(`UPDATE job SET output = REPLACE(output, '"objectId":512', ?) WHERE id = ?`, [
      parameters,
      id,
    ]);
    const goesOn = {was: 'executing', action: 'marked', gearman};
    const planned = JSON.parse((await kill(id, '--force', '--dry-run', '--json')).stdout).killed[0];
    expect(planned).toMatchObject({
      ...goesOn,
      message: expect.stringContaining('continues until the job ends and may change the row back'),
    });
    const done = JSON.parse((await kill(id, '--force', '--yes', '--json')).stdout).killed[0];
    expect(done).toMatchObject({...goesOn, message: expect.stringContaining(message)});
    expect(done.message).toContain('change the row back');
    await worker.kill();
    await until(async () => (await at.server.status()).every(({running}) => running === 0));
    // Where Gearman has it again, the message names the command that takes it out before another worker begins it.
    if (gearman === 'remains') {
      const command = `Then remove it from Gearman: atomctl jobs:kill ${id} --force. Then start a worker again`;
      expect(done.message).toContain(command);
      expect((await kill(id, '--force', '--yes')).code).toBe(0);
    }
    expect(await handedOut(at.site)).toEqual([]);
  },
);

describe('--all-matching', () => {
  test('takes only filters, no ids, and selects running jobs', async () => {
    const lost = [await insertLost(at.site), await insertLost(at.site)];
    const [queued] = await submit(1);
    const ended = await at.site.insertJob({name: 'arFindingAidJob', status: 'error'});
    const wrong = [
      ['--all-matching'],
      ['--all-matching', '--running', String(queued)],
      ['--name', 'ar*'],
      [],
      [String(queued), '--running'],
    ];
    for (const args of wrong) expect([args, (await kill(...args, '--yes')).code]).toEqual([args, 2]);

    const none = await kill('--all-matching', '--name', 'nothing', '--yes', '--json');
    expect([none.code, JSON.parse(none.stdout)]).toEqual([
      0,
      {killed: [], workerRestarted: false, interrupted: []},
    ]);
    const planned = await kill('--all-matching', '--name', 'nothing', '--dry-run');
    expect([planned.code, planned.stdout]).toEqual([0, 'No job matches.\n']);
    // One of three never began: only the payloads show which, so they are probed.
    const {code, stdout} = await kill('--all-matching', '--name', 'arFinding*', '--yes', '--json');
    const {killed} = JSON.parse(stdout) as {killed: {id: number; was: string}[]};
    expect([code, killed.map(({id, was}) => [id, was])]).toEqual([
      0,
      [
        [lost[0], 'lost'],
        [lost[1], 'lost'],
        [queued, 'queued'],
      ],
    ]);
    expect(await at.site.query('SELECT id FROM note WHERE object_id = ?', [ended])).toEqual([]);
  });
});

describe('the question', () => {
  test('without a terminal is a usage error that changes nothing', async () => {
    const [id] = await submit(1);
    const before = await everyTable(at.site);
    const {code, stdout, stderr} = await kill(id!);
    expect([code, stdout, stderr]).toEqual([
      2,
      '',
      expect.stringMatching(/^Error: Confirmation required, but stdin or stdout is not a terminal\. .*--yes/),
    ]);
    const json = await kill(id!, '--json');
    expect([json.code, JSON.parse(json.stdout).error.code]).toEqual([2, 'NEEDS_CONFIRMATION']);
    expect([await everyTable(at.site), await handedOut(at.site)]).toEqual([before, [id]]);
  });

  test('shows the jobs; n is exit 5 and changes nothing, y kills', async () => {
    const [id] = await submit(1);
    const before = await everyTable(at.site);
    const no = await onTerminal('n\n', id!);
    expect([no.code, no.screen]).toEqual([
      5,
      expect.stringMatching(new RegExp(`kill job ${id}\\? \\(y/N\\)`)),
    ]);
    expect(no.screen).toMatch(
      /\(arFindingAidJob, queued\?\): .*to kill.*or is lost, its row will be marked.*\n.*atomctl will read the waiting jobs/,
    );
    expect([await everyTable(at.site), (await at.server.jobs()).length]).toEqual([before, 1]);
    const yes = await onTerminal('y\n', id!);
    expect([yes.code, yes.screen]).toEqual([0, expect.stringContaining('marked')]);
    expect(await handedOut(at.site)).toEqual([]);
  });
});

test('Gearman is down: the job is not proved lost, so the kill is refused with the reason', async () => {
  const lost = await insertLost(at.site);
  const gearman = `127.0.0.1:${await freePort()}`;
  const {code, stdout} = await kill(lost, '--yes', '--json', '--gearman', gearman);
  expect(code).toBe(5);
  expect(JSON.parse(stdout).killed[0]).toMatchObject({
    was: 'uncertain',
    action: 'refused',
    gearman: 'remains',
    message: expect.stringContaining(`${gearman} cannot be reached`),
  });

  const planned = await onTerminal('n\n', lost, '--force', '--gearman', gearman);
  expect(planned.screen).toContain('marked as an error; Gearman may still have the job and hand it out');
  expect(planned.screen).not.toContain('read the waiting jobs');
  const forced = JSON.parse(
    (await kill(lost, '--force', '--dry-run', '--json', '--gearman', gearman)).stdout,
  );
  expect(forced.killed[0]).toMatchObject({action: 'marked', gearman: 'remains'});
  const matching = await kill('--all-matching', '--live', 'lost', '--yes', '--gearman', gearman);
  expect([matching.code, matching.stdout, matching.stderr]).toEqual([
    3,
    '',
    expect.stringMatching(/1 running job is uncertain and left out.*\n.*cannot be reached/s),
  ]);
});

test('K10: --dry-run says what would be done to each job, and changes nothing', async () => {
  const {id: executing, worker} = await executeJob(at.site);
  workers.push(worker);
  const lost = await insertLost(at.site);
  const [queued] = await submitJobs(at, 1, 'arGenerateReportJob');
  const before = await everyTable(at.site);
  const {code, stdout} = await kill(executing, lost, queued!, 999_999, '--dry-run', '--json');
  expect([code, JSON.parse(stdout)]).toMatchObject([
    1,
    {
      killed: [
        {id: executing, was: 'executing', action: 'refused', gearman: 'remains'},
        {id: lost, was: 'lost', action: 'marked', gearman: 'none'},
        {id: queued, was: 'uncertain', action: 'marked', gearman: 'removed'},
        {id: 999_999, was: null, action: 'refused', gearman: 'none'},
      ],
      dryRun: true,
    },
  ]);
  expect([await everyTable(at.site), (await at.server.jobs()).map(({retries}) => retries)]).toEqual([
    before,
    [0, 0],
  ]);
  expect(await handedOut(at.site, 'arGenerateReportJob')).toEqual([queued]);

  const refused = await onTerminal('', executing);
  expect([refused.code, refused.screen]).toEqual([5, expect.stringContaining('is executing, and')]);
  expect(refused.screen).not.toContain('(y/N)');
});

test('jobs:mark: JSON, exit statuses, the note; refused without a question', async () => {
  const mark = (...args: (string | number)[]) =>
    runAtomctl(['jobs:mark', ...args.map(String)], {env: {...at.site.env, SUDO_USER: ''}});
  const lost = await insertLost(at.site);
  const ended = await at.site.insertJob({name: 'arFindingAidJob', status: 'error'});
  expect((await mark(lost, '--yes')).code).toBe(2);
  expect((await mark(lost, '--as', 'done', '--yes')).code).toBe(2);
  expect((await mark(lost, '--as', 'error')).code).toBe(2);
  expect((await mark(999_999, '--as', 'error', '--yes')).code).toBe(4);
  const before = await everyTable(at.site);
  const planned = await mark(lost, ended, 999_999, '--as', 'error', '--dry-run', '--json');
  expect([planned.code, JSON.parse(planned.stdout)]).toMatchObject([
    1,
    {
      marked: [
        {id: lost, was: 'lost', action: 'marked', message: `Job ${lost} would be marked as an error.`},
        {id: ended, was: 'ended', action: 'refused'},
        {id: 999_999, was: null, action: 'refused'},
      ],
      dryRun: true,
    },
  ]);
  expect((await mark(ended, '--as', 'error', '--dry-run')).code).toBe(5);
  expect(await everyTable(at.site)).toEqual(before);
  const {code, stdout} = await mark(lost, ended, '--as', 'error', '--yes', '--json');
  expect([code, JSON.parse(stdout)]).toMatchObject([
    1,
    {
      marked: [
        {id: lost, was: 'lost', action: 'marked', message: `Job ${lost} is marked as an error.`},
        {id: ended, was: 'ended', action: 'refused'},
      ],
    },
  ]);
  const screen = await runOnTerminal(['jobs:mark', String(ended), '--as', 'completed'], {
    env: at.site.env,
    input: 'y\n',
  });
  expect([screen.code, screen.screen]).toEqual([0, expect.stringContaining(`mark job ${ended}? (y/N)`)]);
  const {id: executing, worker} = await executeJob(at.site);
  workers.push(worker);
  const refused = await runOnTerminal(['jobs:mark', String(executing), '--as', 'error'], {
    env: at.site.env,
    input: '',
    columns: 50,
  });
  expect([refused.code, refused.screen]).toEqual([5, expect.not.stringContaining('(y/N)')]);
  const lines = stripVTControlCharacters(refused.screen).trimEnd().split('\n');
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.filter((line) => line.length > 50)).toEqual([]);
});

test('jobs:mark --probe proves that a job has finished which waiting ones of its class leave uncertain', async () => {
  const finished = await insertBegun(at.site, {messages: ['Job finished.']});
  const [waiting] = await submit(1);
  const ids = `${finished},${waiting}`;
  const mark = (...args: string[]) =>
    runAtomctl(['jobs:mark', ids, '--as', 'completed', ...args], {env: at.site.env});
  const before = await everyTable(at.site);
  const unproved = await mark('--yes', '--json');
  expect([unproved.code, JSON.parse(unproved.stdout).marked]).toMatchObject([
    5,
    [
      {id: finished, was: 'uncertain', message: expect.stringContaining('give --probe')},
      {id: waiting, was: 'uncertain', message: expect.stringContaining('give --probe')},
    ],
  ]);
  const refused = await mark('--probe', '--dry-run', '--read-only');
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('allows only reading')]);
  const planned = await mark('--probe', '--dry-run', '--json');
  expect([planned.code, JSON.parse(planned.stdout).marked]).toMatchObject([
    1,
    [
      {id: finished, was: 'finished', action: 'marked'},
      {id: waiting, was: 'queued', action: 'refused'},
    ],
  ]);
  expect(await everyTable(at.site)).toEqual(before);

  const done = await mark('--probe', '--yes');
  expect([done.code, done.stdout]).toEqual([
    1,
    expect.stringContaining(`Job ${finished} is marked as completed.`),
  ]);
  expect(done.stdout).toContain(`To remove it from Gearman: atomctl jobs:kill ${waiting}`);
  expect(await handedOut(at.site)).toEqual([waiting]);
});
