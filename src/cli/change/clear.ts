import type {ClearSiteOptions} from '../../jobs/clear/clear.ts';
import type {JobFilter} from '../../jobs/model/filter.ts';
import type {ReplicaAddress} from '../../mysql/replica.ts';
import type {Context} from '../context.ts';
import {untilInterrupted} from '../interrupt.ts';
import {liveFacts} from '../live.ts';
import type {UnitFlags} from '../worker/unit-flags.ts';
import {replicaWait} from './replicas.ts';

export interface ClearSettings {
  /** Which worker units to restart. */
  unit: UnitFlags;
  /** All jobs of the site go, with Gearman jobs that have no row. */
  everything: boolean;
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
  Pick<ClearSiteOptions, 'queue' | 'worker' | 'downloads' | 'batchSize' | 'pauseSeconds' | 'replicas'>
> {
  const {unit, everything, batchSize, pauseSeconds} = settings;
  return {
    replicas: await replicaWait(context, settings),
    queue: settings.keepQueue ? null : {...(await queueSources(context)), everything},
    worker: settings.restartWorker
      ? await (await import('../worker/worker-control.ts')).workerControl(context, unit)
      : null,
    downloads: settings.deleteDownloads ? await downloadsOf(context) : null,
    batchSize,
    pauseSeconds,
  };
}

async function downloadsOf(context: Context): Promise<string> {
  const directory = await (await context.site()).downloads();
  if (directory !== null) return directory;
  const {usageError} = await import('../../errors.ts');
  throw usageError(
    'The downloads directory of this site was not found.',
    'Give --atom-root, or leave out --delete-downloads.',
  );
}

/** What clear and kill need to change the site's queue. */
export async function queueSources(context: Context) {
  const site = await context.site();
  const [servers, prefix, time] = await Promise.all([
    context.servers(),
    site.functionPrefix(),
    context.time(),
  ]);
  return {
    servers,
    prefix: prefix.value,
    time,
    now: context.now,
    timeoutSeconds: context.timeoutSeconds,
    ...(await liveFacts(context)),
  };
}

export interface ExportOptions {
  /** null: nothing is exported. */
  path: string | null;
  /** Replaces the file if it exists. */
  force: boolean;
  filter: JobFilter;
  signal: AbortSignal;
}

/** Saves the history of the jobs that will be deleted. Returns the file's path, or null if none was asked for. */
export async function exportBefore(
  context: Context,
  {path, force, filter, signal}: ExportOptions,
): Promise<string | null> {
  if (path === null) return null;
  const [{exportRows}, {ATOM_COLUMNS}, {writeHistoryFile}, {renderCsv}] = await Promise.all([
    import('../../jobs/export/export-csv.ts'),
    import('../../jobs/export/columns.ts'),
    import('../../files/write-whole-file.ts'),
    import('../../render/csv.ts'),
  ]);
  const [database, time] = await Promise.all([context.database(), context.time()]);
  const rows = exportRows({database, time, now: context.now(), filter, columns: ATOM_COLUMNS});
  const chunks = renderCsv(ATOM_COLUMNS, rows, {escapeFormulas: true, bom: false});
  await writeHistoryFile({path, chunks: untilInterrupted(chunks, signal), force});
  return path;
}
