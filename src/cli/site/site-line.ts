import {AtomctlError} from '../../errors.ts';
import {describeEndpoint, endpointOf} from '../../mysql/endpoint.ts';
import {sanitizeLine} from '../../render/sanitize.ts';
import type {Context} from '../context.ts';

/** Names a site for a question and for the record of a change. Nothing in it is secret. */
export interface SiteName {
  /** The name in the configuration file; otherwise the root; null if there is neither. */
  site: string | null;
  root: string | null;
  /** `atom at 127.0.0.1:3306`; null if none is configured or its settings cannot be read. */
  database: string | null;
}

/** Connects to nothing. @throws AtomctlError USAGE if the named site or the root is wrong */
export async function siteName(context: Context): Promise<SiteName> {
  const site = await context.site();
  const {value: root} = await site.root();
  const database = await site.database().catch((error: unknown) => {
    // What needs no database may be done without one.
    if (error instanceof AtomctlError) return null;
    throw error;
  });
  const place = database && `${database.value.database} at ${describeEndpoint(endpointOf(database.value))}`;
  return {site: context.siteName ?? root, root, database: place};
}

/** `Site north (/srv/north), database atom at 127.0.0.1:3306.` */
export async function siteLine(context: Context): Promise<string> {
  const {site, root, database} = await siteName(context);
  const name = [site ?? 'without a root', ...(root === null || root === site ? [] : [`(${root})`])].join(' ');
  return sanitizeLine(`Site ${name}, ${database === null ? 'no database known' : `database ${database}`}.`);
}
