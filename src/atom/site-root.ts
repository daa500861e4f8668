import path from 'node:path';
import {AtomctlError, usageError} from '../errors.ts';
import {readdir, realpath, stat} from '../files/sync-files.ts';
import type {Setting} from './site.ts';

/** Where AtoM is usually installed; `*` stands for any one directory name. */
export const USUAL_PLACES = ['/usr/share/nginx/atom', '/var/www/atom', '/usr/share/nginx/*/src', '/atom/src'];

/** What only the top directory of an AtoM installation has. */
const LANDMARKS = ['symfony', 'config/ProjectConfiguration.class.php'];

export interface RootSearch {
  /** The directory that the user gave, by whatever way. */
  given: Setting<string> | undefined;
  cwd: string;
  usualPlaces: readonly string[];
}

/**
 * The AtoM installation: the given directory, else the working directory or the nearest of its parents that is one,
 * else the usual places. Symbolic links are resolved, since AtoM's function prefix hangs on the resolved path.
 * The value is null where nothing is found.
 * @throws AtomctlError USAGE where the given directory is no AtoM installation, or several usual places are one
 */
export async function findRoot({given, cwd, usualPlaces}: RootSearch): Promise<Setting<string | null>> {
  if (given) return givenRoot(given, cwd);
  for (let directory = cwd; ; directory = path.dirname(directory)) {
    if (await isRoot(directory)) return {value: await realpath(directory), origin: 'working directory'};
    if (directory === path.dirname(directory)) break;
  }
  const candidates = (await Promise.all(usualPlaces.map(expandStar))).flat();
  const roots = new Set<string>();
  for (const candidate of candidates) {
    if (await isRoot(candidate)) roots.add(await realpath(candidate));
  }
  const [first = null, ...others] = roots;
  if (others.length > 0) {
    throw usageError(
      `There are several AtoM installations here: ${[...roots].join(', ')}.`,
      'Choose one with --atom-root, or run atomctl inside it.',
    );
  }
  return {value: first, origin: first === null ? 'not found' : 'usual place'};
}

async function givenRoot({value, origin}: Setting<string>, cwd: string): Promise<Setting<string>> {
  const resolved = await realpath(path.resolve(cwd, value)).catch((cause: NodeJS.ErrnoException) => {
    throw new AtomctlError('USAGE', `The AtoM root ${value} (${origin}) cannot be read (${cause.code}).`, {
      cause,
    });
  });
  if (await isRoot(resolved)) return {value: resolved, origin};
  throw usageError(
    `${value} (${origin}) is no AtoM installation: it lacks ${LANDMARKS.join(' or ')}.`,
    'Give the directory that holds the symfony script, usually /usr/share/nginx/atom.',
  );
}

async function isRoot(directory: string): Promise<boolean> {
  const found = await Promise.all(
    LANDMARKS.map((landmark) =>
      stat(path.join(directory, landmark)).then(
        (stats) => stats.isFile(),
        () => false,
      ),
    ),
  );
  return found.every(Boolean);
}

async function expandStar(place: string): Promise<string[]> {
  const [before, after] = place.split('*') as [string, string | undefined];
  if (after === undefined) return [place];
  const names = await readdir(before).catch(() => []);
  return names.sort().map((name) => before + name + after);
}
