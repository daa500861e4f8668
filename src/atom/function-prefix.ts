import {createHash} from 'node:crypto';
import path from 'node:path';
import {readFile} from '../files/sync-files.ts';
import type {PhpOptions} from '../php/run-php.ts';
import {phpString} from '../php/value.ts';
import {readConfigYaml} from './config-yaml.ts';
import type {Setting} from './site.ts';

/** The first version of AtoM that keeps sites apart on one Gearman server. */
const FIRST_WITH_PREFIX = [2, 5, 2];

/**
 * The prefix of a root's Gearman functions, as AtoM computes it: `md5(root . workers_key)`, the key empty if there
 * is none. Empty for AtoM before 2.5.2, whose functions have no prefix.
 *
 * It is right only if PHP sees the same path. It is wrong for a container that mounts the root elsewhere, and for
 * workers that were started before a deploy swapped the link.
 * @param root absolute, symbolic links resolved
 * @param environments of AtoM, the first that gives a workers_key counts
 * @throws AtomctlError USAGE if app.yml cannot be read
 */
export async function computeFunctionPrefix(
  root: string,
  options: PhpOptions,
  environments: readonly string[],
): Promise<Setting<string>> {
  const version = await readVersion(root);
  if (version !== null && isBelow(version, FIRST_WITH_PREFIX)) {
    return {value: '', origin: `AtoM ${version.join('.')} has none`};
  }
  const key = (await readConfigYaml(root, 'app.yml', options)).get(['workers_key'], environments);
  const value = createHash('md5')
    .update(root + phpString(key?.value ?? null))
    .digest('hex');
  return {value, origin: key ? `${root} and workers_key in ${key.origin}` : root};
}

/** AtoM's version as its own code states it; null if it does not. */
async function readVersion(root: string): Promise<number[] | null> {
  const file = path.join(root, 'apps/qubit/config/qubitConfiguration.class.php');
  const source = await readFile(file).catch(() => '');
  return /const\s+VERSION\s*=\s*['"](\d+\.\d+\.\d+)/.exec(source)?.[1]?.split('.').map(Number) ?? null;
}

function isBelow(version: readonly number[], bound: readonly number[]): boolean {
  const index = bound.findIndex((part, place) => version[place] !== part);
  return index >= 0 && version[index]! < bound[index]!;
}
