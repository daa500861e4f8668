import {usageError} from '../../errors.ts';
import type {ClearSiteOptions} from '../../jobs/clear/clear.ts';
import type {SaveHistory} from '../../jobs/clear/history.ts';
import type {ClearPlan} from '../../jobs/clear/plan.ts';
import type {JobStatus} from '../../jobs/model/job.ts';
import type {Interruptible, WorkerControl} from '../../jobs/model/worker-control.ts';
import type {ReplicaAddress} from '../../mysql/replica.ts';
import type {ClearPreview} from '../../render/jobs/changes.ts';
import type {Context} from '../context.ts';
import {type FileName, namedFile} from '../history-file.ts';
import {liveFacts} from '../site/live.ts';
import {untilInterrupted} from '../terminal/interrupt.ts';
import type {UnitFlags} from '../worker/unit-flags.ts';
import {replicaWait} from './replicas.ts';

export interface ClearSettings {
  /** Which worker units to restart. */
  unit: UnitFlags;
  /** Gearman jobs without a row go too. */
  allQueued: boolean;
  /** Other jobs of stopped workers: what was agreed to. */
  mayInterrupt: Interruptible;
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
  const {allQueued, batchSize, pauseSeconds} = settings;
  return {
    replicas: await replicaWait(context, settings),
    queue: settings.keepQueue ? null : await queueSources(context),
    allQueued,
    mayInterrupt: settings.mayInterrupt,
    worker: await workerOf(context, settings),
    downloads: settings.deleteDownloads ? await downloadsOf(context) : null,
    batchSize,
    pauseSeconds,
  };
}

/** Stops and starts workers; null if they may not be restarted. */
async function workerOf(
  context: Context,
  {unit, restartWorker}: Pick<ClearSettings, 'unit' | 'restartWorker'>,
): Promise<WorkerControl | null> {
  if (!restartWorker) return null;
  return (await import('../worker/worker-control.ts')).workerControl(context, unit, 'atomctl queue:workers');
}

export interface PreviewSettings
  extends Pick<ClearSettings, 'unit' | 'keepQueue' | 'allQueued' | 'restartWorker' | 'deleteDownloads'> {
  /** Nobody reads it: what takes long to find out is left out. */
  isUnseen: boolean;
}

/** What a clear is going to meet in Gearman and on the disk. @throws AtomctlError for the database; USAGE */
export async function clearPreview(
  context: Context,
  plan: ClearPlan,
  {keepQueue, allQueued, deleteDownloads, ...settings}: PreviewSettings,
  exportTo: string | null,
): Promise<ClearPreview> {
  const database = await context.database();
  const [{previewQueue}, {previewLive}, {countFiles}] = await Promise.all([
    import('../../jobs/clear/queue-count.ts'),
    import('../../jobs/clear/preview.ts'),
    import('../../jobs/clear/job-files.ts'),
  ]);
  const queue = keepQueue ? null : await queueSources(context);
  const worker = await workerOf(context, settings);
  const isLeft = queue === null || settings.isUnseen;
  return {
    plan,
    queue: queue && (await previewQueue({...queue, database})),
    allQueued,
    ...(isLeft ? {running: null, stop: null} : await previewLive({database, plan, queue, worker})),
    downloads: deleteDownloads ? await countFiles(database, plan, await downloadsOf(context)) : null,
    exportTo,
  };
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
  signal: AbortSignal;
  /** Called with the file's path when it is complete. */
  onExported: (path: string) => void;
}

/**
 * What saves the history of the jobs that will be deleted, and leaves only these in the plan; undefined if none was asked for.
 * It throws AtomctlError as writeWholeFile does.
 */
export function historyBefore(context: Context, {name, ...options}: ExportOptions): SaveHistory | undefined {
  return name === null ? undefined : (plan) => exportPlan(context, plan, {name, ...options});
}

async function exportPlan(
  context: Context,
  plan: ClearPlan,
  {name, force, signal, onExported}: ExportOptions & {name: FileName},
): Promise<ClearPlan> {
  const [{exportRows}, {ATOM_COLUMNS}, {writeWholeFile}, {renderCsv}, {hasId, jobIds}, {statusFromTermId}] =
    await Promise.all([
      import('../../jobs/export/export-csv.ts'),
      import('../../jobs/export/columns.ts'),
      import('../../files/write-whole-file.ts'),
      import('../../render/csv.ts'),
      import('../../jobs/clear/job-ids.ts'),
      import('../../jobs/model/job.ts'),
    ]);
  const [database, time] = await Promise.all([context.database(), context.time()]);
  const byStatus: Record<JobStatus, number[]> = {running: [], completed: [], error: [], unknown: []};
  const includes = ({id, statusId}: {id: number; statusId: number | null}) => {
    if (!hasId(plan.ids, id)) return false;
    byStatus[statusFromTermId(statusId)].push(id);
    return true;
  };
  const {filter} = plan;
  const rows = exportRows({database, time, now: context.now(), filter, columns: ATOM_COLUMNS, includes});
  const chunks = renderCsv(ATOM_COLUMNS, rows, {escapeFormulas: true, bom: false});
  onExported(await writeWholeFile({...namedFile(name, force), chunks: untilInterrupted(chunks, signal)}));
  const needsOtherName = force || !name.isDated;
  const {running, completed, error, unknown} = byStatus;
  return {
    ...plan,
    ids: jobIds([...running, ...completed, ...error, ...unknown]),
    exported: {
      as: {
        running: jobIds(running),
        completed: jobIds(completed),
        error: jobIds(error),
        unknown: jobIds(unknown),
      },
      needsOtherName,
    },
  };
}
