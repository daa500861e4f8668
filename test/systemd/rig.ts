import {type ChildProcess, execFile, spawn} from 'node:child_process';
import {chmod, mkdir, readFile, realpath, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {NPM_ENTRY, type RunResult} from '../support/atomctl/run-atomctl.ts';
import {createScratch} from '../support/scratch.ts';
import {ATOM_PASSWORD, type MariadbConnection} from '../support/servers/mariadb.ts';
import {freePort, spawnServer} from '../support/servers/server-process.ts';
import {until} from '../support/until.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** A booted machine with systemd as its first process, on this one's network; plain data, for `provide`. */
export interface RigAddress {
  /** The process id, here, of the systemd in it. */
  leader: number;
  /** A directory that has the same path inside and outside. Sites are made in it. */
  scratch: string;
  mariadb: MariadbConnection;
  /** Two servers, `host:port`: the units gearman-job-server and gearman-second. */
  gearman: [string, string];
  /** A directory with `systemctl` and `journalctl` that speak to the systemd in it. */
  tools: string;
}

export interface Rig extends RigAddress {
  stop(): Promise<void>;
}

/**
 * Boots a tree. Nothing it writes outlives it: the root is an overlay in memory.
 * @param options.node whether it has this Node.js as /usr/bin/node
 */
export async function bootRig(tree: string, options: {node: boolean}): Promise<Rig> {
  // Not below /tmp, over which the container mounts its own; open, since the units run as www-data.
  process.env.TMPDIR = '/var/tmp';
  const scratch = createScratch('rig');
  await chmod(dirname(scratch), 0o755);
  await chmod(scratch, 0o755);
  const ports = [await freePort(), await freePort(), await freePort()] as const;
  const configuration = join(scratch, 'etc');
  await writeConfiguration(configuration, ports);
  const node = await realpath(process.execPath);
  const server = spawnServer('env', [
    'SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1',
    // A process namespace around it: when its first process is killed, all that runs in it dies.
    ...['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', '--'],
    'systemd-nspawn',
    ...['--quiet', `--directory=${tree}`, '--volatile=overlay', '--register=no', '--keep-unit'],
    ...[`--machine=rig-${process.pid}`, '--console=pipe', `--bind=${scratch}`, `--bind-ro=${PROJECT}`],
    ...(options.node ? [`--bind-ro=${node}:/usr/bin/node`] : []),
    `--bind-ro=${configuration}/mariadb.cnf:/etc/mysql/mariadb.conf.d/99-rig.cnf`,
    // Masked: a MariaDB that a socket unit starts does not listen on its own port.
    '--bind-ro=/dev/null:/etc/systemd/system/mariadb.socket',
    `--bind-ro=${configuration}/gearman-job-server.conf:/etc/systemd/system/gearman-job-server.service.d/rig.conf`,
    `--bind-ro=${configuration}/gearman-second.service:/etc/systemd/system/gearman-second.service`,
    '--boot',
  ]);
  const stop = async () => void (await server.kill());
  try {
    const leader = await leaderOf(server.pid, () => server.exited());
    const rig = address(leader, scratch, ports);
    await writeTools(rig);
    await until(async () =>
      /running|degraded/.test((await inRig(rig, 'systemctl', 'is-system-running')).stdout),
    );
    await must(inRig(rig, 'systemctl', 'start', 'gearman-second', 'mariadb'));
    await createAtomUser(rig);
    return {...rig, stop};
  } catch (error) {
    await stop();
    throw new Error(`The rig did not boot: ${server.output()}`, {cause: error});
  }
}

/** The command's result inside; its environment is a bare one, as under sudo. */
export function inRig(rig: Pick<RigAddress, 'leader'>, ...command: string[]): Promise<RunResult> {
  return new Promise((resolve) => {
    execFile('nsenter', [...enter(rig.leader), ...command], (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({code, stdout, stderr});
    });
  });
}

/** Writes a file inside, with the parents that are there. */
export async function writeInRig(
  {leader}: Pick<RigAddress, 'leader'>,
  path: string,
  text: string,
): Promise<void> {
  await writeFile(`/proc/${leader}/root${path}`, text);
}

/** A command that goes on inside until it is killed. */
export function spawnInRig(rig: Pick<RigAddress, 'leader'>, ...command: string[]): ChildProcess {
  return spawn('nsenter', [...enter(rig.leader), ...command]);
}

/** The words that run atomctl inside for the site in `root`, with `env` set. */
export function atomctlCommand(root: string, args: readonly string[], env: readonly string[] = []): string[] {
  return ['env', `ATOMCTL_ROOT=${root}`, ...env, '/usr/bin/node', NPM_ENTRY, ...args];
}

function enter(leader: number): string[] {
  const namespaces = ['--mount', '--uts', '--ipc', '--pid', '--cgroup', '--root', '--wd'];
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  return [
    `--target=${leader}`,
    ...namespaces,
    'env',
    '-i',
    `PATH=${path}`,
    'HOME=/root',
    'LC_ALL=C',
    'TZ=UTC',
  ];
}

/** The systemd in the container: the child of systemd-nspawn, which is a child of what was spawned. */
async function leaderOf(pid: number, exited: () => boolean): Promise<number> {
  let leader: number | undefined;
  await until(async () => {
    const nspawn = await childNamed(pid, 'systemd-nspawn');
    leader = nspawn === undefined ? undefined : await childNamed(nspawn, 'systemd');
    return leader !== undefined || exited();
  });
  if (leader === undefined) throw new Error('systemd-nspawn ended.');
  return leader;
}

async function childNamed(pid: number, name: string): Promise<number | undefined> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  for (const child of children.split(' ').filter(Boolean).map(Number)) {
    const command = await readFile(`/proc/${child}/comm`, 'utf8').catch(() => '');
    if (command.trim() === name) return child;
  }
  return undefined;
}

type Ports = readonly [mariadb: number, gearman: number, second: number];

function address(leader: number, scratch: string, [mariadb, ...gearman]: Ports): RigAddress {
  return {
    leader,
    scratch,
    mariadb: {host: '127.0.0.1', port: mariadb, socketPath: '', user: 'atom', password: ATOM_PASSWORD},
    gearman: [`127.0.0.1:${gearman[0]}`, `127.0.0.1:${gearman[1]}`],
    tools: join(scratch, 'tools'),
  };
}

/** Free ports, since the network is shared; nothing has to survive a power cut. */
async function writeConfiguration(directory: string, [mariadb, gearman, second]: Ports): Promise<void> {
  await mkdir(directory);
  const gearmand = (port: number) =>
    `[Service]\nType=simple\nPIDFile=\nRestart=always\nExecStart=\nExecStart=/usr/sbin/gearmand --listen=127.0.0.1 --port=${port} --log-file=stderr\n`;
  await Promise.all([
    writeFile(
      join(directory, 'mariadb.cnf'),
      `[mysqld]\nport=${mariadb}\nbind-address=127.0.0.1\nskip-name-resolve\ninnodb-flush-log-at-trx-commit=0\nperformance-schema=OFF\n`,
    ),
    writeFile(join(directory, 'gearman-job-server.conf'), gearmand(gearman)),
    writeFile(join(directory, 'gearman-second.service'), gearmand(second)),
  ]);
}

/** systemd's tools as atomctl finds them in PATH, speaking to the systemd inside. */
async function writeTools({leader, tools}: RigAddress): Promise<void> {
  await mkdir(tools);
  for (const tool of ['systemctl', 'journalctl']) {
    const command = ['nsenter', ...enter(leader), tool].join(' ');
    await writeFile(join(tools, tool), `#!/bin/sh\nexec ${command} "$@"\n`, {mode: 0o755});
  }
}

async function createAtomUser(rig: RigAddress): Promise<void> {
  const {user, password} = rig.mariadb;
  const sql = `CREATE USER '${user}'@'%' IDENTIFIED BY '${password}'; GRANT ALL PRIVILEGES ON \`atom\\_%\`.* TO '${user}'@'%'`;
  await must(inRig(rig, 'mariadb', '-e', sql));
}

async function must(result: Promise<RunResult>): Promise<void> {
  const {code, stderr} = await result;
  if (code !== 0) throw new Error(stderr);
}
