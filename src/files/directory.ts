import {constants} from 'node:fs';
import {type FileHandle, lstat, open, realpath, unlink} from 'node:fs/promises';

/**
 * An open directory. What is done in it stays in it: a name is looked up in the directory that was opened, whatever is put in
 * its place on the disk meanwhile. Node has no `openat`; on Linux a path below /proc/self/fd is the same.
 */
export class Directory {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Opens a directory; symbolic links on the way are followed. @throws Node's own error */
  static async open(path: string): Promise<Directory> {
    return new Directory(await openDirectory(await realpath(path)));
  }

  /** Opens a directory in this one. A symbolic link is refused (ELOOP or ENOTDIR). @throws Node's own error */
  async directory(name: string): Promise<Directory> {
    return new Directory(await openDirectory(this.#path(name)));
  }

  /** The owner's user id. */
  async uid(): Promise<number> {
    return (await this.#handle.stat()).uid;
  }

  /** Bytes of a plain file in it; null if it is something else, a link too. @throws Node's own error */
  async fileSize(name: string): Promise<number | null> {
    const stats = await lstat(this.#path(name));
    return stats.isFile() ? stats.size : null;
  }

  /** Deletes a file in it; of a link, the link. @throws Node's own error */
  async unlink(name: string): Promise<void> {
    await unlink(this.#path(name));
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  #path(name: string): string {
    if (name === '' || name === '.' || name === '..' || name.includes('/')) {
      throw Object.assign(new Error(`"${name}" is not a name in a directory`), {code: 'EINVAL'});
    }
    return `/proc/self/fd/${this.#handle.fd}/${name}`;
  }
}

function openDirectory(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}
