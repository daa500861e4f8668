import {stat} from 'node:fs/promises';
import {isAbsolute, join} from 'node:path';

/** Why a file that a job reads cannot be read by it, as far as this host shows: a clause; null if the file is there. */
export async function fileProblem(path: string, root: string | null): Promise<string | null> {
  if (!isAbsolute(path) && root === null) return 'is not an absolute path';
  try {
    // AtoM's worker runs in the root.
    await stat(isAbsolute(path) ? path : join(root!, path));
    return null;
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    return code === 'EACCES' || code === 'EPERM'
      ? 'cannot be checked: permission denied'
      : 'is not on this host';
  }
}
