import {AtomctlError, usageError} from '../../errors.ts';
import type {ClearSiteOptions} from '../../jobs/clear/clear.ts';
import type {ClearPlan} from '../../jobs/clear/clear-rows.ts';
import type {JobFilter} from '../../jobs/model/filter.ts';
import type {ReplicaAddress} from '../../mysql/replica.ts';
import type {ClearPreview} from '../../render/jobs/changes.ts';
import type {Context} from '../context.ts';
import {historyFile} from '../history-file.ts';
import {untilInterrupted} from '../interrupt.ts';
import {liveFacts} from '../live.ts';
import type {UnitFlags} from '../worker/unit-flags.ts';
import {replicaWait} from './replicas.ts';

export interface ClearSettings {
  /** Which worker units to restart. */
  unit: UnitFlags;
  /** Gearman jobs without a row go too. */
  allQueued: boolean;
  interruptOthers: boolean;
  keepQueue: boolean;
  restartWorker: boolean;
  deleteDownloads: boolean;
  /** null: determined while clearing. */
  batchSize: number | null;
  pauseSeconds: number;
  /** null: replicas are not waited for. */
  maxLagSeconds: number | null;
  /** null: those that the server names. */
  replicas: readonly ReplicaAddress[] | null;
  notice: (text: string) => void;
}

/** What clearSite needs beside the plan. @throws AtomctlError USAGE if the downloads to delete are not found */
export async function clearOptions(
  context: Context,
  settings: ClearSettings,
): Promise<
  Pick<
    ClearSiteOptions,
    | 'queue'
    | 'allQueued'
    | 'worker'
    | 'mayInterrupt'
    | 'downloads'
    | 'batchSize'
    | 'pauseSeconds'
    | 'replicas'
  >
> {
  const {unit, allQueued, batchSize, pauseSeconds} = settings;
  return {
    replicas: await replicaWait(context, settings),
    queue: settings.keepQueue ? null : await queueSources(context),
    allQueued,
    mayInterrupt: settings.interruptOthers ? 'all' : new Set(),
    worker: settings.restartWorker
      ? await (await import('../worker/worker-control.ts')).workerControl(context, unit)
      : null,
    downloads: settings.deleteDownloads ? await downloadsOf(context) : null,
    batchSize,
    pauseSeconds,
  };
}

/** What a clear is going to meet in Gearman and on the disk. @throws AtomctlError for the database; USAGE */
export async function clearPreview(
  context: Context,
  plan: ClearPlan,
  {keepQueue, deleteDownloads}: Pick<ClearSettings, 'keepQueue' | 'deleteDownloads'>,
): Promise<ClearPreview> {
  const database = await context.database();
  const [{previewQueue}, {countFiles}] = await Promise.all([
    import('../../jobs/clear/queue-count.ts'),
    import('../../jobs/clear/clear-rows.ts'),
  ]);
  return {
    plan,
    queue: keepQueue ? null : await previewQueue({...(await queueSources(context)), database}),
    downloads: deleteDownloads ? await countFiles(database, plan, await downloadsOf(context)) : null,
  };
}

/** The file that a pattern names. */
export interface FileName {
  path: string;
  /** The name was made from the time, so that each run means a file of its own: see exportBefore. */
  isDated: boolean;
}

/**
 * The name of a file, with strftime's sequences filled in on the site's wall clock.
 * @param origin of the name, for the error
 * @throws AtomctlError USAGE for a sequence that is not known
 */
export async function fileName(context: Context, pattern: string, origin: string): Promise<FileName> {
  const [date, clock] = (await context.time()).toWall(context.now()).split(' ') as [string, string];
  const [year, month, day] = date.split('-') as [string, string, string];
  const [hour, minute, second] = clock.split(':') as [string, string, string];
  const sequences: Record<string, string> = {
    ...{Y: year, y: year.slice(2), m: month, d: day, H: hour, M: minute, S: second},
    ...{F: date, T: clock, '%': '%'},
  };
  const path = pattern.replace(/%(.?)/g, (sequence, letter: string) => {
    const text = sequences[letter];
    if (text !== undefined) return text;
    throw usageError(
      `Unknown sequence "${sequence}" in ${origin}.`,
      `Known sequences: ${Object.keys(sequences)
        .map((known) => `%${known}`)
        .join(' ')}.`,
    );
  });
  return {path, isDated: /%[^%]/.test(pattern.replaceAll('%%', ''))};
}

async function downloadsOf(context: Context): Promise<string> {
  const directory = await (await context.site()).downloads();
  if (directory !== null) return directory;
  throw usageError(
    'The downloads directory of this site was not found.',
    'Give --atom-root, or omit --delete-downloads.',
  );
}

/** What clear and kill need to change the site's queue. */
export async function queueSources(context: Context) {
  const [servers, time] = await Promise.all([context.servers(), context.time()]);
  return {
    servers,
    time,
    now: context.now,
    timeoutSeconds: context.timeoutSeconds,
    ...(await liveFacts(context)),
  };
}

export interface ExportOptions {
  /** null: nothing is exported. */
  name: FileName | null;
  /** Replaces the file if it exists. */
  force: boolean;
  filter: JobFilter;
  signal: AbortSignal;
}

/**
 * Saves the history of the jobs that will be deleted. A dated name that is taken gets a number: `jobs-2026-11-26-2.csv`. Returns the
 * file's path, or null if none was asked for.
 * @throws AtomctlError as writeWholeFile does
 */
export async function exportBefore(
  context: Context,
  {name, force, filter, signal}: ExportOptions,
): Promise<string | null> {
  if (name === null) return null;
  const [{exportRows}, {ATOM_COLUMNS}, {writeWholeFile}, {renderCsv}] = await Promise.all([
    import('../../jobs/export/export-csv.ts'),
    import('../../jobs/export/columns.ts'),
    import('../../files/write-whole-file.ts'),
    import('../../render/csv.ts'),
  ]);
  const [database, time] = await Promise.all([context.database(), context.time()]);
  const rows = exportRows({database, time, now: context.now(), filter, columns: ATOM_COLUMNS});
  const chunks = renderCsv(ATOM_COLUMNS, rows, {escapeFormulas: true, bom: false});
  const path = name.isDated && !force ? await freePath(name.path) : name.path;
  await writeWholeFile({...historyFile(path, force), chunks: untilInterrupted(chunks, signal)});
  return path;
}

/** More exports of one name mean that something else is wrong. */
const MOST_NUMBERS = 1000;

/** The path, or the first one with a number before its ending that does not exist. */
async function freePath(path: string): Promise<string> {
  const {checkWholeFile} = await import('../../files/write-whole-file.ts');
  const [, stem, ending] = /^(.*?)(\.[^./]*)?$/s.exec(path)!;
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? path : `${stem}-${number}${ending ?? ''}`;
    try {
      await checkWholeFile(historyFile(candidate, false));
      return candidate;
    } catch (error) {
      const isTaken = error instanceof AtomctlError && error.code === 'OUTPUT_EXISTS';
      if (!isTaken || number === MOST_NUMBERS) throw error;
    }
  }
}
