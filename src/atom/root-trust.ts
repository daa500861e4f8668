import {type Stats, statSync} from 'node:fs';
import {join} from 'node:path';
import {accountName} from '../account-name.ts';
import {systemReason} from '../system-failure.ts';

/** Who can write to one of these decides what atomctl reads. The stock cache is writable by everyone. */
const DECISIVE = ['', 'config', 'apps/qubit/config'];
const OWNED = [...DECISIVE, 'cache'];

const CONTROL_CHARACTER = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/gu;

/** Whose installation is trusted: root's and the caller's, or, in a usual place, that of any one owner and root. */
export type TrustedOwners = {callerUid: number} | 'one owner';

/**
 * Why an AtoM root that nobody named is not trusted, as a clause: "/tmp/config belongs to eve (uid 1001), neither to
 * root nor to you". null if it is trusted: its directory, `config`, `apps/qubit/config` and `cache`, as far as they
 * exist, belong to the right owners, and not everyone may write to the first three.
 * @param root absolute, symbolic links resolved
 */
export function distrust(root: string, owners: TrustedOwners): string | null {
  if (printable(root) !== root) return 'its path has control characters';
  let owner: {name: string; uid: number} | undefined;
  for (const place of OWNED) {
    const name = join(root, place);
    const stats = inspect(name);
    if (stats === null) continue;
    if (typeof stats === 'string') return `${name} cannot be inspected: ${stats}`;
    const {uid, mode} = stats;
    if (DECISIVE.includes(place) && (mode & 0o002) !== 0) return `${name} is writable by everyone`;
    if (uid === 0) continue;
    if (owners !== 'one owner') {
      if (uid === owners.callerUid) continue;
      const you = owners.callerUid === 0 ? 'not to root' : 'not to root or to you';
      return `${name} belongs to ${account(uid)}, ${you}`;
    }
    if (owner !== undefined && owner.uid !== uid) {
      return `${owner.name} belongs to ${account(owner.uid)} and ${name} to ${account(uid)}`;
    }
    owner ??= {name, uid};
  }
  return null;
}

/** A path for an error message: another user may have chosen it. */
export function printable(text: string): string {
  return text.replace(CONTROL_CHARACTER, '?');
}

/** null if it does not exist; why, if that is not known. */
function inspect(file: string): Stats | string | null {
  try {
    return statSync(file);
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? null : systemReason(error);
  }
}

/** `www-data (uid 33)`; only the id for an account that is not local. */
function account(uid: number): string {
  const name = accountName(uid);
  return name === null ? `uid ${uid}` : `${name} (uid ${uid})`;
}
