import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdir, realpath, rm, symlink, writeFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {expect, it, onTestFinished} from 'vitest';
import {readProcesses} from '../../../src/processes/read-processes.ts';
import {createScratch} from '../../support/scratch.ts';

const BOOT = 1_764_105_000;

interface Given {
  argv: string[];
  cwd?: string;
  /** Inodes of its sockets. */
  sockets?: number[];
}

/** A file system like /proc with these processes and `init`. */
async function procWith(processes: Record<number, Given>, mounts = '22 27 0:21 / /proc rw - proc proc rw\n') {
  const proc = join(createScratch('proc'), 'proc');
  const write = (path: string, text: string) => writeFile(join(proc, path), text);
  await mkdir(join(proc, 'self'), {recursive: true});
  await write('stat', `cpu 1 2\nbtime ${BOOT}\n`);
  await write('self/mountinfo', mounts);
  await write('self/status', 'Name:\tnode\nCapEff:\t0000000000000000\n');
  const all: Record<number, Given> = {1: {argv: ['/sbin/init']}, ...processes};
  for (const [pid, {argv, cwd, sockets = []}] of Object.entries(all)) {
    await mkdir(join(proc, pid, 'net'), {recursive: true});
    await mkdir(join(proc, pid, 'fd'));
    await write(`${pid}/cmdline`, argv.map((word) => `${word}\0`).join(''));
    await write(`${pid}/stat`, `${pid} (a (b) S 7 ${Array(17).fill('0').join(' ')} 250 0\n`);
    await write(`${pid}/status`, 'Name:\tphp\nUid:\t33\t33\t33\t33\n');
    await write(`${pid}/net/tcp`, TCP);
    await symlink('/', join(proc, pid, 'root'));
    if (cwd !== undefined) await symlink(cwd, join(proc, pid, 'cwd'));
    for (const [fd, inode] of sockets.entries())
      await symlink(`socket:[${inode}]`, join(proc, pid, 'fd', String(fd)));
    await symlink('/dev/null', join(proc, pid, 'fd', '9'));
  }
  return proc;
}

const line = (local: string, remote: string, state: string, inode: number) =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000    33        0 ${inode} 1\n`;
const TCP = `  sl  local_address rem_address   st\n${line('0100007F:C001', '0100007F:127A', '01', 11)}${line('0100007F:C002', '0100007F:0CEA', '06', 12)}${line('0100007F:127A', '00000000:0000', '0A', 13)}${line('0100007F:C003', '0100007F:127B', '01', 14)}`;

it("reads the sockets of this process's network namespace once, through itself", async () => {
  const proc = await procWith({
    20: {argv: ['php', 'symfony', 'jobs:worker'], sockets: [11]},
    21: {argv: ['php', 'symfony', 'jobs:worker'], sockets: [11]},
  });
  await mkdir(join(proc, 'self/net'));
  await writeFile(join(proc, 'self/net/tcp'), TCP.replace('0100007F:127A 01', '0100007F:1000 01'));
  for (const [pid, name] of [
    ['self', 'net:[1]'],
    ['20', 'net:[1]'],
    ['21', 'net:[2]'],
  ] as const) {
    await mkdir(join(proc, pid, 'ns'));
    await symlink(name, join(proc, pid, 'ns/net'));
  }
  const {workers} = await readProcesses({proc});
  expect(workers.map(({connections}) => connections?.map(({port}) => port))).toEqual([[4096], [4730]]);
});

it('leaves out a worker that ends while it is read', async () => {
  const proc = await procWith({
    20: {argv: []},
    21: {argv: ['php', 'symfony', 'jobs:worker']},
  });
  const file = join(proc, '20/cmdline');
  await rm(file);
  execFileSync('mkfifo', [file]);
  // What is read first, and what the kernel has of a process that has ended.
  const script = `printf 'php\\0symfony\\0jobs:worker\\0' > "$0"; while :; do : > "$0"; done`;
  const writer = spawn('sh', ['-c', script, file]);
  onTestFinished(() => void writer.kill());
  const {workers, incomplete} = await readProcesses({proc});
  expect([workers.map(({pid}) => pid), incomplete]).toEqual([[21], null]);
});

async function roots() {
  const scratch = await realpath(createScratch('roots'));
  await mkdir(join(scratch, 'one'));
  await mkdir(join(scratch, 'two'));
  return {one: join(scratch, 'one'), two: join(scratch, 'two'), gone: join(scratch, 'gone')};
}

it('lists workers, imports and gearmand with all that is known of them', async () => {
  const {one} = await roots();
  const proc = await procWith({
    20: {argv: ['php', '-d', 'memory_limit=-1', 'symfony', 'jobs:worker'], cwd: one, sockets: [11, 12]},
    30: {argv: ['php', `${one}/symfony`, 'csv:import', '--quiet', '/tmp/a b.csv'], cwd: '/', sockets: [11]},
    40: {argv: ['/usr/sbin/gearmand', '--port=4730'], sockets: [13, 14]},
    50: {argv: ['php', 'symfony', 'cache:clear'], cwd: one},
    60: {argv: []},
  });
  const common = {ppid: 7, uid: 33, startedAt: BOOT * 1000 + 2500};
  expect(await readProcesses({proc})).toEqual({
    incomplete: null,
    workers: [
      {
        ...common,
        pid: 20,
        argv: ['php', '-d', 'memory_limit=-1', 'symfony', 'jobs:worker'],
        task: 'jobs:worker',
        cwd: one,
        root: one,
        connections: [{address: '127.0.0.1', port: 4730}],
      },
    ],
    imports: [
      {
        ...common,
        pid: 30,
        argv: ['php', `${one}/symfony`, 'csv:import', '--quiet', '/tmp/a b.csv'],
        task: 'csv:import',
        cwd: '/',
        root: one,
        connections: [{address: '127.0.0.1', port: 4730}],
      },
    ],
    gearmands: [
      {
        ...common,
        pid: 40,
        argv: ['/usr/sbin/gearmand', '--port=4730'],
        listens: [{address: '127.0.0.1', port: 4730}],
      },
    ],
  });
});

it('counts for a site its own processes and those whose root cannot be determined', async () => {
  const {one, two, gone} = await roots();
  const worker = ['php', 'symfony', 'jobs:worker'];
  const proc = await procWith({
    20: {argv: worker, cwd: one},
    21: {argv: worker, cwd: two},
    22: {argv: worker},
    23: {argv: worker, cwd: `${gone} (deleted)`},
    24: {argv: worker, cwd: one},
    25: {argv: worker, cwd: `${one} (deleted)`},
    26: {argv: ['php', `${gone}/symfony`, 'jobs:worker']},
    27: {argv: ['php', `${gone}/symfony`, 'jobs:worker']},
  });
  // In a container: the same path is another directory there.
  await rm(join(proc, '24/root'));
  await symlink(two, join(proc, '24/root'));
  await mkdir(join(two, one), {recursive: true});
  // In a container: what is missing here may exist there.
  await rm(join(proc, '27/root'));
  await symlink(two, join(proc, '27/root'));
  const report = await readProcesses({proc});
  const pids = (root: string | null) =>
    [...report.workers, ...report.imports]
      .filter((each) => each.root === root)
      .map(({pid}) => pid)
      .sort();
  expect(pids(one)).toEqual([20, 25]);
  expect(pids(two)).toEqual([21]);
  expect(pids(gone)).toEqual([23, 26]);
  expect(pids(null)).toEqual([22, 24, 27]);
});

it('returns null for sockets that it cannot read', async () => {
  const {one} = await roots();
  const proc = await procWith({
    20: {argv: ['php', 'symfony', 'jobs:worker'], cwd: one},
    40: {argv: ['gearmand']},
  });
  for (const pid of [20, 40]) await rm(join(proc, `${pid}/fd`), {recursive: true});
  const {workers, gearmands, incomplete} = await readProcesses({proc});
  expect([workers[0]!.connections, gearmands[0]!.listens, incomplete]).toEqual([null, null, null]);
});

it('leaves out a process that ends meanwhile', async () => {
  const {one} = await roots();
  const worker = {argv: ['php', 'symfony', 'jobs:worker'], cwd: one};
  const proc = await procWith({20: worker, 21: worker, 22: worker});
  await rm(join(proc, '20/cmdline'));
  await rm(join(proc, '21/stat'));
  const {workers, incomplete} = await readProcesses({proc});
  expect([workers.map(({pid}) => pid), incomplete]).toEqual([[22], null]);
});

it('cuts a command line that has no end', async () => {
  const {one} = await roots();
  const proc = await procWith({
    20: {argv: ['php', 'symfony', 'jobs:worker', 'x'.repeat(1024 * 1024)], cwd: one},
  });
  const {workers} = await readProcesses({proc});
  expect(workers[0]!.argv.join(' ').length).toBe(128 * 1024);
});

it.each<[string, (proc: string) => Promise<unknown>, RegExp]>([
  ['there is no /proc', (proc) => rm(proc, {recursive: true}), /has no \/proc as on Linux\.$/],
  ['it has no boot time', (proc) => writeFile(join(proc, 'stat'), 'cpu 1\n'), /no boot time\.$/],
  ['it does not show init', (proc) => rm(join(proc, '1'), {recursive: true}), /does not show process 1/],
  [
    'it hides processes of others',
    (proc) => writeFile(join(proc, 'self/mountinfo'), '22 27 0:21 / /proc rw - proc proc rw,hidepid=2\n'),
    /hidepid=2/,
  ],
  [
    'a process is in no known format',
    (proc) => writeFile(join(proc, '20/stat'), 'nothing'),
    /\/proc\/20\/stat has an unknown format\.$/,
  ],
  [
    'a command line cannot be read',
    async (proc) => {
      await rm(join(proc, '1/cmdline'));
      await mkdir(join(proc, '1/cmdline'));
    },
    /^The processes of this host cannot be read: /,
  ],
])('is incomplete, and says why, if %s', async (_name, spoil, reason) => {
  const {one} = await roots();
  const proc = await procWith({20: {argv: ['php', 'symfony', 'jobs:worker'], cwd: one}});
  await spoil(proc);
  const report = await readProcesses({proc});
  expect(report.incomplete).toMatch(reason);
});

it('finds a real process with its start, its root and its connection', async () => {
  const {one} = await roots();
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const {port} = server.address() as {port: number};
  // Node under the name of php: its arguments and its directory are what counts.
  await writeFile(
    join(one, 'symfony'),
    `require('node:net').connect(${port}, '127.0.0.1', () => console.log('connected'));`,
  );
  const before = Date.now();
  const child = spawn(process.execPath, ['symfony', 'jobs:worker'], {argv0: 'php', cwd: one});
  onTestFinished(() => {
    child.kill('SIGKILL');
    server.close();
  });
  await once(child.stdout, 'data');
  const {workers} = await readProcesses();
  const found = workers.find(({pid}) => pid === child.pid)!;
  expect(found).toMatchObject({
    ppid: process.pid,
    argv: ['php', 'symfony', 'jobs:worker'],
    cwd: one,
    root: one,
    connections: [{address: '127.0.0.1', port}],
  });
  // The boot time has whole seconds.
  expect(Math.abs(found.startedAt - before)).toBeLessThan(3000);
});
