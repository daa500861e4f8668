import {hostname, networkInterfaces} from 'node:os';
import {readFile} from '../../files/sync-files.ts';
import {formatAddress, GEARMAN_PORT, type ServerAddress} from '../../gearman/address.ts';
import type {ServerConnection} from '../../gearman/server.ts';
import {type GearmandProcess, readProcesses} from '../../processes/read-processes.ts';
import {listenerOn, readSockets} from '../../processes/socket-tables.ts';
import {NotAvailable} from '../finding.ts';

/** A Gearman server of the site that runs on this host. */
export interface LocalServer {
  /** `host:port`. */
  address: string;
  everyInterface: boolean;
  /**
   * null if its process was not found, or is not gearmand's (the server in C). If processes are hidden, those of the file that it
   * is started with.
   */
  options: GearmandOptions | null;
  /** Those of the file that it is started with the next time; null if there is none for this port. */
  planned: {options: GearmandOptions; file: string} | null;
}

/** @throws NotAvailable if none of the servers runs here, or the system does not show it */
export async function findLocalServers(servers: readonly ServerConnection[]): Promise<LocalServer[]> {
  const sockets = await readSockets();
  if (sockets === null) throw new NotAvailable('This system has no /proc/net/tcp.');
  const local = servers
    .filter(({address}) => isThisHost(address))
    .map(({address}) => ({address, listener: listenerOn(address.port, sockets)}))
    .filter(({listener}) => listener !== 'none');
  if (local.length === 0) throw new NotAvailable('No Gearman server of this site runs on this host.');
  const {gearmands, incomplete} = await readProcesses();
  return Promise.all(
    local.map(async ({address, listener}) => {
      const planned = await plannedOptions(address.port);
      const found = await findGearmand(address.port, gearmands);
      return {
        address: formatAddress(address),
        everyInterface: listener === 'every',
        options: found ?? (incomplete !== null && gearmands.length === 0 ? (planned?.options ?? null) : null),
        planned,
      };
    }),
  );
}

/** By the address as it was configured; another name of this host is not resolved. */
function isThisHost({host}: ServerAddress): boolean {
  if (host === 'localhost' || host === hostname() || host.startsWith('127.')) return true;
  return Object.values(networkInterfaces())
    .flat()
    .some((own) => own?.address === host);
}

/** The options of a gearmand that matter here, by their long names. */
export type GearmandOptions = ReadonlyMap<string, string>;

const LONG_NAMES: Record<string, string> = {p: 'port', q: 'queue-type', j: 'job-retries'};
/** gearmand reads it if no other is named; its command line wins. */
const CONFIG_FILE = '/etc/gearmand.conf';

/**
 * The options of the gearmand (the server in C) that serves a port on this host, from its command line and its
 * configuration file. Null if none is found, or if several are found: in containers each may have the same port.
 */
export async function findGearmand(
  port: number,
  processes: readonly GearmandProcess[],
): Promise<GearmandOptions | null> {
  const found: GearmandOptions[] = [];
  for (const {argv} of processes) {
    const options = await withConfigFile(parseOptions(argv.slice(1)));
    if (Number(options.get('port') ?? GEARMAN_PORT) === port) found.push(options);
  }
  return found.length === 1 ? found[0]! : null;
}

/** Debian's unit and init script take the arguments from it: `PARAMS="--listen=localhost"`. */
const DEFAULTS_FILE = '/etc/default/gearman-job-server';

async function plannedOptions(port: number): Promise<LocalServer['planned']> {
  const text = await readFile(DEFAULTS_FILE).catch(() => null);
  const given = text === null ? null : parseDefaultsFile(text);
  if (given === null) return null;
  const options = await withConfigFile(given);
  return Number(options.get('port') ?? GEARMAN_PORT) === port ? {options, file: DEFAULTS_FILE} : null;
}

/** The options in the last `PARAMS="..."` of a file for a shell, whose lines may go on after a backslash; null without one. */
export function parseDefaultsFile(text: string): Map<string, string> | null {
  const [, quoted, plain] = [...text.matchAll(/^[ \t]*PARAMS=(?:["']([^"']*)["']|(\S*))/gm)].at(-1) ?? [];
  const params = quoted ?? plain;
  return params === undefined ? null : parseOptions(params.split(/[\s\\]+/).filter(Boolean));
}

async function withConfigFile(given: Map<string, string>): Promise<GearmandOptions> {
  const file = await readFile(given.get('config-file') ?? CONFIG_FILE).catch(() => '');
  return new Map([...parseConfigFile(file), ...given]);
}

/** `--name=value`, `--name value`, `-nvalue`, `-n value`, by long names; an option without a value has an empty one. */
export function parseOptions(args: readonly string[]): Map<string, string> {
  const options = new Map<string, string>();
  for (const [index, arg] of args.entries()) {
    const [, long, short, attached] = /^(?:--([\w-]+)|-(\w))=?(.*)$/s.exec(arg) ?? [];
    const name = long ?? LONG_NAMES[short ?? ''];
    if (name === undefined) continue;
    const next = args[index + 1] ?? '';
    options.set(name, attached || (next.startsWith('-') ? '' : next));
  }
  return options;
}

/** Lines `name = value`; `#` begins a comment. */
export function parseConfigFile(text: string): Map<string, string> {
  const pairs = [...text.matchAll(/^[ \t]*([\w-]+)[ \t]*=[ \t]*([^#\n]*)/gm)];
  return new Map(pairs.map(([, name, value]) => [name!, value!.trim()]));
}
