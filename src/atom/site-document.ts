import {AtomctlError} from '../errors.ts';
import {formatAddress} from '../gearman/address.ts';
import type {DatabaseConfig} from '../mysql/database.ts';
import type {Setting, Site} from './site.ts';

const MASK = '***';

/** What `config` prints: each value with its origin, secrets masked. null if nothing gives the value. */
export interface SiteDocument {
  root: Setting<string | null>;
  database: Setting<MaskedDatabase | null>;
  gearmanServers: Setting<string[]>;
  functionPrefix: Setting<string | null>;
  timezone: Setting<string>;
  workerTypes: Setting<Record<string, string[]>>;
}

/** A database's settings without its password. */
export interface MaskedDatabase extends Omit<DatabaseConfig, 'password'> {
  /** `***` if there is one, empty if there is none. */
  password: typeof MASK | '';
}

/** Every value of a site. @throws AtomctlError USAGE for the first value that is wrong */
export async function siteDocument(site: Site): Promise<SiteDocument> {
  const servers = await site.gearmanServers();
  return {
    root: await site.root(),
    database: await database(site),
    gearmanServers: {...servers, value: servers.value.map(formatAddress)},
    functionPrefix: await site.functionPrefix(),
    timezone: await site.timezone(),
    workerTypes: await site.workerTypes(),
  };
}

async function database(site: Site): Promise<SiteDocument['database']> {
  try {
    const {value, origin} = await site.database();
    return {value: {...value, password: value.password.isEmpty ? '' : MASK}, origin};
  } catch (error) {
    if (error instanceof AtomctlError && error.code === 'NO_SITE') return {value: null, origin: 'not found'};
    throw error;
  }
}
