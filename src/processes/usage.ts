/** What a process of this host and its children have used so far, from Linux's /proc. */
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {parseCommandLine} from './command-line.ts';
import {type Socket, socketsOfProcess} from './process-sockets.ts';
import {parseCpuSeconds, parseResidentBytes, parseStat} from './process-status.ts';
import {readText} from './read-text.ts';

export interface ProcessUsage {
  pid: number;
  /** Control characters and passwords included: see maskedCommand. */
  argv: string[];
  /** In user and system mode, without that of children. */
  cpuSeconds: number;
  /** In RAM; null if it has ended. */
  memoryBytes: number | null;
  /** From and to disks; null if only the process's user and root may know. */
  readBytes: number | null;
  writtenBytes: number | null;
  /** Its open TCP connections, without those that it inherited; null if they cannot be read. */
  connections: Socket[] | null;
  /** By their ids. */
  children: ProcessUsage[];
}

const COMMAND_LINE_BYTES = 4096;
const SMALL_FILE_BYTES = 64 * 1024;
/** A worker, a shell, an import and what it calls. */
const MOST_GENERATIONS = 5;
const MOST_CHILDREN = 20;

/**
 * A process with its children and theirs; null if there is none of this id, or if it cannot be read.
 * @param options.proc the mount point of the process file system
 */
export async function readUsage(pid: number, options: {proc?: string} = {}): Promise<ProcessUsage | null> {
  const proc = options.proc ?? '/proc';
  const children = await childrenByParent(proc);
  return readOne({proc, children}, pid, {generations: MOST_GENERATIONS, inherited: new Set()});
}

/** The parents of a process, the nearest first, without the process 1. Empty if /proc cannot be read. */
export async function ancestorsOf(pid: number, options: {proc?: string} = {}): Promise<number[]> {
  const parents: number[] = [];
  for (let at = pid; parents.length < MOST_GENERATIONS; ) {
    const stat = await statOf(options.proc ?? '/proc', at);
    if (stat === null || stat.ppid <= 1) break;
    at = stat.ppid;
    parents.push(at);
  }
  return parents;
}

interface Tree {
  proc: string;
  children: ReadonlyMap<number, readonly number[]>;
}

async function readOne(
  tree: Tree,
  pid: number,
  {generations, inherited}: {generations: number; inherited: ReadonlySet<number>},
): Promise<ProcessUsage | null> {
  const directory = join(tree.proc, String(pid));
  try {
    const read = async (name: string, bytes = SMALL_FILE_BYTES) =>
      (await readText(join(directory, name), bytes)).text;
    const cpuSeconds = parseCpuSeconds(await read('stat'));
    if (cpuSeconds === null) return null;
    const [status, commandLine] = [await read('status'), await read('cmdline', COMMAND_LINE_BYTES)];
    const io = await read('io').catch(() => '');
    const young = generations === 0 ? [] : (tree.children.get(pid) ?? []).slice(0, MOST_CHILDREN);
    const sockets = await socketsOfProcess(pid, tree);
    const below = {
      generations: generations - 1,
      inherited: new Set([...inherited, ...(sockets ?? []).map(({inode}) => inode)]),
    };
    const children = await Promise.all(young.map((child) => readOne(tree, child, below)));
    return {
      pid,
      argv: parseCommandLine(commandLine),
      cpuSeconds,
      memoryBytes: parseResidentBytes(status),
      readBytes: counterIn(io, 'read_bytes'),
      writtenBytes: counterIn(io, 'write_bytes'),
      connections: sockets?.filter(({inode}) => !inherited.has(inode)) ?? null,
      children: children.filter((child) => child !== null),
    };
  } catch {
    return null;
  }
}

function counterIn(io: string, name: string): number | null {
  const [, bytes] = new RegExp(`^${name}: (\\d{1,19})$`, 'm').exec(io) ?? [];
  return bytes === undefined ? null : Number(bytes);
}

async function childrenByParent(proc: string): Promise<Map<number, number[]>> {
  const children = new Map<number, number[]>();
  const names = await readdir(proc).catch(() => []);
  const pids = names.filter((name) => /^\d{1,10}$/.test(name)).map(Number);
  for (const pid of pids.sort((one, other) => one - other)) {
    const stat = await statOf(proc, pid);
    if (stat !== null) children.set(stat.ppid, [...(children.get(stat.ppid) ?? []), pid]);
  }
  return children;
}

async function statOf(proc: string, pid: number): Promise<{ppid: number} | null> {
  try {
    return parseStat((await readText(join(proc, String(pid), 'stat'), SMALL_FILE_BYTES)).text);
  } catch {
    return null;
  }
}
