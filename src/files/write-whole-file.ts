import {randomBytes} from 'node:crypto';
import {type FileHandle, open, realpath, rename, rm, stat} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {AtomctlError, usageError} from '../errors.ts';

export interface HistoryFileOptions {
  path: string;
  chunks: AsyncIterable<string>;
  /** Replaces a file that exists. */
  force: boolean;
}

/**
 * Writes a file completely or not at all: first under a temporary name in the same directory, synced to the disk,
 * then renamed. The old file is kept until the new content is safe, and an incomplete file is never visible or left.
 * @throws AtomctlError OUTPUT_EXISTS, OUTPUT_FAILED (no such directory, no permission, disk full), USAGE if the
 * path is not a plain file, or what `chunks` throws
 */
export async function writeHistoryFile({path, chunks, force}: HistoryFileOptions): Promise<void> {
  const target = await findTarget(path, force);
  const temporary = join(
    dirname(target.path),
    `.${basename(target.path)}.${randomBytes(6).toString('hex')}.tmp`,
  );
  const file = await onDisk(path, () => open(temporary, 'wx', target.mode));
  try {
    try {
      await writeAll(file, path, chunks);
    } finally {
      await file.close();
    }
    await onDisk(path, () => rename(temporary, target.path));
  } catch (error) {
    await rm(temporary, {force: true});
    throw error;
  }
  await onDisk(path, () => syncDirectory(dirname(target.path)));
}

/**
 * Refuses, before any work is done, a path that writeHistoryFile would refuse.
 * @throws AtomctlError OUTPUT_EXISTS, USAGE, OUTPUT_FAILED
 */
export async function checkHistoryFile(options: {path: string; force: boolean}): Promise<void> {
  await findTarget(options.path, options.force);
}

/** The path of the file, symbolic links followed, and the permissions of the file that it replaces. */
async function findTarget(path: string, force: boolean): Promise<{path: string; mode: number}> {
  try {
    const existing = await stat(path);
    if (!existing.isFile())
      throw usageError(`${path} is not a plain file.`, 'Give the name of a file to write.');
    if (!force) {
      throw new AtomctlError('OUTPUT_EXISTS', `${path} exists already.`, {
        hint: 'Give --force to replace it, or another name.',
      });
    }
    return {path: await realpath(path), mode: existing.mode & 0o777};
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {path, mode: 0o666};
    if (error instanceof AtomctlError) throw error;
    throw outputFailed(path, error);
  }
}

/**
 * A failure of `chunks` itself (for example of the database) passes unchanged: only failures of the disk are the
 * file's.
 */
async function writeAll(file: FileHandle, path: string, chunks: AsyncIterable<string>): Promise<void> {
  for await (const chunk of chunks) await onDisk(path, () => file.writeFile(chunk));
  await onDisk(path, () => file.sync());
}

/** Makes the rename survive a power failure. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function onDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw outputFailed(path, error);
  }
}

const REASONS: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'permission was denied',
  EPERM: 'permission was denied',
  EROFS: 'the file system is read-only',
  ENOENT: 'its directory does not exist',
  ENOTDIR: 'its directory does not exist',
  EFBIG: 'the file would be too large',
};

function outputFailed(path: string, cause: unknown): AtomctlError {
  const {code = 'unknown error'} = cause as NodeJS.ErrnoException;
  return new AtomctlError('OUTPUT_FAILED', `${path} could not be written: ${REASONS[code] ?? code}.`, {
    hint: 'Nothing was left of it. Give another place with more room and write permission.',
    cause,
  });
}
