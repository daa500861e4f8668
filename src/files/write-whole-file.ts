import {randomBytes} from 'node:crypto';
import type {Stats} from 'node:fs';
import type {FileHandle} from 'node:fs/promises';
import {basename, dirname} from 'node:path';
import {AtomctlError, usageError} from '../errors.ts';
import {systemReason} from '../system-failure.ts';
import {Directory} from './directory.ts';

export interface WholeFileOptions {
  path: string;
  /** Replaces a file that exists. */
  force: boolean;
  /** The mode of a new file, before the umask: 0600 for what names people. */
  mode: number;
  /** An existing file does not keep its own mode. */
  exactMode?: boolean;
  /** The user who writes; that of the process. */
  uid: number;
}

/**
 * Writes a file completely or not at all: first under a temporary name in the same directory, synced to the disk,
 * then renamed. The old file is kept until the new content is safe, and an incomplete file is never visible or left. A
 * symbolic link is replaced, not followed. A file that exists keeps its owner and, unless another is asked for, its mode. All this happens in one open directory,
 * whatever is put in its place meanwhile.
 * @throws AtomctlError OUTPUT_EXISTS, OUTPUT_FAILED (no such directory, no permission, disk full), USAGE if the
 * path is not a plain file or another user may have put it, or a link on the way to it, there, or what `chunks` throws
 */
export async function writeWholeFile(
  options: WholeFileOptions & {chunks: AsyncIterable<string>},
): Promise<void> {
  await inDirectory(options, async (directory, name) => {
    const {path, chunks, mode} = options;
    const existing = await findExisting(directory, name, options);
    const temporary = `.${name}.${randomBytes(6).toString('hex')}.tmp`;
    const file = await onDisk(path, () => directory.openFile(temporary, 'wx', mode));
    try {
      try {
        if (existing !== null) await onDisk(path, () => keepOwner(file, existing, options));
        await writeAll(file, path, chunks);
      } finally {
        await file.close();
      }
      await onDisk(path, () => directory.rename(temporary, name));
    } catch (error) {
      await directory.unlink(temporary).catch(() => {});
      throw error;
    }
    await onDisk(path, () => directory.sync());
  });
}

/**
 * Refuses, before any work is done, a path that writeWholeFile would refuse.
 * @throws AtomctlError OUTPUT_EXISTS, USAGE, OUTPUT_FAILED
 */
export async function checkWholeFile(options: WholeFileOptions): Promise<void> {
  await inDirectory(options, (directory, name) => findExisting(directory, name, options));
}

async function inDirectory(
  {path, uid}: WholeFileOptions,
  work: (directory: Directory, name: string) => Promise<unknown>,
): Promise<void> {
  const name = basename(path);
  if (['', '.', '..'].includes(name)) throw notPlain(path);
  const directory = await onDisk(path, () => Directory.openToWrite(dirname(path), uid));
  try {
    await work(directory, name);
  } finally {
    await directory.close();
  }
}

/** The plain file that is to be replaced; null if there is none, or a link. */
async function findExisting(
  directory: Directory,
  name: string,
  {path, force, uid}: WholeFileOptions,
): Promise<Stats | null> {
  try {
    const existing = await directory.lstat(name);
    const isLink = existing.isSymbolicLink();
    // Of a link, what it leads to: /dev/stdout is one, and is not to be replaced.
    const target = isLink ? await directory.stat(name).catch(() => null) : existing;
    if (target !== null && !target.isFile()) throw notPlain(path);
    if (!force) {
      throw new AtomctlError('OUTPUT_EXISTS', `${path} already exists.`, {
        hint: 'To replace it, give --force; or give another name.',
      });
    }
    if (isLink) return null;
    if (existing.uid !== uid) requireOwnDirectory(await directory.stats(), path, uid);
    return existing;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    if (error instanceof AtomctlError) throw error;
    throw outputFailed(path, error);
  }
}

function notPlain(path: string): AtomctlError {
  return usageError(`${path} is not a regular file.`, 'Give the name of a file to write.');
}

const ROOT = 0;
const WRITABLE_BY_OTHERS = 0o022;

/** Whoever may write the directory may have put the file there, to receive what is written. */
function requireOwnDirectory(directory: Stats, path: string, uid: number): void {
  const isOwn = directory.uid === uid || directory.uid === ROOT;
  if (isOwn && (directory.mode & WRITABLE_BY_OTHERS) === 0) return;
  throw usageError(
    `${path} belongs to another user and is in a directory that other users can write to: that user could read the new contents.`,
    'Give another name, or delete the file first.',
  );
}

async function keepOwner(
  file: FileHandle,
  existing: Stats,
  {uid, mode, exactMode}: WholeFileOptions,
): Promise<void> {
  // Only root can give a file away; the mode comes last, because a new owner takes bits from it.
  if (uid === ROOT) await file.chown(existing.uid, existing.gid);
  await file.chmod(exactMode ? mode : existing.mode & 0o777);
}

/**
 * A failure of `chunks` itself (for example of the database) passes unchanged: only failures of the disk are the
 * file's.
 */
async function writeAll(file: FileHandle, path: string, chunks: AsyncIterable<string>): Promise<void> {
  for await (const chunk of chunks) await onDisk(path, () => file.writeFile(chunk));
  await onDisk(path, () => file.sync());
}

async function onDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof AtomctlError ? error : outputFailed(path, error);
  }
}

function outputFailed(path: string, cause: unknown): AtomctlError {
  const {code} = cause as NodeJS.ErrnoException;
  const noDirectory = code === 'ENOENT' || code === 'ENOTDIR';
  const reason = noDirectory ? `there is no directory ${dirname(path)}` : systemReason(cause);
  return new AtomctlError('OUTPUT_FAILED', `${path} could not be written: ${reason}.`, {
    hint: noDirectory
      ? 'Create the directory, or give another path.'
      : 'No incomplete file is left. Check the free space and the write permission, or give another directory.',
    cause,
  });
}
