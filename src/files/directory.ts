import {constants, type Stats} from 'node:fs';
import {type FileHandle, link, lstat, open, readlink, realpath, rename, stat, unlink} from 'node:fs/promises';
import {dirname, isAbsolute, join, resolve} from 'node:path';
import {usageError} from '../errors.ts';

const ROOT = 0;
/** As many as Linux follows in one path. */
const MOST_LINKS = 40;
/** Linux: names are looked up in it, but it cannot be read. Who may write into a directory need not be able to read it. */
const O_PATH = 0o10000000;

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

  /**
   * Opens a directory for a user who writes a file in it. A link on the way that belongs to somebody else could lead to any
   * directory, and a directory on the way could become one: neither is followed.
   * @throws AtomctlError USAGE for these; else Node's own error
   */
  static async openToWrite(path: string, uid: number): Promise<Directory> {
    const resolved = await followOwnLinks(path, uid);
    const handle = await openDirectory(resolved, O_PATH);
    if ((await readlink(`/proc/self/fd/${handle.fd}`)) === resolved) return new Directory(handle);
    await handle.close();
    throw usageError(
      `${resolved} was replaced while it was opened.`,
      'Try again, or give another directory.',
    );
  }

  /** Opens a directory in this one. A symbolic link is refused (ELOOP or ENOTDIR). @throws Node's own error */
  async directory(name: string): Promise<Directory> {
    return new Directory(await openDirectory(this.#path(name)));
  }

  /** Of the directory itself. */
  stats(): Promise<Stats> {
    return this.#handle.stat();
  }

  /** Of what has a name in it; of a link, the link's own. @throws Node's own error */
  lstat(name: string): Promise<Stats> {
    return lstat(this.#path(name));
  }

  /** Of what a link in it leads to. @throws Node's own error */
  stat(name: string): Promise<Stats> {
    return stat(this.#path(name));
  }

  /** @param flags as for node:fs's open @throws Node's own error */
  openFile(name: string, flags: string | number, mode: number): Promise<FileHandle> {
    return open(this.#path(name), flags, mode);
  }

  /** Gives a file in it another name in it. @throws Node's own error */
  rename(from: string, to: string): Promise<void> {
    return rename(this.#path(from), this.#path(to));
  }

  /** Gives a file in it a second name in it. @throws Node's own error: EEXIST if something has the name */
  link(from: string, to: string): Promise<void> {
    return link(this.#path(from), this.#path(to));
  }

  /** Makes new names in it survive a power failure. @throws Node's own error */
  async sync(): Promise<void> {
    const handle = await open(`/proc/self/fd/${this.#handle.fd}`, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /** Bytes of a plain file in it; null if it is something else, a link too. @throws Node's own error */
  async fileSize(name: string): Promise<number | null> {
    const stats = await this.lstat(name);
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

function openDirectory(path: string, access: number = constants.O_RDONLY): Promise<FileHandle> {
  return open(path, access | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

/** The path of a directory without links, of which it follows those of root and of this user alone. */
async function followOwnLinks(path: string, uid: number): Promise<string> {
  const waiting = namesOf(isAbsolute(path) ? path : `${resolve('.')}/${path}`);
  let resolved = '/';
  let links = 0;
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    if (name === '..') {
      resolved = dirname(resolved);
      continue;
    }
    const next = join(resolved, name);
    const stats = await lstat(next);
    if (!stats.isSymbolicLink()) {
      resolved = next;
      continue;
    }
    if (stats.uid !== ROOT && stats.uid !== uid) {
      throw usageError(
        `${next} is a link of another user, who can change its target.`,
        'If the target is right, give the target directory itself.',
      );
    }
    links += 1;
    if (links > MOST_LINKS) throw Object.assign(new Error('too many links'), {code: 'ELOOP'});
    const target = await readlink(next);
    if (isAbsolute(target)) resolved = '/';
    waiting.unshift(...namesOf(target));
  }
  return resolved;
}

/** `..` after a link means the parent of where the link leads, so that it cannot be taken out of the text. */
function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}
