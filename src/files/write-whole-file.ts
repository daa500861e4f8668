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
 * Writes a file whole or not at all: beside its place first, synced to the disk, then renamed. What was there
 * before stays until the new content is safe, and nothing half-written is ever seen or left.
 * @throws AtomctlError OUTPUT_EXISTS, OUTPUT_FAILED (no such directory, no permission, disk full), USAGE where the
 * path is no plain file, or what `chunks` throws
 */
export async function writeHistoryFile({path, chunks, force}: HistoryFileOptions): Promise<void> {
  const target = await findTarget(path, force);
  const beside = join(
    dirname(target.path),
    `.${basename(target.path)}.${randomBytes(6).toString('hex')}.tmp`,
  );
  const file = await onDisk(path, () => open(beside, 'wx', target.mode));
  try {
    try {
      await writeAll(file, path, chunks);
    } finally {
      await file.close();
    }
    await onDisk(path, () => rename(beside, target.path));
  } catch (error) {
    await rm(beside, {force: true});
    throw error;
  }
  await onDisk(path, () => syncDirectory(dirname(target.path)));
}

/**
 * Refuses, before any work is done, a path that writeHistoryFile would refuse for what is there.
 * @throws AtomctlError OUTPUT_EXISTS, USAGE, OUTPUT_FAILED
 */
export async function checkHistoryFile(options: {path: string; force: boolean}): Promise<void> {
  await findTarget(options.path, options.force);
}

/** Where the file goes, symbolic links followed, and the permissions of the one it replaces. */
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

/** A failure of `chunks` itself (the database, say) passes as it is: only the disk's are the file's. */
async function writeAll(file: FileHandle, path: string, chunks: AsyncIterable<string>): Promise<void> {
  for await (const chunk of chunks) await onDisk(path, () => file.writeFile(chunk));
  await onDisk(path, () => file.sync());
}

/** Makes the rename itself survive a power cut. */
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
