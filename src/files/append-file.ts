import {constants} from 'node:fs';
import {type FileHandle, open} from 'node:fs/promises';
import {usageError} from '../errors.ts';

const {O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY} = constants;

/** Linux: major number 1, minor number 3. */
const NULL_DEVICE = 0x103;

/** A file to which lines are appended. It is opened before the work of which it tells, so that one that is refused ends nothing half. */
export class AppendFile {
  readonly #file: FileHandle;
  readonly #isNull: boolean;

  private constructor(file: FileHandle, isNull: boolean) {
    this.#file = file;
    this.#isNull = isNull;
  }

  /**
   * A new file is readable by its owner alone. Nothing is waited for: a pipe without a reader is refused as well.
   * `/dev/null` is accepted: it stands for no file.
   * @throws AtomctlError USAGE if it is not a regular file, or cannot be opened; a symbolic link is not followed, and a file
   * with two names is refused, since another user may have made one of them
   */
  static async open(path: string): Promise<AppendFile> {
    const flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
    const file = await open(path, flags, 0o600).catch((cause: NodeJS.ErrnoException) => {
      throw refused(path, REASONS[cause.code ?? ''] ?? `cannot be opened (${cause.code})`);
    });
    const stats = await file.stat();
    const isNull = stats.isCharacterDevice() && stats.rdev === NULL_DEVICE;
    const isLink = stats.isFile() && stats.nlink > 1;
    if ((stats.isFile() && !isLink) || isNull) return new AppendFile(file, isNull);
    await file.close();
    throw refused(path, isLink ? 'has another name too (a hard link)' : REASONS.ENXIO!);
  }

  /** One write, so that lines of several runs do not mix; then synced to the disk. @throws Node's own error */
  async append(text: string): Promise<void> {
    await this.#file.appendFile(text);
    // A device cannot be synced.
    if (!this.#isNull) await this.#file.sync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ELOOP: 'is a symbolic link',
  ENXIO: 'is not a regular file',
  EISDIR: 'is a directory',
  ENOENT: 'lies in a directory that does not exist',
  ENOTDIR: 'lies in a directory that does not exist',
  EACCES: 'may not be written',
  EPERM: 'may not be written',
  EROFS: 'lies on a read-only file system',
};

function refused(path: string, why: string) {
  return usageError(`${path} ${why}.`, 'Give a regular file, or a new one. Nothing was changed.');
}
