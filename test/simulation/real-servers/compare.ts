import {isOwnFunction} from '../../../src/queue/function-name.ts';
import {pidOf} from '../../../src/queue/workers.ts';
import type {Row} from '../atom-site.ts';
import type {Gearmand} from '../gearmand.ts';
import {afterLastStart, hasFinished} from '../world.ts';
import type {RealGearmand} from './real-gearmand.ts';
import type {RealParts} from './real-parts.ts';
import {STATUS_IDS, type StoredRow} from './real-site.ts';
import {waitFor} from './wait-for.ts';

/**
 * Waits until the real parts are as the model is: queues, keys, connections, rows.
 * @throws Disagreement with what differs
 */
export async function waitUntilAlike(parts: RealParts): Promise<void> {
  let differences: string[] = [];
  await waitFor(
    async () => {
      differences = (await Promise.all([serverDifferences(parts), rowDifferences(parts)])).flat();
      return differences.length === 0 || undefined;
    },
    () => `The model and the real parts differ: ${differences.join('; ')}.`,
  );
}

/** The same of the workers' connections alone. */
export async function waitUntilConnected(parts: RealParts): Promise<void> {
  let differences: string[] = [];
  await waitFor(
    async () => {
      differences = (await serverDifferences(parts)).filter((each) => each.startsWith(WORKERS));
      return differences.length === 0 || undefined;
    },
    () => `The model and the real parts differ: ${differences.join('; ')}.`,
  );
}

const WORKERS = 'workers';

async function serverDifferences(parts: RealParts): Promise<string[]> {
  const found = [...parts.gearmands].map(([server, gearmand]) => differencesOf(parts, server, gearmand));
  return (await Promise.all(found)).flat();
}

async function differencesOf(parts: RealParts, server: Gearmand, gearmand: RealGearmand): Promise<string[]> {
  const {connection: real} = gearmand;
  if (!real) return server.up ? [`${server.address} is up in the model`] : [];
  const entries = server.entries();
  const [status, presences, jobs, connections] = await Promise.all([
    real.status(),
    real.statusOfUniqueKeys(entries.map((entry) => parts.realJob(entry).key)),
    real.jobs(),
    real.connections(),
  ]);
  const ignored = jobs.filter((job) => job.ignored).map(({handle}) => handle);
  const waiting = (await real.statusOfHandles(ignored)).filter(({known, running}) => known && !running);
  const lines = (texts: readonly string[]) => [...texts].sort().join(', ');
  const counts = (rows: readonly {function: string; total: number; running: number}[]) =>
    lines(rows.flatMap((row) => (row.total > 0 ? `${row.function} ${row.total} ${row.running}` : [])));
  const pids = (ids: readonly (number | null | undefined)[]) => lines(ids.map(String));
  const differences: [what: string, model: string, real: string][] = [
    [
      'counts',
      counts(server.status().map((row) => ({...row, function: parts.realFunction(row.function)}))),
      counts(status.filter((row) => !isOwnFunction(row.function))),
    ],
    ['cancelled entries', String(server.waitingIgnored()), String(waiting.length)],
    [
      WORKERS,
      pids(server.connections.flatMap(({id}) => (id.startsWith('pid_') ? parts.realPid(id) : []))),
      pids(connections.flatMap(({id, functions}) => (functions.length > 0 ? (pidOf(id) ?? []) : []))),
    ],
    ...entries.map((entry, index): [string, string, string] => {
      const {known, running} = presences[index]!;
      const name = `job ${entry.payload.jobId} of ${entry.function}`;
      return [name, entry.holder ? 'runs' : 'waits', known ? (running ? 'runs' : 'waits') : 'is unknown'];
    }),
  ];
  return differences
    .filter(([, inModel, inReality]) => inModel !== inReality)
    .map(([what, inModel, inReality]) => `${what} of ${server.address}: model ${inModel}, real ${inReality}`);
}

async function rowDifferences({world, own}: RealParts): Promise<string[]> {
  const rows = await own.rows();
  const found = [...world.own.rows.values()].flatMap((row) => {
    const stored = rows.get(row.id);
    const [model, real] = [
      summaryOf(row, world.setup.version),
      stored ? summaryOfStored(stored, row) : 'is missing',
    ];
    return model === real ? [] : [`row ${row.id}: model ${model}, real ${real}`];
  });
  for (const id of rows.keys()) if (!world.own.rows.has(id)) found.push(`row ${id} should be deleted`);
  return found;
}

/** What the live state rests on; of a log that is full, only what came before that is known. */
function summaryOf(row: Row, version: string): string {
  const starts = row.log.filter(({kind}) => kind === 'started').length;
  if (row.cut) return `${STATUS_IDS[row.status]}, ${starts} starts, full`;
  const failed = afterLastStart(row).some(({kind}) => kind === 'error');
  const parameters = version === '2.8' && row.log.some(({kind}) => kind === 'parameters');
  return `${STATUS_IDS[row.status]}, ${starts} starts, parameters: ${parameters}, finished: ${hasFinished(row)}, failed: ${failed}`;
}

function summaryOfStored({status_id, output}: StoredRow, {cut}: Row): string {
  const log = output ?? '';
  const starts = log.split('": Job started.\n').length - 1;
  if (cut) return `${status_id}, ${starts} starts, ${log.length >= 65_534 ? 'full' : 'not full'}`;
  const since = log.slice(Math.max(log.lastIndexOf('": Job started.\n'), 0));
  return `${status_id}, ${starts} starts, parameters: ${log.includes('": Parameters: ')}, finished: ${since.includes('": Job finished.\n')}, failed: ${/^\[err\]/m.test(since)}`;
}
