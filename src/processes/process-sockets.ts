import {readlinkSync} from 'node:fs';
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {hasEnded} from './read-text.ts';
import {ESTABLISHED, readSockets, type Socket} from './socket-tables.ts';

export type {Socket} from './socket-tables.ts';

/** The inodes of the sockets among a process's open files. @throws the error of the system if these cannot be read */
export async function socketInodes(directory: string): Promise<Set<number>> {
  const descriptors = await readdir(join(directory, 'fd'));
  const inodes = new Set<number>();
  for (const name of descriptors) {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(linkOf(join(directory, 'fd', name))) ?? [];
    if (inode !== undefined) inodes.add(Number(inode));
  }
  return inodes;
}

/** A file that was closed meanwhile does not count; any other error is thrown. */
function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch (error) {
    if (hasEnded(error)) return '';
    throw error;
  }
}

/** The established TCP connections of a process; null if they cannot be read: another user's process. */
export async function socketsOfProcess(pid: number, {proc}: {proc: string}): Promise<Socket[] | null> {
  const directory = join(proc, String(pid));
  try {
    const inodes = await socketInodes(directory);
    const sockets = await readSockets(directory);
    return sockets?.filter(({inode, state}) => state === ESTABLISHED && inodes.has(inode)) ?? null;
  } catch {
    return null;
  }
}
