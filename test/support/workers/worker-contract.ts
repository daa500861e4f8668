import {readdirSync, readFileSync, readlinkSync} from 'node:fs';
import {connect} from 'node:net';
import {afterEach, expect, test} from 'vitest';
import {TYPE} from '../servers/gearman-wire.mjs';
import {type GearmanProcess, startGearmand} from '../servers/gearmand.ts';
import {recordGearman} from '../servers/recording-proxy.ts';
import type {AtomSite} from '../site/atom-site.ts';
import {until} from '../until.ts';
import type {WorkerProcess} from './worker.ts';

/**
 * A job by what becomes of it. `takes seconds` is long enough to restart a server meanwhile; `imports` goes on in a
 * child process until the child is killed.
 */
export type JobKind =
  | 'succeeds'
  | 'fails'
  | 'exports'
  | 'takes seconds'
  | 'imports'
  | 'moves'
  | 'lacks a parameter';

/** An AtoM root with its worker: the sandbox's, or an installation of AtoM. */
export interface WorkerRig {
  site: AtomSite;
  /** From AtoM 2.7 on: parameters and levels of errors in the log, handled signals, limits. */
  isSince27: boolean;
  /** A job class of which the worker runs one job at a time. */
  serialClass: string;
  start(args?: readonly string[]): Promise<WorkerProcess>;
  submit(kind: JobKind): Promise<{id: number; parameters: Readonly<Record<string, unknown>>}>;
}

export interface WorkerRigOptions {
  /** `host:port` of each Gearman server. */
  gearman: readonly string[];
}

const LINE = /^\[(info|err)\] \[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\] Job (\d+) "(.*?)": (.*)$/s;

/**
 * What atomctl relies on in AtoM's worker: its rows, its log, its connections, its processes. The same expectations
 * hold for every worker that a rig can start.
 * @param create makes a rig on the given servers; each test has its own
 */
export function testWorkerContract(
  label: string,
  create: (options: WorkerRigOptions) => Promise<WorkerRig>,
): void {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  async function gearmand(): Promise<GearmanProcess> {
    const server = await startGearmand();
    ends.push(() => server.kill());
    return server;
  }

  async function rigOn(...servers: {endpoint: string}[]): Promise<WorkerRig> {
    const rig = await create({gearman: servers.map(({endpoint}) => endpoint)});
    ends.push(() => rig.site.drop());
    return rig;
  }

  const rowOf = async ({site}: WorkerRig, {id}: {id: number}) =>
    (await site.query('SELECT name, status_id, completed_at, output FROM job WHERE id = ?', [id]))[0];
  const linesOf = (output: string) =>
    output
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [, level, at, id, name, message] = LINE.exec(line) ?? [];
        return {level, at, id: Number(id), name, message};
      });
  const messages = (output: string) => linesOf(output).map(({message}) => message);
  const ended = async (rig: WorkerRig, job: {id: number}) => {
    await until(async () => (await rowOf(rig, job)).status_id !== 183);
    return rowOf(rig, job);
  };

  test(`${label}: registers every ability at every server, with its process id`, async () => {
    const servers = [await gearmand(), await gearmand()];
    const rig = await rigOn(...servers);
    const worker = await rig.start();
    for (const {endpoint} of servers) {
      const connections = (await adminList(endpoint, 'workers')).filter((line) => line.includes(' pid_'));
      expect(connections).toHaveLength(1);
      const [, id, functions] = /^\d+ \S+ (\S+) : (.*)$/.exec(connections[0]!)!;
      expect(id).toMatch(new RegExp(`^pid_${worker.pid}_[0-9a-f]{13}$`));
      expect(functions!.split(' ')).toContain(rig.site.functionName('arFindingAidJob'));
      expect(functions!.split(' ').every((name) => name.startsWith(rig.site.functionName('')))).toBe(true);
    }
    expect(worker.output()).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d > New ability: \w+$/m);
    expect(worker.output()).toMatch(new RegExp(`> Running worker\\.\\.\\.\n.* > PID ${worker.pid}\n`));
  });

  test(`${label}: a job that succeeds: its log, in PHP's zone, and its row`, async () => {
    const rig = await rigOn(await gearmand());
    const before = wallClock(rig.site.timezone);
    const worker = await rig.start();
    const job = await rig.submit('succeeds');
    const row = await ended(rig, job);
    await until(async () => messages((await rowOf(rig, job)).output).includes('Job finished.'));
    const lines = linesOf((await rowOf(rig, job)).output);
    expect(row.status_id).toBe(184);
    expect(new Set(lines.map(({level, id, name}) => `${level} ${id} ${name}`))).toEqual(
      new Set([`info ${job.id} ${row.name}`]),
    );
    expect(lines[0]!.message).toBe('Job started.');
    expect(lines.at(-1)!.message).toBe('Job finished.');
    const parameters = lines.filter(({message}) => message!.startsWith('Parameters: '));
    expect(parameters).toHaveLength(rig.isSince27 ? 1 : 0);
    if (rig.isSince27) {
      expect(lines[1]).toBe(parameters[0]);
      expect(parameters[0]!.message).toMatch(new RegExp(`^Parameters: \\{.*,"id":"${job.id}"\\}$`));
    }
    for (const at of [...lines.map((line) => line.at!), row.completed_at]) {
      expect(at >= before && at <= wallClock(rig.site.timezone), at).toBe(true);
    }
    expect(worker.output()).toMatch(/> Job finished\.$/m);
    expect(worker.output()).not.toContain(`Job ${job.id} "`);
  });

  test(`${label}: a job that fails says so in its log (as an error from 2.7 on), a note and its row, and still finishes`, async () => {
    const server = await gearmand();
    const rig = await rigOn(server);
    await rig.start();
    const job = await rig.submit('fails');
    await until(async () => (await adminList(server.endpoint, 'show jobs')).length === 0);
    const row = await rowOf(rig, job);
    expect(row.status_id).toBe(185);
    expect(row.completed_at).not.toBeNull();
    const lines = linesOf(row.output);
    const errors = lines.filter(({level}) => level === 'err');
    expect(errors).toEqual(rig.isSince27 ? [lines.at(-2)] : []);
    expect(lines.at(-1)!.message).toBe('Job finished.');
    expect(
      await rig.site.query(
        'SELECT type_id, content FROM note JOIN note_i18n USING (id) WHERE object_id = ? ORDER BY id DESC LIMIT 1',
        [job.id],
      ),
    ).toEqual([{type_id: rig.isSince27 ? 197 : null, content: lines.at(-2)!.message}]);
  });

  test(`${label}: an export logs one more line after its end, from 2.7 on`, async () => {
    const rig = await rigOn(await gearmand());
    const worker = await rig.start();
    const job = await rig.submit('exports');
    await ended(rig, job);
    await until(() => worker.output().includes('Job finished.'));
    if (!rig.isSince27) {
      expect(messages((await rowOf(rig, job)).output).at(-1)).toBe('Job finished.');
      return;
    }
    await until(async () => messages((await rowOf(rig, job)).output).at(-1) !== 'Job finished.');
    expect(messages((await rowOf(rig, job)).output).at(-2)).toBe('Job finished.');
  });

  test(`${label}: without a required parameter a job leaves Gearman, and its row stays as it was`, async () => {
    const server = await gearmand();
    const rig = await rigOn(server);
    await rig.start();
    const job = await rig.submit('lacks a parameter');
    await until(async () => (await adminList(server.endpoint, 'show jobs')).length === 0);
    expect(await rowOf(rig, job)).toMatchObject({status_id: 183, completed_at: null, output: null});
  });

  test(`${label}: a job whose row is gone fails in Gearman, and the worker goes on`, async () => {
    const server = await gearmand();
    const rig = await rigOn(server);
    const gone = await rig.submit('succeeds');
    await rig.site.query('DELETE FROM object WHERE id = ?', [gone.id]);
    const next = await rig.submit('succeeds');
    const worker = await rig.start();
    expect((await ended(rig, next)).status_id).toBe(184);
    expect(worker.output()).toMatch(/invalid QubitJob id/);
    await until(async () => (await adminList(server.endpoint, 'show jobs')).length === 0);
  });

  test(`${label}: on the wire: id, abilities, grab, sleep; the row is saved before Gearman gets the result`, async () => {
    const server = await gearmand();
    const recorder = await recordGearman(server.endpoint);
    ends.push(() => recorder.close());
    const sent = () => recorder.packets.filter(({sender}) => sender === 'worker').map(({type}) => type);
    const rig = await rigOn(recorder);
    let statusWhenTold: unknown;
    const job = await rig.submit('succeeds');
    recorder.beforePassing(TYPE.WORK_COMPLETE, async () => {
      statusWhenTold = (await rowOf(rig, job)).status_id;
    });
    await rig.start();
    await until(() => sent().filter((type) => type === TYPE.PRE_SLEEP).length >= 2);
    expect(statusWhenTold).toBe(184);
    const types = sent();
    const abilities = types.filter((type) => type === TYPE.CAN_DO).length;
    expect(types.slice(0, 1 + abilities)).toEqual([
      TYPE.SET_CLIENT_ID,
      ...Array<number>(abilities).fill(TYPE.CAN_DO),
    ]);
    const rest = [
      TYPE.GRAB_JOB,
      TYPE.WORK_COMPLETE,
      TYPE.GRAB_JOB,
      TYPE.PRE_SLEEP,
      TYPE.GRAB_JOB,
      TYPE.PRE_SLEEP,
    ];
    expect(types.slice(1 + abilities, 1 + abilities + rest.length)).toEqual(rest);
    expect(recorder.workers()).toBe(1);
  });

  test(`${label}: each line of the log waits for the lock of the job's row`, async () => {
    const server = await gearmand();
    const rig = await rigOn(server);
    const job = await rig.submit('succeeds');
    await rig.site.query('START TRANSACTION');
    await rig.site.query('SELECT id FROM job WHERE id = ? FOR UPDATE', [job.id]);
    await rig.start();
    await until(async () => (await stateAt(server.endpoint)) === 'running');
    await until(async () => (await blockedUpdates(rig)) > 0);
    await rig.site.query('COMMIT');
    expect((await ended(rig, job)).status_id).toBe(184);
  });

  test(`${label}: a serial job behind an older one tries ten times, and fails without its parameters`, {
    timeout: 180_000,
  }, async () => {
    const rig = await rigOn(await gearmand());
    await rig.site.insertJob({name: rig.serialClass, status: 'running', startedAt: '2020-01-01 00:00:00'});
    const job = await rig.submit('moves');
    await rig.start();
    const {status_id, output} = await ended(rig, job);
    const lines = linesOf(output);
    expect([status_id, lines.length, lines[0]!.message]).toEqual([185, 12, 'Job started.']);
    expect(new Set(lines.slice(1, 11).map(({level, message}) => `${level} ${message}`)).size).toBe(1);
    expect(lines.at(-1)!.level).toBe(rig.isSince27 ? 'err' : 'info');
    expect(output).not.toMatch(/Parameters: |Job finished/);
  });

  test(`${label}: SIGTERM ends it: with 0 from 2.7 on, by the signal before`, async () => {
    const rig = await rigOn(await gearmand());
    const worker = await rig.start();
    expect(await worker.stop()).toBe(rig.isSince27 ? 0 : null);
  });

  test(`${label}: at a limit it exits with 111, from 2.7 on`, async () => {
    const rig = await rigOn(await gearmand());
    if (!rig.isSince27) {
      await expect(rig.start(['--max-job-count=1'])).rejects.toThrow('did not start');
      return;
    }
    const counted = await rig.start(['--max-job-count=2']);
    for (const kind of ['lacks a parameter', 'succeeds', 'fails'] as const) await rig.submit(kind);
    expect(await counted.ended).toBe(111);
    expect(await rig.site.query('SELECT COUNT(*) AS count FROM job WHERE status_id <> 183')).toEqual([
      {count: 2},
    ]);
    expect(await (await rig.start(['--max-mem-usage=1'])).ended).toBe(111);
  });

  test(`${label}: a restarted server is not noticed during a job; afterwards the worker registers again`, async () => {
    const server = await startGearmand();
    const rig = await rigOn(server);
    const worker = await rig.start();
    const job = await rig.submit('takes seconds');
    await until(async () => (await rowOf(rig, job)).output !== null);
    await server.kill();
    const again = await startGearmand([], {port: server.address.port});
    ends.push(() => again.kill());
    const isKnown = async () =>
      (await adminList(again.endpoint, 'workers')).some((line) => line.includes(`pid_${worker.pid}_`));
    expect([(await rowOf(rig, job)).status_id, await isKnown()]).toEqual([183, false]);
    expect((await ended(rig, job)).status_id).toBe(184);
    await until(isKnown);
    const next = await rig.submit('succeeds');
    expect((await ended(rig, next)).status_id).toBe(184);
  });

  test(`${label}: an import is a child process; it outlives a killed worker and holds the job`, async () => {
    const server = await gearmand();
    const rig = await rigOn(server);
    const job = await rig.submit('imports');
    const worker = await rig.start();
    await until(() => descendants(worker.pid).length > 0);
    expect([commandLine(worker.pid), readlinkSync(`/proc/${worker.pid}/cwd`)]).toEqual([
      expect.stringMatching(/^php symfony jobs:worker/),
      rig.site.root,
    ]);
    await until(() => descendants(worker.pid).some((pid) => commandLine(pid).startsWith('php ')));
    const child = descendants(worker.pid).find((pid) => commandLine(pid).startsWith('php '))!;
    const {tmp_name: file} = job.parameters.file as {tmp_name: string};
    expect(commandLine(child)).toContain(`${rig.site.root}/symfony csv:import `);
    expect(commandLine(child).endsWith(` ${file}`)).toBe(true);
    expect(readlinkSync(`/proc/${child}/cwd`)).toBe(rig.site.root);

    const [connection] = socketsOf(worker.pid).filter((inode) =>
      socketsTo(server.address.port).includes(inode),
    );
    expect(connection).toBeDefined();
    expect(socketsOf(child)).toContain(connection);

    await worker.kill();
    expect(commandLine(child)).toContain('csv:import');
    expect(await stateAt(server.endpoint)).toBe('running');
    process.kill(child, 'SIGKILL');
    await until(async () => (await stateAt(server.endpoint)) === 'queued');
    expect((await rowOf(rig, job)).status_id).toBe(183);
  });
}

function wallClock(timeZone: string): string {
  return new Intl.DateTimeFormat('sv-SE', {timeZone, dateStyle: 'short', timeStyle: 'medium'}).format();
}

async function blockedUpdates({site}: WorkerRig): Promise<number> {
  const rows = await site.query<{INFO: string | null}>(
    "SELECT INFO FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND COMMAND IN ('Query', 'Execute')",
  );
  return rows.filter(({INFO}) => /^\s*UPDATE job SET output/i.test(INFO ?? '')).length;
}

/** A list of the administrative protocol, without its closing dot. */
async function adminList(endpoint: string, command: string): Promise<string[]> {
  const [host, port] = endpoint.split(':');
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect({host: host!, port: Number(port)}).setEncoding('latin1');
    socket.on('error', reject).on('data', (chunk: string) => {
      answer += chunk;
      if (!/(^|\n)\.\n$/.test(answer)) return;
      socket.destroy();
      resolve(answer.split('\n').slice(0, -2));
    });
    socket.write(`${command}\n`);
  });
}

/** The state of a server's only job. */
async function stateAt(endpoint: string): Promise<'none' | 'queued' | 'running'> {
  for (const line of await adminList(endpoint, 'status')) {
    const [, total, running] = line.split('\t').map(Number);
    if (total! > 0) return running! > 0 ? 'running' : 'queued';
  }
  return 'none';
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
  } catch {
    return '';
  }
}

/** The inodes of a process's sockets. */
function socketsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    const target = descriptorTarget(pid, fd);
    return /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [];
  });
}

/** Empty if it was closed since it was listed. */
function descriptorTarget(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return '';
  }
}

/** The inodes of the connections to a port, as their clients hold them. */
function socketsTo(port: number): string[] {
  return readFileSync('/proc/net/tcp', 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => Number.parseInt(fields[2]!.split(':')[1]!, 16) === port)
    .map((fields) => fields[9]!);
}

/** Some systems have a shell between the worker and its child. */
function descendants(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const [, parent] = /\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))!;
      parents.set(Number(name), Number(parent));
    } catch {}
  }
  const isBelow = (one: number | undefined): boolean =>
    one !== undefined && (one === pid || isBelow(parents.get(one)));
  return [...parents.keys()].filter((one) => one !== pid && isBelow(parents.get(one)));
}
