import {realpath, stat} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';

/** Whether two paths mean one file: by whatever links or second names, or one that is still to be made. */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([identity(one), identity(other)]);
  return first !== null && first === second;
}

/** Its device and inode; of a file that does not exist, its path without links. null if there is no such directory either. */
async function identity(path: string): Promise<string | null> {
  try {
    const {dev, ino} = await stat(path, {bigint: true});
    return `${dev}:${ino}`;
  } catch {
    return realpath(dirname(path)).then(
      (directory) => join(directory, basename(path)),
      () => null,
    );
  }
}
