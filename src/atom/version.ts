import {join} from 'node:path';
import {readFile} from '../files/sync-files.ts';

/** A version of AtoM: `[2, 8, 2]`. */
export type AtomVersion = readonly [number, number, number];

/** Up to AtoM 2.6 a comment stands between `const` and `VERSION`. */
const VERSION =
  /\bconst\s+(?:(?:\/\/|#)[^\n]*\n\s*|\/\*[\s\S]*?\*\/\s*)*VERSION\s*=\s*['"](\d{1,4})\.(\d{1,4})\.(\d{1,4})/;

/** The constant is at the beginning of the class. In a long text, the search for the end of comments takes long. */
const BEGINNING = 16 * 1024;

/**
 * AtoM's version as its own code states it; null if it does not, or cannot be read.
 * @param root the AtoM installation, absolute
 */
export async function readVersion(root: string): Promise<AtomVersion | null> {
  const file = join(root, 'apps/qubit/config/qubitConfiguration.class.php');
  const source = await readFile(file).catch(() => '');
  const [, major, minor, patch] = VERSION.exec(source.slice(0, BEGINNING)) ?? [];
  return major === undefined ? null : [Number(major), Number(minor), Number(patch)];
}

/** True if a version comes before another. */
export function isBelow(version: AtomVersion, bound: AtomVersion): boolean {
  const index = bound.findIndex((part, place) => version[place] !== part);
  return index >= 0 && version[index]! < bound[index]!;
}
