import {afterAll, afterEach, beforeAll, describe, expect, test} from 'vitest';
import {takeLock} from '../../../../src/gearman/lock.ts';
import {connectServers} from '../../../../src/gearman/server.ts';
import {connectWorker} from '../../../../src/gearman/worker-connection.ts';
import {liveStates} from '../../../../src/jobs/live/live-state.ts';
import {probeSite} from '../../../../src/jobs/live/queue-payloads.ts';
import type {AtomProcess} from '../../../../src/processes/read-processes.ts';
import {PROBE_LOCK} from '../../../../src/queue/function-name.ts';
import {
  freePort,
  type GearmanProcess,
  startGearmand,
  startPerlGearmand,
  submitBackground,
  submitJob,
  until,
  type WorkerProcess,
} from '../../../support/sandbox.ts';
import {
  crash,
  createQueueSite,
  executeJob,
  handedOut,
  insertLost,
  type QueueSite,
} from '../../../support/site/queue-site.ts';

type States = Record<number, string>;

async function states(at: QueueSite, options: Partial<QueueSite['sources']> & {probe?: boolean} = {}) {
  const {probe, ...others} = options;
  const sources = {...at.sources, ...others};
  const report = await liveStates({
    ...sources,
    probe: probe ? async () => (await probeSite(sources)).waiting : undefined,
  });
  return {...report, byId: Object.fromEntries(report.states) as States};
}

/** No claim but the truth; only uncertainty may stand in its place. */
function expectNoneWrong(said: States, truth: States): void {
  const wrong = Object.entries(truth).filter(
    ([id, state]) => ![state, 'uncertain'].includes(said[Number(id)]!),
  );
  expect({wrong, said}).toEqual({wrong: [], said});
  expect(Object.keys(said)).toEqual(Object.keys(truth));
}

describe('on gearmand', () => {
  let gearmand: GearmanProcess;
  let at: QueueSite;
  const workers: WorkerProcess[] = [];

  beforeAll(async () => {
    gearmand = await startGearmand();
    at = await createQueueSite(gearmand);
  });

  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.kill()));
    await handedOut(at.site);
    await at.site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
  });

  afterAll(async () => {
    await at.drop();
    await gearmand.kill();
  });

  async function execute(): Promise<number> {
    const {id, worker} = await executeJob(at.site);
    workers.push(worker);
    return id;
  }

  test('two executing, five queued, one queued again, one lost, one that has begun: all right with a probe, none wrong without', async () => {
    const executing = [await execute(), await execute()];
    const crashed = await executeJob(at.site);
    const queued: number[] = [];
    for (let count = 0; count < 5; count += 1) queued.push((await submitJob(at.site)).id);
    await crash(crashed.worker, crashed.unique, at.server);
    const begun = await insertLost(at.site, '{"name":"arFindingAidJob","id":7}');
    const lost = await insertLost(at.site);
    const truth: States = {};
    for (const id of executing) truth[id] = 'executing';
    for (const id of [...queued, crashed.id]) truth[id] = 'queued';
    // As long as a worker is connected it may be running a job that no server knows.
    truth[begun] = 'uncertain';
    truth[lost] = 'lost';

    const jobsBefore = await at.server.jobs();
    const plain = await states(at);
    expectNoneWrong(plain.byId, truth);
    expect([...executing, crashed.id, begun].map((id) => plain.byId[id])).toEqual([
      'executing',
      'executing',
      'queued',
      'uncertain',
    ]);
    expect([...plain.reasons]).toEqual([
      [begun, expect.stringMatching(/^A worker of this site \(PID \d+\)/)],
    ]);
    expect(await at.server.jobs()).toEqual(jobsBefore);

    expect((await states(at, {probe: true})).byId).toEqual(truth);
    expect(await handedOut(at.site)).toEqual([...queued, crashed.id]);
    await Promise.all(workers.splice(0).map((worker) => worker.kill()));
    await until(async () => (await states(at)).byId[begun] === 'lost');
  });

  describe('a job that has begun and that no server knows', () => {
    const PARAMETERS = '{"name":"arFindingAidJob","id":7}';
    const running = {pid: 30, task: 'csv:import'} as AtomProcess;

    /** Its log's last line is so old; then a message of two lines, if it is given. */
    async function begin(minutes: number, message = ''): Promise<number> {
      const id = await insertLost(at.site, PARAMETERS);
      const wall = at.sources.time.toWall(new Date(Date.now() - minutes * 60_000));
      const line = `[info] [${wall}] Job ${id} "arFindingAidJob": Step 1.\n${message}`;
      await at.site.query('UPDATE job SET output = CONCAT(output, ?) WHERE id = ?', [line, id]);
      return id;
    }

    test.each<[string, number, string, Partial<QueueSite['sources']>, string | RegExp]>([
      ['nobody can be running it', 16, '', {}, 'lost'],
      ['its log ends with lines without a time', 16, 'second line\nthird line\n', {}, 'lost'],
      ['its log grew of late', 5, '', {}, /only 5 minutes; 15 are needed/],
      ['its log grew of late, and ends with a line without a time', 5, 'second line\n', {}, /only 5 minutes/],
      ['its log is cut', 16, 'x'.repeat(70_000), {}, /does not show when/],
      [
        'an import runs on this host',
        16,
        '',
        {siteProcesses: async () => ({incomplete: null, processes: [running]})},
        /^The process 30 /,
      ],
      [
        'the processes cannot be read',
        16,
        '',
        {siteProcesses: async () => ({incomplete: 'They cannot be read.', processes: []})},
        /^They cannot be read\.$/,
      ],
    ])('%s', async (_name, minutes, message, sources, expected) => {
      const id = await begin(minutes, message.slice(0, 65_000));
      if (message.length > 65_000)
        await at.site.query("UPDATE job SET output = RPAD(output, 65534, 'x') WHERE id = ?", [id]);
      const {byId, reasons} = await states(at, sources);
      if (expected === 'lost') expect([byId[id], reasons.size]).toEqual(['lost', 0]);
      else expect([byId[id], reasons.get(id)]).toEqual(['uncertain', expect.stringMatching(expected)]);
    });

    test('a worker under another prefix is connected: uncertain, and it may be running elsewhere', async () => {
      const id = await begin(600);
      const elsewhere = await connectWorker(gearmand.address, {timeoutSeconds: 2});
      const name = `${'e'.repeat(32)}-arFindingAidJob`;
      await elsewhere.grab([name]);
      const {byId, reasons} = await states(at);
      elsewhere.close();
      await until(async () => (await at.server.connections()).every(({functions}) => functions.length === 0));
      expect([byId[id], reasons.get(id)]).toEqual([
        'uncertain',
        'A worker under another function prefix is connected and may be running it.',
      ]);
      expect((await states(at)).byId[id]).toBe('lost');
      await at.server.dropFunction(name);
    });

    test('a worker of another program is connected: that is none of AtoM', async () => {
      const id = await begin(600);
      const other = await connectWorker(gearmand.address, {timeoutSeconds: 2});
      await other.grab(['movesip_v0.0']);
      expect((await states(at)).byId[id]).toBe('lost');
      other.close();
      await at.server.dropFunction('movesip_v0.0');
    });
  });

  test('without a lost row that never started, the counts settle the queued ones too', async () => {
    const executing = await execute();
    const queued = [(await submitJob(at.site)).id, (await submitJob(at.site)).id];
    expect((await states(at)).byId).toEqual({
      [executing]: 'executing',
      [queued[0]!]: 'queued',
      [queued[1]!]: 'queued',
    });
  });

  test('what another atomctl holds is never called executing', async () => {
    const again = await executeJob(at.site);
    await crash(again.worker, again.unique, at.server);
    const lock = await takeLock(gearmand.address, PROBE_LOCK, {timeoutSeconds: 2});
    const holder = await connectWorker(gearmand.address, {timeoutSeconds: 2});
    await holder.grab([at.site.functionName('arFindingAidJob')]);
    // Longer than anyone's patience: nothing can be told. Then the look ends while someone waits for that.
    expect((await states(at)).byId).toEqual({[again.id]: 'uncertain'});
    const access = states(at);
    await holder.giveBack();
    await lock!.release();
    expect((await access).byId).toEqual({[again.id]: 'queued'});
    holder.close();
  });

  test('a row that has only just been inserted is not called lost', async () => {
    const now = at.sources.time.toWall(new Date());
    const young = await at.site.insertJob({name: 'arFindingAidJob', status: 'running', startedAt: now});
    expect((await states(at)).byId).toEqual({[young]: 'uncertain'});
    const later = () => new Date(Date.now() + 60_000);
    expect((await states(at, {now: later})).byId).toEqual({[young]: 'lost'});
  });

  test('a copy of the site with the same jobs proves nothing, nor does a prefix without life', async () => {
    const executing = await execute();
    const never = await insertLost(at.site);
    const elsewhere = {prefix: 'f'.repeat(32)};
    const {byId, own} = await states(at, elsewhere);
    expect({byId, own}).toEqual({byId: {[executing]: 'uncertain', [never]: 'uncertain'}, own: false});
    expect((await states(at, {prefix: null, probe: true})).byId[executing]).toBe('uncertain');
  });

  test("a site from before prefixes, beside atomctl's own functions", async () => {
    await (await takeLock(gearmand.address, PROBE_LOCK, {timeoutSeconds: 2}))!.release();
    const id = await at.site.insertJob({name: 'SomePluginJob', status: 'running'});
    await submitBackground(gearmand.endpoint, 'SomePluginJob', 'key', JSON.stringify({id}));
    expect((await states(at, {prefix: '', probe: true})).byId).toEqual({[id]: 'queued'});
    await at.server.dropFunction('SomePluginJob');
    expect((await states(at, {prefix: ''})).byId).toEqual({[id]: 'lost'});
  });
});

describe('several servers', () => {
  test('one that does not answer makes lost impossible to claim, and takes no certainty from the others', async () => {
    const gearmand = await startGearmand();
    const second = await startGearmand();
    const at = await createQueueSite(gearmand, second);
    const closed = {host: '127.0.0.1', port: await freePort()};
    const servers = [...at.sources.servers, ...(await connectServers([closed], {timeoutSeconds: 2}))];
    const executing = await executeJob(at.site);
    const waiting = await submitJob(at.site, {jobClass: 'arFileImportJob', server: second.endpoint});
    const lost = await insertLost(at.site);
    const {byId, missing, answered} = await states(at, {servers});
    expect(byId).toEqual({[executing.id]: 'executing', [waiting.id]: 'uncertain', [lost]: 'uncertain'});
    expect([missing.map(({code}) => code), answered]).toEqual([['GEARMAN_UNREACHABLE'], true]);

    // The second server's import is taken by the same worker once it is free; so stop it first.
    await executing.worker.kill();
    await until(async () => (await states(at)).byId[executing.id] === 'queued');
    expect((await states(at, {probe: true})).byId).toEqual({
      [executing.id]: 'queued',
      [waiting.id]: 'queued',
      [lost]: 'lost',
    });
    await second.kill();
    expectNoneWrong((await states(at)).byId, {
      [executing.id]: 'queued',
      [waiting.id]: 'uncertain',
      [lost]: 'lost',
    });
    await gearmand.kill();
    const down = await states(at);
    expect([new Set(Object.values(down.byId)), down.answered]).toEqual([new Set(['uncertain']), false]);
    await at.drop();
  });
});

describe("Perl's gearman-server", () => {
  test('is never wrong, and is not probed', async () => {
    const perl = await startPerlGearmand();
    const at = await createQueueSite(perl);
    const executing = await executeJob(at.site);
    const lost = [await insertLost(at.site, '{"name":"arFindingAidJob","id":7}'), await insertLost(at.site)];
    const truth: States = {[executing.id]: 'executing', [lost[0]!]: 'lost', [lost[1]!]: 'lost'};
    expectNoneWrong((await states(at)).byId, truth);

    const queued = [(await submitJob(at.site)).id, (await submitJob(at.site)).id];
    for (const id of queued) truth[id] = 'queued';
    expectNoneWrong((await states(at)).byId, truth);
    const look = await probeSite({...at.sources, take: () => true});
    expect(look).toMatchObject({waiting: [], removed: [], problems: [{code: 'REFUSED'}]});
    expectNoneWrong((await states(at, {probe: true})).byId, truth);
    const rows = await at.server.status();
    expect(rows.find((row) => row.function === at.site.functionName('arFindingAidJob'))).toMatchObject({
      total: 3,
      running: 1,
    });
    await executing.worker.kill();
    await at.drop();
    await perl.kill();
  });
});
