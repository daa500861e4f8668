import {AtomctlError} from '../errors.ts';
import {formatAddress, type ServerAddress} from '../gearman/address.ts';
import {
  type Connection,
  connectServers,
  type FunctionStatus,
  type GearmanServer,
  type ServerConnection,
} from '../gearman/server.ts';
import {claimsToBeProbe} from './probe/probe-id.ts';

/** What one Gearman server answered; the two lists are empty if it did not answer. */
export interface ServerReport {
  /** `host:port`. */
  address: string;
  reachable: boolean;
  /** null if the server does not report it. */
  version: string | null;
  /** Why the server is not reachable, one sentence; null if it is. */
  error: string | null;
  /** What to do about the error. */
  hint?: string | undefined;
  functions: FunctionStatus[];
  connections: Connection[];
  /** Lines of its answers that could not be read and are not in the lists. */
  skippedLines: number;
}

/** One sentence about the lines that could not be read. */
export function skippedText(address: string, lines: number): string {
  const counted = lines === 1 ? '1 line' : `${lines} lines`;
  return `${counted} of the answers of Gearman server ${address} could not be read and ${lines === 1 ? 'is' : 'are'} ignored.`;
}

/**
 * Connects to every server, asks each what it has, and disconnects. A server that fails is reported, never thrown.
 * @param options.timeoutSeconds bounds each connection and each reply
 */
export async function askServers(options: {
  addresses: readonly ServerAddress[];
  timeoutSeconds: number;
}): Promise<ServerReport[]> {
  const connections = await connectServers(options.addresses, {timeoutSeconds: options.timeoutSeconds});
  try {
    return await Promise.all(connections.map(reportServer));
  } finally {
    for (const connection of connections) if ('server' in connection) connection.server.close();
  }
}

/** Asks one connected server for its functions, its connections and its version. Never throws AtomctlError. */
export async function reportServer(connection: ServerConnection): Promise<ServerReport> {
  const address = formatAddress(connection.address);
  if (!('server' in connection)) return unreachable(address, connection.error);
  try {
    const functions = await connection.server.status();
    const connections = await connection.server.connections();
    const version = await versionOf(connection.server);
    return {
      address,
      reachable: true,
      version,
      error: null,
      functions: withoutProbes(functions, connections),
      connections,
      skippedLines: connection.server.skippedLines,
    };
  } catch (error) {
    return unreachable(address, error);
  }
}

/**
 * Counts no probe of atomctl as a worker, as `status` does: a client under its name that never leaves would hide that a
 * class has none.
 */
function withoutProbes(functions: FunctionStatus[], connections: readonly Connection[]): FunctionStatus[] {
  const probes = connections.filter(({id}) => claimsToBeProbe(id));
  const workers = connections.filter(({id}) => !claimsToBeProbe(id));
  return functions.map((row) => {
    const has = (connection: Connection) => connection.functions.includes(row.function);
    return probes.some(has) ? {...row, workers: workers.filter(has).length} : row;
  });
}

/** Asked last: Python's gear does not answer this, and is still a working server. */
async function versionOf(server: GearmanServer): Promise<string | null> {
  try {
    return (await server.version()).version;
  } catch (error) {
    if (error instanceof AtomctlError) return null;
    throw error;
  }
}

function unreachable(address: string, error: unknown): ServerReport {
  if (!(error instanceof AtomctlError)) throw error;
  return {
    address,
    reachable: false,
    version: null,
    error: error.message,
    hint: error.hint,
    functions: [],
    connections: [],
    skippedLines: 0,
  };
}
