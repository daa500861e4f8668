import type {ServerReport} from '../../../src/queue/server-report.ts';

export const PREFIX = '0123456789abcdef0123456789abcdef';
export const OTHER_PREFIX = 'fedcba9876543210fedcba9876543210';

/** A server that answers; `[function, total, running, workers]` each, and workers as `id: functions`. */
export function answering(
  address: string,
  rows: readonly [name: string, total: number, running: number, workers: number][],
  workers: Readonly<Record<string, readonly string[]>> = {},
): ServerReport {
  return {
    address,
    reachable: true,
    version: '1.1.20',
    error: null,
    skippedLines: 0,
    functions: rows.map(([name, total, running, count]) => ({
      function: name,
      total,
      running,
      workers: count,
    })),
    connections: Object.entries(workers).map(([id, functions], index) => ({
      fd: 30 + index,
      ip: '127.0.0.1',
      id,
      functions: [...functions],
    })),
  };
}

export function silent(address: string): ServerReport {
  const error = `The Gearman server ${address} does not answer.`;
  return {address, reachable: false, version: null, error, functions: [], connections: [], skippedLines: 0};
}
