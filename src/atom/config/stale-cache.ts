import {join} from 'node:path';
import {readdir, stat} from '../../files/sync-files.ts';
import {yamlLayers} from './config-yaml.ts';

/** A compiled configuration that AtoM still uses although one of its sources is newer. */
export interface StaleCache {
  /** The compiled file, absolute. */
  cache: string;
  /** The newest of its sources. */
  source: string;
  environment: string;
}

const NAMES = ['gearman', 'app'];

/**
 * The compiled gearman.yml and app.yml that are older than their sources. Outside of symfony's debug mode the
 * compiled file wins until the cache is cleared, so the workers may use other servers, types or another key than
 * the files name.
 * @param root the AtoM installation, absolute
 */
export async function findStaleCaches(root: string): Promise<StaleCache[]> {
  const directory = join(root, 'cache/qubit');
  const environments = (await readdir(directory).catch(() => [])).sort();
  const stale: StaleCache[] = [];
  for (const environment of environments) {
    for (const name of NAMES) {
      const cache = join(directory, environment, 'config', `config_${name}.yml.php`);
      const source = await newest(yamlLayers(root, `${name}.yml`));
      const compiledAt = await modifiedAt(cache);
      if (source && compiledAt !== null && compiledAt < source.at) {
        stale.push({cache, source: source.file, environment});
      }
    }
  }
  return stale;
}

/** The root if one of its compiled configurations is stale: then restarting the workers changes nothing. */
export async function staleRoot(root: string | null): Promise<string | null> {
  return root !== null && (await findStaleCaches(root)).length > 0 ? root : null;
}

async function newest(files: readonly string[]): Promise<{file: string; at: number} | undefined> {
  const dated = await Promise.all(files.map(async (file) => ({file, at: await modifiedAt(file)})));
  return dated
    .flatMap(({file, at}) => (at === null ? [] : [{file, at}]))
    .sort((left, right) => right.at - left.at)[0];
}

async function modifiedAt(file: string): Promise<number | null> {
  return stat(file).then(
    ({mtimeMs}) => mtimeMs,
    () => null,
  );
}
