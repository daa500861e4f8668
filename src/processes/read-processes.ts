/** Reads the processes of AtoM and Gearman on this host from Linux's /proc. */
import {readdir, readlink, realpath, stat} from 'node:fs/promises';
import {basename, dirname, join, resolve} from 'node:path';
import {systemReason} from '../system-failure.ts';
import {
  isImportTask,
  isWorkerTask,
  parseCommandLine,
  parseSymfonyCommand,
  type SymfonyCommand,
} from './command-line.ts';
import {reasonForHidden} from './hidden-processes.ts';
import {socketInodes} from './process-sockets.ts';
import {parseBootTime, parseStat, parseUid} from './process-status.ts';
import {hasEnded, readText} from './read-text.ts';
import {type Endpoint, ESTABLISHED, LISTEN, readSockets, type Socket} from './socket-tables.ts';

export interface HostProcess {
  pid: number;
  ppid: number;
  /** The effective user id. */
  uid: number;
  argv: string[];
  /** ms since the epoch; it depends on the boot time, which has whole seconds. */
  startedAt: number;
}

/** `php … symfony TASK`. */
export interface AtomProcess extends HostProcess {
  /** `jobs:worker`, or the task of an import. */
  task: string;
  /** null if it cannot be read: another user's process. */
  cwd: string | null;
  /**
   * The directory of its symfony script, links resolved; as it was if it has been removed. null if it cannot be
   * determined: the working directory cannot be read, or the path means another directory in the process's container.
   */
  root: string | null;
  /** The remote ends of its established TCP connections; null if they cannot be read. */
  connections: Endpoint[] | null;
}

export interface GearmandProcess extends HostProcess {
  /** Its listening addresses; null if they cannot be read. */
  listens: Endpoint[] | null;
}

export interface ProcessReport {
  /** Why there may be processes that are not listed, one sentence; null if every process was seen. */
  incomplete: string | null;
  workers: AtomProcess[];
  /** Tasks that import a CSV file: children of workers, or started from a shell. */
  imports: AtomProcess[];
  gearmands: GearmandProcess[];
}

const COMMAND_LINE_BYTES = 128 * 1024;
const SMALL_FILE_BYTES = 64 * 1024;
const MOUNTS_BYTES = 4 * 1024 * 1024;
const BOOT_BYTES = 4 * 1024 * 1024;
/** So many are read at a time: file descriptors are limited. */
const AT_A_TIME = 32;

/**
 * The workers, imports and Gearman servers that run on this host, by pid. A process that ends while it is read is
 * left out. Never rejects: what cannot be read makes the report incomplete.
 * @param options.proc the mount point of the process file system
 */
export async function readProcesses(options: {proc?: string} = {}): Promise<ProcessReport> {
  const proc = options.proc ?? '/proc';
  const report: ProcessReport = {incomplete: null, workers: [], imports: [], gearmands: []};
  const host = await readHost(proc);
  if (typeof host === 'string') return {...report, incomplete: host};
  report.incomplete = host.hidden;
  const socketsOf = socketReader(proc);
  for (let index = 0; index < host.pids.length; index += AT_A_TIME) {
    const pids = host.pids.slice(index, index + AT_A_TIME);
    const outcomes = await Promise.allSettled(
      pids.map((pid) => addProcess(report, {proc, pid, socketsOf, ...host})),
    );
    const failed = outcomes.find((outcome) => outcome.status === 'rejected' && !hasEnded(outcome.reason));
    if (failed?.status === 'rejected') report.incomplete ??= unreadable(failed.reason);
  }
  for (const list of [report.workers, report.imports, report.gearmands]) {
    list.sort((one, other) => one.pid - other.pid);
  }
  return report;
}

interface Host {
  pids: number[];
  bootedAt: number;
  hidden: string | null;
}

/** What is needed to read the processes, or the sentence that says why they cannot be read. */
async function readHost(proc: string): Promise<Host | string> {
  try {
    const [{text: stats}, {text: mounts}, {text: status}] = await Promise.all([
      readText(join(proc, 'stat'), BOOT_BYTES),
      readText(join(proc, 'self/mountinfo'), MOUNTS_BYTES),
      readText(join(proc, 'self/status'), SMALL_FILE_BYTES),
    ]);
    const bootedAt = parseBootTime(stats);
    if (bootedAt === null) return 'The processes of this host cannot be read: /proc/stat has no boot time.';
    const pids = (await readdir(proc)).filter((name) => /^\d{1,10}$/.test(name)).map(Number);
    const hidden = reasonForHidden(mounts, status) ?? (pids.includes(1) ? null : NO_INIT);
    return {pids, bootedAt, hidden};
  } catch (error) {
    return unreadable(error);
  }
}

const NO_INIT = '/proc does not show process 1, so other processes may be hidden, too.';

function unreadable(error: unknown): string {
  const {code} = error as NodeJS.ErrnoException;
  const why =
    code === 'ENOENT'
      ? 'this system has no /proc as on Linux'
      : code === 'EACCES' || code === 'EPERM'
        ? 'permission denied; run atomctl as root'
        : systemReason(error);
  return `The processes of this host cannot be read: ${why}.`;
}

interface Reading {
  proc: string;
  pid: number;
  bootedAt: number;
  /** The TCP sockets in the network namespace of a process, by its directory. */
  socketsOf: (directory: string) => Promise<Socket[] | null>;
}

/** @throws the error of the system if the process cannot be read */
async function addProcess(report: ProcessReport, reading: Reading): Promise<void> {
  const directory = join(reading.proc, String(reading.pid));
  const commandLine = async () => (await readText(join(directory, 'cmdline'), COMMAND_LINE_BYTES)).text;
  const argv = parseCommandLine(await commandLine());
  const command = parseSymfonyCommand(argv);
  if (command !== null && (isWorkerTask(command.task) || isImportTask(command.task))) {
    const found = await readAtomProcess(directory, argv, command, reading);
    // The root of one that ended meanwhile may be missing, and then it would count as any site's.
    if ((await commandLine()) === '') return;
    (isWorkerTask(command.task) ? report.workers : report.imports).push(found);
  } else if (basename(argv[0] ?? '') === 'gearmand') {
    const found = await readStatus(directory, argv, reading);
    const sockets = await readOwnSockets(directory, reading);
    const listens = sockets?.filter(({state}) => state === LISTEN).map(({local}) => local) ?? null;
    report.gearmands.push({...found, listens});
  }
}

async function readAtomProcess(
  directory: string,
  argv: string[],
  {script, task}: SymfonyCommand,
  reading: Reading,
): Promise<AtomProcess> {
  const found = await readStatus(directory, argv, reading);
  const cwd = await readlink(join(directory, 'cwd')).catch(() => null);
  const root = await rootOf(directory, cwd, script);
  const sockets = await readOwnSockets(directory, reading);
  const connections = sockets?.filter(({state}) => state === ESTABLISHED).map(({remote}) => remote) ?? null;
  return {...found, task, cwd, root, connections};
}

/** @throws the error of the system if its files cannot be read, or an error that says what is unexpected in them */
async function readStatus(directory: string, argv: string[], {pid, bootedAt}: Reading): Promise<HostProcess> {
  const [{text: stats}, {text: status}] = await Promise.all([
    readText(join(directory, 'stat'), SMALL_FILE_BYTES),
    readText(join(directory, 'status'), SMALL_FILE_BYTES),
  ]);
  const parsed = parseStat(stats);
  const uid = parseUid(status);
  if (parsed === null || uid === null) throw new Error(`/proc/${pid}/stat has an unknown format`);
  return {pid, ppid: parsed.ppid, uid, argv, startedAt: bootedAt + parsed.startedAfterBoot};
}

/** The kernel adds this to the path of a working directory that was removed. */
const DELETED = / \(deleted\)$/;

/**
 * The process's path is only useful if it means the same directory here: /proc/PID/root is how the process sees it.
 */
async function rootOf(directory: string, cwd: string | null, script: string): Promise<string | null> {
  if (cwd === null && !script.startsWith('/')) return null;
  const path = dirname(resolve(cwd ?? '/', script));
  const seenBy = join(directory, 'root');
  try {
    if (await isSame(path, join(seenBy, path))) return await realpath(path);
    return null;
  } catch {
    // Removed, for example by a deploy: then its path alone counts, if the process sees the same file system.
    const shared = await isSame('/', seenBy).catch(() => false);
    return shared && (await isMissing(path)) ? path.replace(DELETED, '') : null;
  }
}

async function isSame(one: string, other: string): Promise<boolean> {
  const [here, there] = await Promise.all([stat(one), stat(other)]);
  return here.dev === there.dev && here.ino === there.ino;
}

async function isMissing(path: string): Promise<boolean> {
  return stat(path).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  );
}

/**
 * Reads the table of this process's own network namespace once, through itself: the kernel needs many milliseconds for
 * each, and another process may end meanwhile.
 */
function socketReader(proc: string): Reading['socketsOf'] {
  const self = join(proc, 'self');
  const namespaceOf = (directory: string) => readlink(join(directory, 'ns/net')).catch(() => null);
  let own: {namespace: Promise<string | null>; sockets: ReturnType<typeof readSockets>} | undefined;
  return async (directory) => {
    own ??= {namespace: namespaceOf(self), sockets: readSockets(self)};
    const [namespace, ownNamespace] = await Promise.all([namespaceOf(directory), own.namespace]);
    return namespace !== null && namespace === ownNamespace ? own.sockets : readSockets(directory);
  };
}

/** The TCP sockets among the process's open files; null if these cannot be read. */
async function readOwnSockets(directory: string, {socketsOf}: Reading): Promise<Socket[] | null> {
  try {
    const inodes = await socketInodes(directory);
    return (await socketsOf(directory))?.filter(({inode}) => inodes.has(inode)) ?? null;
  } catch {
    return null;
  }
}
