import {execFile} from 'node:child_process';
import {fstatSync, lstatSync, type Stats, statSync} from 'node:fs';
import {basename, dirname} from 'node:path';

const LOOKUP_MS = 5_000;
/** Write permission for the group, and for everyone. */
const GROUP_WRITE = 0o020;
const OTHERS_WRITE = 0o002;

/** The command to put before `php`; empty if it runs as the caller. */
export interface PhpUser {
  command: readonly string[];
}

export interface PhpUserOptions {
  /** An open descriptor of the file's directory. */
  directory: number;
  callerUid: number;
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * As whom PHP evaluates a file. A caller other than root runs it as himself. If the caller is root, PHP runs as root
 * only if the file and every directory above it belong to root, are not links and are not writable by others;
 * otherwise as the owner of the directory, with the owner's own groups, and not at all if that is root. The owner
 * must also be the only one who can decide what the file contains: except for root, nobody else may own the file or
 * write to it or its directory.
 * @param file absolute
 */
export async function phpUser(
  file: string,
  {directory, callerUid, env}: PhpUserOptions,
): Promise<PhpUser | {refusal: string}> {
  if (callerUid !== 0) return {command: []};
  const weakness = weaknessForRoot(file);
  if (weakness === null) return {command: []};
  if (fstatSync(directory).uid === 0) return {refusal: `php must not run as root on it, because ${weakness}`};
  const owner = await directoryOwner(file, {directory, env});
  return 'refusal' in owner ? owner : {command: setpriv(owner, ['--no-new-privs'])};
}

/**
 * The account that owns a file's directory, if nobody else but root can decide what the file contains; otherwise why
 * php does not run as that account, as a clause.
 * @param file absolute
 */
export async function directoryOwner(
  file: string,
  {directory, env}: Omit<PhpUserOptions, 'callerUid'>,
): Promise<Account | {refusal: string}> {
  const stats = fstatSync(directory);
  const account = await findAccount(stats.uid, env);
  if (account === null) {
    return {
      refusal: `the owner of its directory (uid ${stats.uid}) has no account, so php cannot run as its owner`,
    };
  }
  const danger = dangerToOwner(file, directory, stats, account);
  return danger === null
    ? account
    : {refusal: `php must not run as ${account.name} on it, because ${danger}`};
}

/** The command that runs another one as this account, with its own groups. */
export function setpriv({uid, gid}: Account, more: readonly string[] = []): string[] {
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--init-groups', ...more, '--'];
}

/**
 * Why root cannot trust a file; null if only root decides what it holds. From the top down, so that no name
 * that was checked can be replaced by anyone but root afterwards.
 */
function weaknessForRoot(file: string): string | null {
  for (const name of pathsTo(file)) {
    const stats = lstat(name);
    if (stats === null) return `${name} cannot be read`;
    if (stats.isSymbolicLink()) return `${name} is a link`;
    if (!(name === file ? stats.isFile() : stats.isDirectory())) return `${name} is not a regular file`;
    if (stats.uid !== 0) return `${name} belongs to uid ${stats.uid}`;
    if ((stats.mode & (GROUP_WRITE | OTHERS_WRITE)) !== 0) return `${name} is writable by others`;
  }
  return null;
}

/** `/`, `/a`, `/a/b` for `/a/b`. */
function pathsTo(file: string): string[] {
  const parent = dirname(file);
  return parent === file ? [file] : [...pathsTo(parent), file];
}

function lstat(name: string): Stats | null {
  try {
    return lstatSync(name);
  } catch {
    return null;
  }
}

/** Who else could make the owner of a directory run his text; null if nobody could. */
function dangerToOwner(
  file: string,
  directory: number,
  directoryStats: Stats,
  {uid, gid}: Account,
): string | null {
  const writableByOthers = (stats: Stats) =>
    (stats.mode & OTHERS_WRITE) !== 0 || ((stats.mode & GROUP_WRITE) !== 0 && stats.gid !== gid);
  if (writableByOthers(directoryStats)) return `${dirname(file)} is writable by others`;
  let stats: Stats;
  try {
    stats = statSync(`/proc/self/fd/${directory}/${basename(file)}`);
  } catch {
    return `${file} cannot be read`;
  }
  if (!stats.isFile()) return `${file} is not a regular file`;
  if (stats.uid !== 0 && stats.uid !== uid) return `${file} belongs to uid ${stats.uid}`;
  return writableByOthers(stats) ? `${file} is writable by others` : null;
}

/** An account of the system. */
export interface Account {
  name: string;
  uid: number;
  /** The primary group. */
  gid: number;
  home: string;
}

/** An account as the system knows it, in /etc/passwd or a directory service; null if there is none. */
function findAccount(uid: number, env: PhpUserOptions['env']): Promise<Account | null> {
  return new Promise((resolve) => {
    const options = {env: {...env}, timeout: LOOKUP_MS};
    execFile('getent', ['passwd', String(uid)], options, (error, stdout) => {
      const [name, , , gid, , home = '/'] = stdout.split('\n', 1)[0]!.split(':');
      resolve(error || !name || !/^\d+$/.test(gid ?? '') ? null : {name, uid, gid: Number(gid), home});
    });
  });
}
