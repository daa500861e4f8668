import {inSourceCulture} from '../mysql/collation.ts';
import type {Queryable} from '../mysql/database.ts';

/** A list of names as PHP serializes it: `a:1:{i:0;s:13:"qtSwordPlugin";}`. */
const NAME_LIST = /^a:\d+:\{(?:i:\d+;s:\d+:"[^"]*";)*\}$/;

/**
 * The plugins that are on, by AtoM's setting `plugins`; null if the setting is missing or is not a list of names.
 * @throws AtomctlError if the database fails
 */
export async function enabledPlugins(database: Queryable): Promise<ReadonlySet<string> | null> {
  const [row] = await database.query<{value: string | null}>(
    `SELECT setting_i18n.value
     FROM setting JOIN setting_i18n ON ${inSourceCulture('setting')}
     WHERE setting.name = 'plugins' ORDER BY setting.id LIMIT 1`,
  );
  return parsePluginList(row?.value ?? '');
}

/** The names in the value of the setting `plugins`; null if it is something else. */
export function parsePluginList(serialized: string): ReadonlySet<string> | null {
  if (!NAME_LIST.test(serialized)) return null;
  return new Set([...serialized.matchAll(/s:\d+:"([^"]*)";/g)].map(([, name]) => name!));
}
