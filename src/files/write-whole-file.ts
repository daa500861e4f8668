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
  /** Without force, a name that is taken gets a number: `jobs-2.csv`. */
  numbered?: boolean;
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
 * whatever is put in its place meanwhile. Without force no file is replaced, also none that came while this one was written.
 * @returns its path
 * @throws AtomctlError OUTPUT_EXISTS, OUTPUT_FAILED (no such directory, no permission, disk full), USAGE if the
 * path is not a plain file or another user may have put it, or a link on the way to it, there, or what `chunks` throws
 */
export async function writeWholeFile(
  options: WholeFileOptions & {chunks: AsyncIterable<string>},
): Promise<string> {
  return inDirectory(options, async (directory, name) => {
    const {path, chunks, mode} = options;
    const {existing} = await checkName(directory, options);
    const temporary = `.${name}.${randomBytes(6).toString('hex')}.tmp`;
    const file = await onDisk(path, () => directory.openFile(temporary, 'wx', mode));
    let written: string;
    try {
      try {
        if (existing !== null) await onDisk(path, () => keepOwner(file, existing, options));
        await writeAll(file, path, chunks);
      } finally {
        await file.close();
      }
      written = await onDisk(path, () => putInPlace(directory, temporary, options));
    } finally {
      await directory.unlink(temporary).catch(() => {});
    }
    await onDisk(path, () => directory.sync());
    return written;
  });
}

/**
 * Refuses, before any work is done, a path that writeWholeFile would refuse.
 * @returns the path that it would write to now
 * @throws AtomctlError OUTPUT_EXISTS, USAGE, OUTPUT_FAILED
 */
export async function checkWholeFile(options: WholeFileOptions): Promise<string> {
  return inDirectory(options, async (directory) => (await checkName(directory, options)).path);
}

async function inDirectory<T>(
  {path, uid}: WholeFileOptions,
  work: (directory: Directory, name: string) => Promise<T>,
): Promise<T> {
  const name = basename(path);
  if (path === '-')
    throw usageError('"-" is not the name of a file here.', 'Give a name, or ./- for a file called "-".');
  if (['', '.', '..'].includes(name)) throw notPlain(path);
  const directory = await onDisk(path, () => Directory.openToWrite(dirname(path), uid));
  try {
    return await work(directory, name);
  } finally {
    await directory.close();
  }
}

/** More files of one name mean that something else is wrong. */
const MOST_NUMBERS = 1000;

/** The paths that may be written to, in their order: `jobs.csv`, and if it may have a number `jobs-2.csv` and so on. */
function* pathsOf({path, force, numbered = false}: WholeFileOptions): Iterable<string> {
  yield path;
  if (force || !numbered) return;
  const [, stem, ending = ''] = /^(.*?)(\.[^./]*)?$/s.exec(path)!;
  for (let number = 2; number <= MOST_NUMBERS; number += 1) yield `${stem}-${number}${ending}`;
}

/**
 * Does the work for the first path that is not taken.
 * @throws AtomctlError OUTPUT_EXISTS if all are, or what else `work` throws
 */
async function firstFree<T>(options: WholeFileOptions, work: (path: string) => Promise<T>): Promise<T> {
  let first: unknown;
  for (const path of pathsOf(options)) {
    try {
      return await work(path);
    } catch (error) {
      if (!(error instanceof AtomctlError) || error.code !== 'OUTPUT_EXISTS') throw error;
      first ??= error;
    }
  }
  throw first;
}

function checkName(
  directory: Directory,
  options: WholeFileOptions,
): Promise<{path: string; existing: Stats | null}> {
  return firstFree(options, async (path) => ({
    path,
    existing: await findExisting(directory, basename(path), {...options, path}),
  }));
}

/** @returns the path of the file */
async function putInPlace(
  directory: Directory,
  temporary: string,
  options: WholeFileOptions,
): Promise<string> {
  if (options.force) {
    await directory.rename(temporary, basename(options.path));
    return options.path;
  }
  return firstFree(options, async (path) => {
    try {
      await linkOrCopy(directory, {from: temporary, to: basename(path), mode: options.mode});
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? taken(path) : error;
    }
    return path;
  });
}

/** What link() answers on a file system that has no hard links, as FAT and some network file systems. */
const NO_LINKS = ['EPERM', 'EACCES', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EMLINK', 'EXDEV'];

/** A new name for a file; unlike rename(), it replaces none. Without hard links, the new file is incomplete for a moment. */
async function linkOrCopy(
  directory: Directory,
  {from, to, mode}: {from: string; to: string; mode: number},
): Promise<void> {
  try {
    await directory.link(from, to);
  } catch (error) {
    if (!NO_LINKS.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await copyFile(directory, {from, to, mode});
  }
}

async function copyFile(
  directory: Directory,
  {from, to, mode}: {from: string; to: string; mode: number},
): Promise<void> {
  const source = await directory.openFile(from, 'r', 0);
  try {
    const file = await directory.openFile(to, 'wx', mode);
    try {
      for await (const chunk of source.createReadStream({autoClose: false})) await file.writeFile(chunk);
      await file.sync();
    } catch (error) {
      await directory.unlink(to).catch(() => {});
      throw error;
    } finally {
      await file.close();
    }
  } finally {
    await source.close();
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
    if (!force) throw taken(path);
    if (isLink) return null;
    if (existing.uid !== uid) requireOwnDirectory(await directory.stats(), path, uid);
    return existing;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    if (error instanceof AtomctlError) throw error;
    throw outputFailed(path, error);
  }
}

function taken(path: string): AtomctlError {
  return new AtomctlError('OUTPUT_EXISTS', `${path} already exists.`, {
    hint: 'To replace it, give --force; or give another name.',
  });
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
