import {statSync} from 'node:fs';
import {dirname} from 'node:path';
import {getSystemErrorMap} from 'node:util';
import {accountName} from './account-name.ts';

/** Where the system's own words would not be understood. */
const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOENT: 'it does not exist',
  ENOTDIR: 'a part of its path is not a directory',
  EISDIR: 'it is a directory',
  EEXIST: 'it already exists',
  ELOOP: 'its links form a loop, or a link is not followed',
  EBUSY: 'it is in use',
  EMFILE: 'this process has too many files open',
  ENFILE: 'this machine has too many files open',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be too large',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was closed by the other side',
  ECONNABORTED: 'the connection was closed',
  EPIPE: 'the connection was closed by the other side',
  ETIMEDOUT: 'no answer in time',
  EHOSTUNREACH: 'no route to the host',
  EHOSTDOWN: 'the host is down',
  ENETUNREACH: 'the network cannot be reached',
  ENETDOWN: 'the network is down',
  EADDRNOTAVAIL: 'this machine has no address for it',
  ENOTFOUND: 'the host name has no address',
  EAI_AGAIN: 'the name servers do not answer',
};

/**
 * Why the system refused something, as a clause without a full stop: users never see a code such as ENOENT. A test goes over
 * src for places that print one.
 */
export function systemReason(error: unknown): string {
  const {code, errno, message = ''} = (error ?? {}) as NodeJS.ErrnoException;
  // A library may wrap the error and keep the code only in its text: `read ECONNRESET`.
  const name = code !== undefined && code in WORDS ? code : /\bE[A-Z]{3,}\b/.exec(message)?.[0];
  const [systemName, systemText] = getSystemErrorMap().get(errno ?? 0) ?? [];
  const words = WORDS[name ?? ''] ?? (systemName === code && code !== undefined ? systemText : undefined);
  return words ?? (message.replace(/[\s.:]+$/, '') || 'unknown error');
}

/** Whether the system refused something to this user. */
export function isPermissionDenied({code}: NodeJS.ErrnoException): boolean {
  return code === 'EACCES' || code === 'EPERM';
}

const USUAL_ACCOUNT = 'www-data';

/**
 * The command as the user whose file it is: `sudo -u www-data atomctl …`. The owner is that of the path, or of the nearest directory
 * above it that belongs to somebody other than root.
 */
export function asOwner(path: string | undefined, command = 'atomctl …'): string {
  return `sudo -u ${ownerOf(path) ?? USUAL_ACCOUNT} ${command}`;
}

function ownerOf(path: string | undefined): string | null {
  for (let name = path ?? '/'; name !== dirname(name); name = dirname(name)) {
    try {
      const {uid} = statSync(name);
      if (uid !== 0) return accountName(uid);
    } catch {
      // Its directory may show who owns it.
    }
  }
  return null;
}
