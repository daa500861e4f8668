import {dirname, join, resolve} from 'node:path';
import {type AtomctlError, cannotBeRead, usageError} from '../errors.ts';
import {readdir, realpath, stat} from '../files/sync-files.ts';
import {distrust, printable} from './root-trust.ts';
import type {Setting} from './site.ts';

/** Where AtoM is usually installed; `*` stands for any one directory name. */
export const USUAL_PLACES = ['/usr/share/nginx/atom', '/var/www/atom', '/usr/share/nginx/*/src', '/atom/src'];

/** What only the top directory of an AtoM installation has. */
const LANDMARKS = ['symfony', 'config/ProjectConfiguration.class.php'];

export interface RootSearch {
  /** The directory that the user gave, in any way. */
  given: Setting<string> | undefined;
  cwd: string;
  usualPlaces: readonly string[];
  /** The user id that atomctl runs as. */
  callerUid: number;
}

/**
 * The AtoM installation: the given directory, else the working directory or the nearest of its parents that is one,
 * else the usual places. Symbolic links are resolved, since AtoM's function prefix depends on the resolved path.
 * The value is null if nothing is found. A directory that nobody gave must be trusted: see distrust.
 * @throws AtomctlError USAGE if the given directory is not an AtoM installation, if several usual places are one,
 *   or if what was found is not trusted
 */
export async function findRoot({
  given,
  cwd,
  usualPlaces,
  callerUid,
}: RootSearch): Promise<Setting<string | null>> {
  if (given) return givenRoot(given, cwd);
  for (let directory = cwd; ; directory = dirname(directory)) {
    if (await isRoot(directory)) {
      const root = await realpath(directory);
      await requireTrustFromWithin(root, usualPlaces, callerUid);
      return {value: root, origin: 'working directory'};
    }
    if (directory === dirname(directory)) break;
  }
  const roots = await usualRoots(usualPlaces);
  const [first = null, ...others] = roots;
  if (others.length > 0) {
    throw usageError(
      `Several AtoM installations were found: ${[...roots].join(', ')}.`,
      'Choose one with --atom-root, or run atomctl in its directory.',
    );
  }
  if (first === null) return {value: null, origin: 'not found'};
  const reason = distrust(first, 'one owner');
  if (reason !== null) throw notTrusted(first, 'a usual place', reason);
  return {value: first, origin: 'usual place'};
}

/** Trusts a root around the working directory if it is root's or the caller's, or in a usual place. */
async function requireTrustFromWithin(
  root: string,
  usualPlaces: readonly string[],
  callerUid: number,
): Promise<void> {
  const foreign = distrust(root, {callerUid});
  if (foreign === null) return;
  const usual = (await usualRoots(usualPlaces)).has(root);
  const reason = usual ? distrust(root, 'one owner') : foreign;
  if (reason !== null) throw notTrusted(root, 'the working directory', reason);
}

function notTrusted(root: string, from: string, reason: string): AtomctlError {
  const name = printable(root);
  return usageError(
    `The AtoM installation ${name}, found from ${from}, is not trusted: ${reason}.`,
    `If you trust it, give --atom-root ${name}`,
  );
}

/** The installations in usual places, symbolic links resolved. */
async function usualRoots(usualPlaces: readonly string[]): Promise<Set<string>> {
  const candidates = (await Promise.all(usualPlaces.map(candidateRoots))).flat();
  const roots = new Set<string>();
  for (const candidate of candidates) {
    if (await isRoot(candidate)) roots.add(await realpath(candidate));
  }
  return roots;
}

async function givenRoot({value, origin}: Setting<string>, cwd: string): Promise<Setting<string>> {
  const resolved = await realpath(resolve(cwd, value)).catch((cause: NodeJS.ErrnoException) => {
    throw cannotBeRead(`The AtoM root ${value} (${origin})`, cause);
  });
  if (await isRoot(resolved)) return {value: resolved, origin};
  throw usageError(
    `${value} (${origin}) is not an AtoM installation: it has no ${LANDMARKS.join(' or ')}.`,
    'Give the directory that contains the symfony script, usually /usr/share/nginx/atom.',
  );
}

async function isRoot(directory: string): Promise<boolean> {
  const found = await Promise.all(
    LANDMARKS.map((landmark) =>
      stat(join(directory, landmark)).then(
        (stats) => stats.isFile(),
        () => false,
      ),
    ),
  );
  return found.every(Boolean);
}

/** The directories that a usual place stands for. */
export async function candidateRoots(place: string): Promise<string[]> {
  const [before, after] = place.split('*') as [string, string | undefined];
  if (after === undefined) return [place];
  const names = await readdir(before).catch(() => []);
  return names.sort().map((name) => before + name + after);
}
