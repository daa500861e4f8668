import {type AtomctlError, usageError} from '../errors.ts';
import type {PhpOptions} from '../php/run-php.ts';
import {type PhpArray, phpString} from '../php/value.ts';
import {readConfigYaml} from './config/config-yaml.ts';

/** A server of AtoM's search engine, as search.yml names it. */
export interface SearchServer {
  host: string;
  port: number;
  tls: boolean;
  /** The files that name it. */
  origin: string;
}

/** What AtoM's search plugin takes if search.yml leaves it out. */
const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 9200;

/**
 * The search servers of an AtoM root: `server` in search.yml is one server, or holds a list of them as `servers` or `connections`.
 * Empty if no search.yml names one.
 * @throws AtomctlError USAGE if a file cannot be read, or names something that is not a server
 */
export async function readSearchServers(root: string, options: PhpOptions): Promise<SearchServer[]> {
  const found = (await readConfigYaml(root, 'search.yml', options)).get(['server'], ['prod', 'worker']);
  if (found === undefined) return [];
  const {value, origin} = found;
  if (!(value instanceof Map)) throw notServer(origin);
  const list = value.get('servers') ?? value.get('connections');
  const servers = list instanceof Map ? [...list.values()] : [value];
  return servers.map((server) => {
    if (!(server instanceof Map)) throw notServer(origin);
    return searchServer(server, origin);
  });
}

function searchServer(server: PhpArray, origin: string): SearchServer {
  const text = (key: string) => phpString(server.get(key) ?? null);
  // A URL wins over host and port; it may hold a password.
  const url = URL.canParse(text('url')) ? new URL(text('url')) : null;
  const tls = url === null ? text('transport').toLowerCase() === 'https' : url.protocol === 'https:';
  const host = (url?.hostname ?? text('host')).replace(/^\[(.*)\]$/, '$1') || DEFAULT_HOST;
  const given = url === null ? text('port') : url.port || (tls ? '443' : '80');
  const port = given === '' ? DEFAULT_PORT : Number(given);
  if (!Number.isInteger(port) || port < 1 || port > 65_535 || /[\s/@]/.test(host)) throw notServer(origin);
  return {host, port, tls, origin};
}

function notServer(origin: string): AtomctlError {
  return usageError(
    `${origin} has no valid search server.`,
    'In search.yml, set host and port under server, as in the file that AtoM ships.',
  );
}
