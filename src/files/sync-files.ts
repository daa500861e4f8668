import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  type PathLike,
  readdirSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import {type AtomctlError, usageError} from '../errors.ts';

/** The largest file of a site that is read: AtoM's own have some KiB. A parser takes about a second for one of this size. */
export const MOST_BYTES = 256 * 1024;

/*
 * node:fs/promises for the files of a site. They are few, small and local: using Node's thread pool for them, and
 * loading the code for it, takes ten times as long as reading them.
 */

/**
 * The text of a regular file. A link may lead to anything: atomctl does not wait for a pipe and does not read
 * /dev/zero.
 * @throws AtomctlError USAGE if it is not a regular file, or larger than `mostBytes`; else Node's own error
 */
export async function readFile(file: PathLike, mostBytes = MOST_BYTES): Promise<string> {
  return readRegular(file, mostBytes, () => {});
}

const WRITABLE_BY_EVERYONE = 0o002;

function readRegular(file: PathLike, mostBytes: number, check: (stats: Stats) => void): string {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile())
      throw usageError(`${file} is not a regular file.`, 'Give the name of a regular file.');
    if (stats.size > mostBytes) throw tooLarge(`${file}`, mostBytes);
    check(stats);
    return readAll(descriptor, file, mostBytes).toString('utf8');
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The same for a file that decides where a password is sent: whoever may write it decides that.
 * @throws AtomctlError USAGE also if everyone may write it
 */
export async function readSettingsFile(file: PathLike): Promise<string> {
  return readRegular(file, MOST_BYTES, (stats) => {
    if ((stats.mode & WRITABLE_BY_EVERYONE) === 0) return;
    throw usageError(
      `${file} is writable by everyone, so atomctl does not use it.`,
      `Run: chmod o-w ${file}`,
    );
  });
}

const ROOT = 0;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * The same for a file that only its owner could write, who is root or the caller: it decides which jobs run.
 * @param uid the caller's
 * @throws AtomctlError USAGE also if another user owns it, or its group or everyone may write it
 */
export async function readOwnFile(file: PathLike, mostBytes: number, uid: number): Promise<string> {
  return readRegular(file, mostBytes, (stats) => {
    if (stats.uid !== ROOT && stats.uid !== uid) {
      throw usageError(
        `${file} belongs to another user (uid ${stats.uid}), so atomctl does not use it.`,
        `If you know its contents, copy it: install -m 600 ${file} COPY`,
      );
    }
    if ((stats.mode & WRITABLE_BY_OTHERS) === 0) return;
    throw usageError(
      `${file} is writable by its group or by everyone, so atomctl does not use it.`,
      `If you know its contents, run: chmod go-w ${file}`,
    );
  });
}

/** Files below /proc have no size, so what was read is counted. */
function readAll(descriptor: number, file: PathLike, mostBytes: number): Buffer {
  const chunks: Buffer[] = [];
  for (let size = 0; ; ) {
    const chunk = Buffer.allocUnsafe(64 * 1024);
    const count = readSync(descriptor, chunk);
    if (count === 0) return Buffer.concat(chunks);
    size += count;
    if (size > mostBytes) throw tooLarge(`${file}`, mostBytes);
    chunks.push(chunk.subarray(0, count));
  }
}

/** The error for a file, or for what PHP in it prints, that no administrator wrote. */
export function tooLarge(what: string, mostBytes = MOST_BYTES): AtomctlError {
  return usageError(`${what} is larger than ${mostBytes / 1024} KiB.`, 'Check its contents.');
}

export async function realpath(file: PathLike): Promise<string> {
  return realpathSync.native(file);
}

export async function stat(file: PathLike) {
  return statSync(file);
}

export async function lstat(file: PathLike) {
  return lstatSync(file);
}

export async function readdir(directory: PathLike): Promise<string[]> {
  return readdirSync(directory);
}
