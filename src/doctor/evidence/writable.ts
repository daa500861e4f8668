import {access, constants, realpath, stat} from 'node:fs/promises';
import {userInfo} from 'node:os';
import {dirname} from 'node:path';
import type {LocalAccount} from '../../host/accounts.ts';

const {W_OK, X_OK} = constants;

/** A directory that keeps an account from writing. */
export interface Obstacle {
  path: string;
  /** What the account may not do there. */
  lacks: 'enter' | 'write to';
}

/**
 * What keeps an account from writing into a directory; null if nothing does. Of one that does not exist, its parent decides, since
 * AtoM makes it. For another account than this process's, owner, group and mode are read; an ACL may allow more.
 * @throws Node's own error if this process may not look
 */
export async function obstacleTo(directory: string, account: LocalAccount): Promise<Obstacle | null> {
  const path = await nearest(directory);
  // The system knows more than the mode: ACLs, and file systems that are read-only.
  if (account.uid === userInfo().uid) {
    const isAllowed = await access(path, W_OK | X_OK).then(
      () => true,
      () => false,
    );
    return isAllowed ? null : {path, lacks: 'write to'};
  }
  for (const above of ancestors(dirname(path))) {
    if (!(await isAllowed(above, account, X_OK))) return {path: above, lacks: 'enter'};
  }
  return (await isAllowed(path, account, W_OK | X_OK)) ? null : {path, lacks: 'write to'};
}

/** The directory, or the nearest above it that exists, without links. */
async function nearest(directory: string): Promise<string> {
  try {
    return await realpath(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return nearest(dirname(directory));
  }
}

/** From the top down. */
function ancestors(path: string): string[] {
  const above = dirname(path);
  return above === path ? [path] : [...ancestors(above), path];
}

async function isAllowed(path: string, {uid, gids}: LocalAccount, wanted: number): Promise<boolean> {
  if (uid === 0) return true;
  const stats = await stat(path);
  const shift = stats.uid === uid ? 6 : gids.has(stats.gid) ? 3 : 0;
  return ((stats.mode >> shift) & wanted) === wanted;
}
