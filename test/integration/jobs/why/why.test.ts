import {expect, test} from 'vitest';
import {connectServers} from '../../../../src/gearman/server.ts';
import {BY_SYSTEMD} from '../../../../src/host-commands.ts';
import {probeSite} from '../../../../src/jobs/live/queue-payloads.ts';
import type {JobWhy} from '../../../../src/jobs/why/facts.ts';
import type {WhyOptions} from '../../../../src/jobs/why/options.ts';
import {explainJob} from '../../../../src/jobs/why/why.ts';
import {readProcessState} from '../../../../src/processes/process-state.ts';
import {expectSchema} from '../../../support/json-schema.ts';
import {later, realHost} from '../../../support/live.ts';
import {useLiveRig} from '../../../support/live-rig.ts';
import {freePort, runAtomctl, submitJob, until} from '../../../support/sandbox.ts';
import {handedOut, insertBegun, insertLost, submitJobs} from '../../../support/site/queue-site.ts';

const rig = useLiveRig();

/** What jobs:why prints with --json, as its schema has it: every fact that is null has a reason. */
async function why(id: number, options: Partial<WhyOptions> & {probes?: boolean} = {}): Promise<JobWhy> {
  const {sources} = rig.at;
  const {probes, ...others} = options;
  const {why: facts} = await explainJob({
    ...sources,
    host: realHost(rig.site),
    journalPids: async () => new Map(),
    processState: async (pid) => (await readProcessState(pid))?.state ?? null,
    ...(probes && {
      probe: async (name: string) => {
        const {waiting, problems} = await probeSite({...sources, name});
        return {waiting, refused: problems[0]?.message ?? null};
      },
    }),
    id,
    commands: BY_SYSTEMD,
    ...others,
  });
  const document: JobWhy = expectSchema('jobs-why', JSON.stringify(facts));
  const without = nullFacts(document as unknown as Record<string, unknown>).filter(
    (fact) => fact !== 'likely',
  );
  expect(Object.keys(document.missing).toSorted()).toEqual(without.toSorted());
  return document;
}

function nullFacts(facts: Record<string, unknown>, path = ''): string[] {
  return Object.entries(facts).flatMap(([name, value]) => {
    const fact = `${path}${name}`;
    if (value === null) return [fact];
    // Of the able workers, null is an answer.
    if (typeof value !== 'object' || name === 'missing' || name === 'ableWorkers' || name === 'worker')
      return [];
    if (!Array.isArray(value)) return nullFacts(value as Record<string, unknown>, `${fact}.`);
    return value.flatMap((item, index) =>
      typeof item === 'object' ? nullFacts(item as Record<string, unknown>, `${fact}[${index}].`) : [],
    );
  });
}

test('queued behind three others, whose worker is busy: its place with a probe, the number without one', async () => {
  const {id: executing, worker} = await rig.execute();
  const [first, second, third, own] = (await submitJobs(rig.at, 4)) as [number, number, number, number];
  expect(await why(own)).toMatchObject({
    state: 'uncertain',
    likely: 'queued',
    position: null,
    ahead: null,
    missing: {
      position: `4 jobs wait for arFindingAidJob on ${rig.gearmand.endpoint}. Gearman shows their order only to a worker: add --probe.`,
    },
    advice: {command: `atomctl jobs:why ${own} --probe`},
  });
  expect(await why(own, {probes: true})).toMatchObject({
    state: 'queued',
    likely: null,
    proof: ['Its payload was seen waiting.'],
    position: 4,
    ahead: [first, second, third],
    blockedBy: null,
    worker: null,
    process: null,
    ableWorkers: [{pid: worker.pid, host: '127.0.0.1', executes: executing, idle: null}],
    lastActivityAt: null,
    advice: {command: `atomctl jobs:why ${executing}`},
    missing: {lastActivityAt: 'It has logged nothing.'},
  });
  worker.killGroup();
  await worker.ended;
  await until(async () => (await rig.at.server.status()).every(({running}) => running === 0));
  expect((await handedOut(rig.site)).slice(0, 4)).toEqual([first, second, third, own]);
});

test('queued without a worker: it is the next, and a worker is to be started', async () => {
  const {id} = await submitJob(rig.site);
  expect(await why(id, {probes: true})).toMatchObject({
    state: 'queued',
    position: 1,
    ahead: [],
    ableWorkers: [],
    advice: {
      message: 'No connected worker can do arFindingAidJob: start one.',
      command: 'atomctl worker:start --reset',
    },
  });
});

test('an import waits for an older one with a worker of its own: which one, and how many of ten tries are used', async () => {
  const older = await rig.execute('arFileImportJob');
  const queued = await submitJob(rig.site, {jobClass: 'arObjectMoveJob', startedAt: '2026-03-04 13:06:00'});
  const own = await submitJob(rig.site, {jobClass: 'arFileImportJob', startedAt: '2026-03-04 13:06:00'});
  const worker = await rig.start('--abilities=arFileImportJob');
  await rig.logged(own, 'Another sensitive job is being executed');
  process.kill(worker.pid, 'SIGSTOP');
  const waiting = await why(own.id);
  expect(waiting).toMatchObject({
    state: 'executing',
    blockedBy: older.id,
    triesUsed: expect.any(Number),
    worker: {pid: worker.pid, host: '127.0.0.1'},
    process: {pid: worker.pid, children: []},
    lastLine: 'Another sensitive job is being executed, will retry in 10 seconds',
    advice: {message: 'A signal has stopped its process: let it continue.'},
  });
  const lines = await rig.site.query('SELECT output FROM job WHERE id = ?', [own.id]);
  expect(waiting.triesUsed).toBe(lines[0].output.match(/will retry/g).length);
  expect(waiting.proof[1]).toContain(
    `job ${older.id} (arFileImportJob) is older and says Running. It has used`,
  );
  expect(await why(queued.id, {probes: true})).toMatchObject({
    state: 'queued',
    blockedBy: older.id,
    triesUsed: 0,
    ableWorkers: [],
  });
});

test('lost: nothing has it; whether it can run again depends on whether it began', async () => {
  const begun = await insertLost(rig.site, '{"objectId":512,"name":"arFindingAidJob","id":"7"}');
  await rig.site.query('UPDATE job SET output = REPLACE(output, ?, ?) WHERE id = ?', [
    '"7"',
    `"${begun}"`,
    begun,
  ]);
  const never = await insertBegun(rig.site, {messages: ['Exporting information object ID 7 (3 of 900)']});
  await rig.site.query("UPDATE job SET output = '' WHERE id = ?", [never]);
  const now = later(60);
  expect(await why(begun, {now})).toMatchObject({
    state: 'lost',
    proof: ['No Gearman server has it, and no worker can be running it.'],
    worker: null,
    process: null,
    lastActivityAt: '2026-03-04T13:05:01-08:00',
    advice: {command: `atomctl jobs:retry ${begun}`},
    missing: {position: 'It is in no queue.', worker: 'It is not executing.'},
  });
  expect(await why(never, {now})).toMatchObject({
    state: 'lost',
    advice: {command: `atomctl jobs:kill ${never}`},
  });
});

test('executing: its worker, the child that imports, the query of the child, its progress and usual end', async () => {
  for (const [finishedAt, output] of [
    ['2026-03-04 14:00:00', '[info] [2026-03-04 13:50:00] x'],
    ['2026-03-04 13:35:00', null],
  ] as const) {
    const startedAt = '2026-03-04 13:05:00';
    await rig.site.insertJob({
      name: 'arFileImportJob',
      status: 'completed',
      startedAt,
      finishedAt,
      output: output ?? undefined,
    });
  }
  const {id} = await submitJob(rig.site, {
    jobClass: 'arFileImportJob',
    notes: [{text: 'Imported 12 of 900 rows', error: false}],
    work: {query: "SELECT SLEEP(600) /* 'a', 'b' */"},
  });
  const worker = await rig.start('--abilities=arFileImportJob');
  await rig.logged({id}, 'Update type');
  const childQuery = (facts: JobWhy) => allChildren(facts.process).find(({query}) => query !== null);
  await until(async () => childQuery(await why(id)) !== undefined);
  const facts = await why(id);
  expect(facts).toMatchObject({
    state: 'executing',
    proof: [`${rig.gearmand.endpoint} assigned it to a worker.`],
    position: null,
    blockedBy: null,
    worker: {pid: worker.pid, host: '127.0.0.1'},
    process: {
      pid: worker.pid,
      command: expect.stringMatching(/symfony jobs:worker --abilities=arFileImportJob$/),
      cpuSeconds: expect.any(Number),
      memoryBytes: expect.any(Number),
      query: null,
    },
    progress: {done: 12, total: 900},
    lastLine: expect.stringMatching(/^Update type/),
    usual: {count: 2, medianSeconds: 1200, p95Seconds: 1740, expectedEndAt: expect.any(String)},
    advice: {command: `atomctl jobs:show ${id} --follow`},
    missing: {
      'process.query': expect.stringMatching(
        /^Its session executes nothing; its last statement ended \d+ s ago\.$/,
      ),
    },
  });
  // The shell between them has inherited the worker's session.
  expect(facts.process!.children.map(({query}) => query)).toEqual([null]);
  expect(childQuery(facts)).toMatchObject({
    command: expect.stringContaining('csv:import'),
    query: 'SELECT SLEEP(600)',
    querySeconds: expect.any(Number),
  });
});

test('executing in one of two workers: their journals show in which; without them both are named', async () => {
  const {id, worker} = await rig.execute();
  const other = await rig.start('--abilities=arFindingAidJob');
  const unknown = await why(id);
  expect([unknown.worker, unknown.process]).toEqual([null, null]);
  for (const {pid} of [worker, other]) expect(unknown.missing.worker).toContain(`pid_${pid}_`);
  const known = await why(id, {journalPids: async () => new Map([[id, worker.pid]])});
  expect(known).toMatchObject({worker: {pid: worker.pid}, process: {pid: worker.pid}});
  expect(known.ableWorkers!.map(({pid, executes}) => [pid, executes])).toEqual(
    expect.arrayContaining([
      [worker.pid, id],
      [other.pid, null],
    ]),
  );
});

test('executing without its worker, which was killed: its import goes on, and would be handed out again', async () => {
  const {id, worker} = await rig.execute('arFileImportJob');
  const host = realHost(rig.site);
  await until(async () => (await host.processes()).imports.length > 0);
  const [child] = (await host.processes()).imports;
  await worker.kill();
  await until(async () => (await host.processes()).workers.length === 0);
  const facts = await why(id);
  expect(facts).toMatchObject({
    state: 'executing',
    worker: null,
    process: {pid: child!.pid, command: expect.stringContaining('csv:import')},
    advice: {command: `atomctl jobs:kill ${id} --force`},
    missing: {worker: `Its worker has ended; its child ${child!.pid} continues.`},
  });
  const command = [...facts.advice.command.split(' ').slice(1), '--yes'];
  expect((await runAtomctl(command, {env: rig.site.env})).stdout).toContain(String(id));
  process.kill(child!.pid, 'SIGKILL');
  await until(async () => (await rig.at.server.status()).every(({running}) => running === 0));
  expect(await handedOut(rig.site, 'arFileImportJob')).toEqual([]);
});

test('an id of a process that is no worker of the site tells nothing of that process', async () => {
  const {id} = await rig.execute();
  const host = {
    ...realHost(rig.site),
    processes: async () => ({unreadable: null, workers: [], imports: [], otherSites: new Set<number>()}),
  };
  const facts = await why(id, {host});
  expect(facts.process).toBeNull();
  expect(facts.missing.process).toMatch(/^Process \d+ of this host is not a worker of the site/);
});

test('ended: its row says how, and the errors say why', async () => {
  const notes = [{text: 'No such column.', error: true}];
  const id = await rig.site.insertJob({status: 'error', notes});
  const line = (message: string) => `[info] [2026-03-04 13:05:01] Job ${id} "arFindingAidJob": ${message}\n`;
  const output = line('Job started.') + line(`Parameters: {"name":"arFindingAidJob","id":"${id}"}`);
  const facts = await why(id);
  expect(facts).toMatchObject({
    state: 'error',
    proof: [expect.stringMatching(/^Its row says error since /), 'No such column.'],
  });
  expect(facts.advice).toEqual({
    message: expect.stringMatching(/^See its errors\. Job \d+ never began/),
    command: `atomctl jobs:show ${id}`,
  });
  await rig.site.query('UPDATE job SET output = ? WHERE id = ?', [output, id]);
  expect((await why(id)).advice.command).toBe(`atomctl jobs:retry ${id}`);
});

test('ended while a worker executes it: says so, and advises no retry that is refused', async () => {
  const {id} = await rig.execute();
  await rig.site.query('UPDATE job SET status_id = 185 WHERE id = ?', [id]);
  const {proof, advice} = await why(id);
  expect(proof[1]).toMatch(/^But \S+ assigned it to a worker\. That ends with its job/);
  expect(advice).toEqual({
    message: expect.stringContaining('until then jobs:retry refuses it'),
    command: `atomctl jobs:kill ${id}`,
  });
});

test('ended while it waits: says that a worker will run it, and how to remove it', async () => {
  const {id, worker} = await rig.execute();
  await worker.kill();
  await rig.site.query('UPDATE job SET status_id = 184 WHERE id = ?', [id]);
  await until(async () => (await rig.at.server.status()).every(({running}) => running === 0));
  const {state, proof, advice} = await why(id);
  expect([state, proof[1]]).toEqual([
    'completed',
    `It waits on ${rig.gearmand.endpoint} although its row has ended. The next free worker will run it.`,
  ]);
  expect(advice.command).toBe(`atomctl jobs:kill ${id} --force`);
});

test('its Gearman server does not answer: its queue is not known, and the server comes first, not a probe', async () => {
  const id = await insertLost(rig.site);
  const closed = {host: '127.0.0.1', port: await freePort()};
  const servers = await connectServers([closed], {timeoutSeconds: 2});
  const address = `127.0.0.1:${closed.port}`;
  for (const probes of [false, true]) {
    const {state, missing, advice} = await why(id, {servers, probes});
    expect(state).toBe('uncertain');
    expect(missing.position).toBe(`It is not known which queue has it: ${address} does not answer.`);
    expect(advice).toEqual({
      message: `Gearman server ${address} may have it and does not answer: start it, or correct its address.`,
      command: 'atomctl doctor --check gearman-servers',
    });
  }
});

test('usual: neither a marked nor a killed job counts', async () => {
  const of = (text: string) =>
    rig.site.insertJob({name: 'arObjectMoveJob', status: 'completed', notes: [{text}]});
  const id = await of('Killed with atomctl by a@b on 2026-03-04 13:00:00, while it was executing.');
  await of('Marked as completed with atomctl by a@b on 2026-03-04 13:00:00, while it was lost.');
  expect((await why(id)).usual).toBeNull();
  await of('Moved.');
  expect((await why(id)).usual).toMatchObject({count: 1});
});

function allChildren(process: JobWhy['process']): NonNullable<JobWhy['process']>[] {
  return (process?.children ?? []).flatMap((child) => [child, ...allChildren(child)]);
}
