import {constants} from 'node:fs';
import {type FileHandle, lstat} from 'node:fs/promises';
import {basename, dirname} from 'node:path';
import {AtomctlError, usageError} from '../errors.ts';
import {systemReason} from '../system-failure.ts';
import {Directory} from './directory.ts';

const {O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY} = constants;

/** Linux: major number 1, minor number 3. */
const NULL_DEVICE = 0x103;

/** A file to which lines are appended. It is opened before the work of which it tells, so that one that is refused ends nothing half. */
export class AppendFile {
  readonly #path: string;
  readonly #uid: number;
  #file: FileHandle;
  #isNull: boolean;

  private constructor(path: string, uid: number, {file, isNull}: OpenFile) {
    this.#path = path;
    this.#uid = uid;
    this.#file = file;
    this.#isNull = isNull;
  }

  /**
   * A new file is readable by its owner alone. Nothing is waited for: a pipe without a reader is refused as well.
   * `/dev/null` is accepted: it stands for no file.
   * @param uid the user who writes
   * @throws AtomctlError USAGE if it is not a regular file, or cannot be opened; a symbolic link is not followed, nor one of
   * another user on the way, and a file with two names is refused, since another user may have made one of them
   */
  static async open(path: string, uid: number): Promise<AppendFile> {
    return new AppendFile(path, uid, await openChecked(path, uid));
  }

  /**
   * One write, so that lines of several runs do not mix; then synced to the disk. If the file was moved or removed meanwhile, as by
   * logrotate, the one that has its name now is opened, or a new one, under the same rules.
   * @throws AtomctlError as `open`; Node's own error
   */
  async append(text: string): Promise<void> {
    if (!(await this.#hasItsName())) {
      const now = await openChecked(this.#path, this.#uid);
      await this.#file.close();
      this.#file = now.file;
      this.#isNull = now.isNull;
    }
    await this.#file.appendFile(text);
    // A device cannot be synced.
    if (!this.#isNull) await this.#file.sync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #hasItsName(): Promise<boolean> {
    const own = await this.#file.stat({bigint: true});
    const named = await lstat(this.#path, {bigint: true}).catch(() => null);
    return named !== null && named.dev === own.dev && named.ino === own.ino;
  }
}

interface OpenFile {
  file: FileHandle;
  isNull: boolean;
}

async function openChecked(path: string, uid: number): Promise<OpenFile> {
  const file = await openRegular(path, uid).catch((cause: NodeJS.ErrnoException) => {
    if (cause instanceof AtomctlError) throw cause;
    throw refused(path, REASONS[cause.code ?? ''] ?? `cannot be opened: ${systemReason(cause)}`);
  });
  const stats = await file.stat();
  const isNull = stats.isCharacterDevice() && stats.rdev === NULL_DEVICE;
  const isLink = stats.isFile() && stats.nlink > 1;
  if ((stats.isFile() && !isLink) || isNull) return {file, isNull};
  await file.close();
  throw refused(path, isLink ? 'has a second name (a hard link)' : REASONS.ENXIO!);
}

async function openRegular(path: string, uid: number): Promise<FileHandle> {
  const directory = await Directory.openToWrite(dirname(path), uid);
  try {
    const flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
    return await directory.openFile(basename(path), flags, 0o600);
  } finally {
    await directory.close();
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ELOOP: 'is a symbolic link',
  ENXIO: 'is not a regular file',
  EISDIR: 'is a directory',
  ENOENT: 'is in a directory that does not exist',
  ENOTDIR: 'is in a directory that does not exist',
  EACCES: 'is not writable',
  EPERM: 'is not writable',
  EROFS: 'is on a read-only file system',
};

function refused(path: string, why: string) {
  return usageError(`${path} ${why}.`, 'Give a regular file or a new file name. Nothing was changed.');
}
