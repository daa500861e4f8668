import {createHash} from 'node:crypto';
import {inSourceCulture} from '../mysql/collation.ts';
import type {Queryable} from '../mysql/database.ts';
import type {PhpOptions} from '../php/run-php.ts';
import {type PhpValue, phpString} from '../php/value.ts';
import {readConfigYaml} from './config/config-yaml.ts';
import type {Setting} from './site.ts';
import {type AtomVersion, isBelow, readVersion} from './version.ts';

/** The first versions of AtoM whose functions have a prefix, and whose prefix does not depend on the database. */
const FIRST_WITH_PREFIX: AtomVersion = [2, 3, 0];
const FIRST_WITH_WORKERS_KEY: AtomVersion = [2, 5, 2];

/** The root as PHP sees it in AtoM's container image. */
const CONTAINER_ROOT = '/atom/src';

/** How a version of AtoM makes its prefix. */
export type PrefixRule = 'none' | 'site title' | 'workers key';

export function prefixRule(version: AtomVersion | null): PrefixRule {
  if (version === null || !isBelow(version, FIRST_WITH_WORKERS_KEY)) return 'workers key';
  return isBelow(version, FIRST_WITH_PREFIX) ? 'none' : 'site title';
}

/** `md5(root . workers_key)`, the key empty if it is null: the prefix since AtoM 2.5.2. */
export function workersKeyPrefix(root: string, key: PhpValue): string {
  return md5(root + phpString(key));
}

/** The prefix of every container of AtoM's image that has set no workers_key. */
export const CONTAINER_PREFIX = workersKeyPrefix(CONTAINER_ROOT, null);

export interface PrefixOptions extends PhpOptions {
  /** The site's database; absent if it must not be connected to. */
  connect?: (() => Promise<Queryable>) | undefined;
}

/**
 * The prefix of a root's Gearman functions, as its version of AtoM computes it: since 2.5.2 `md5(root . workers_key)`,
 * from 2.3.0 to 2.5.1 `md5(siteTitle . siteBaseUrl . root)`, before that none, the empty text. The database is
 * asked only if the version demands it; without it the value is null.
 *
 * It holds only if PHP sees the same path: not across a container's border, nor for workers started before a
 * deploy swapped the link.
 * @param root absolute, symbolic links resolved
 * @param environments of AtoM, the first that gives a workers_key counts
 * @throws AtomctlError USAGE if app.yml cannot be read; what the database throws
 */
export async function computeFunctionPrefix(
  root: string,
  options: PrefixOptions,
  environments: readonly string[],
): Promise<Setting<string | null>> {
  const version = await readVersion(root);
  const release = `AtoM ${version?.join('.')}`;
  switch (prefixRule(version)) {
    case 'none':
      return {value: '', origin: `${release} has no workers_key`};
    case 'site title': {
      if (options.connect === undefined)
        return {value: null, origin: `${release} computes it from the database`};
      const value = await siteTitlePrefix(root, await options.connect());
      return {value, origin: `${root} (${release}), siteTitle and siteBaseUrl in the database`};
    }
    case 'workers key': {
      const key = (await readConfigYaml(root, 'app.yml', options)).get(['workers_key'], environments);
      const origin = key ? `${root} and workers_key in ${key.origin}` : root;
      return {value: workersKeyPrefix(root, key?.value ?? null), origin};
    }
  }
}

/** Settings of a plugin have a scope; AtoM's own have none. The value is that of the setting's source culture. */
async function siteTitlePrefix(root: string, database: Queryable): Promise<string> {
  const rows = await database.query<{name: string; value: string | null}>(
    `SELECT setting.name, setting_i18n.value
     FROM setting JOIN setting_i18n ON ${inSourceCulture('setting')}
     WHERE setting.name IN (?) AND setting.scope IS NULL
     ORDER BY setting.id DESC`,
    [['siteTitle', 'siteBaseUrl']],
  );
  const values = new Map(rows.map(({name, value}) => [name, value ?? '']));
  return md5((values.get('siteTitle') ?? '') + (values.get('siteBaseUrl') ?? '') + root);
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
