import {Flags} from '@oclif/core';
import type {ClearSiteOptions} from '../../jobs/clear/clear.ts';
import type {JobFilter} from '../../jobs/model/filter.ts';
import type {Context} from '../context.ts';
import {confirmationFlags, secondsFrom, wholeNumber} from '../flags/shared-flags.ts';
import {untilInterrupted} from '../interrupt.ts';
import {liveFacts} from '../live.ts';
import {sudoFlag, type UnitFlags, unitFlags} from '../worker/unit-flags.ts';
import {type ReplicaFlags, replicaFlags, replicaWait} from './replicas.ts';

/** What and how to clear, beside the job filters. */
export const clearFlags = {
  ...confirmationFlags,
  ...unitFlags,
  ...sudoFlag,
  inactive: Flags.boolean({summary: 'Only jobs that have ended (AtoM\'s "Clear inactive jobs").'}),
  'dry-run': Flags.boolean({summary: 'Say what would go and change nothing.'}),
  export: Flags.string({
    summary: 'Save the history of these jobs as CSV first; no export, no clearing.',
    helpValue: 'FILE',
  }),
  force: Flags.boolean({summary: 'Replace the file of --export where it exists.', dependsOn: ['export']}),
  'delete-downloads': Flags.boolean({summary: "Delete the jobs' files under the site's downloads too."}),
  'keep-queue': Flags.boolean({summary: 'Leave Gearman alone.', exclusive: ['restart-worker']}),
  'restart-worker': Flags.boolean({
    summary: "End executing jobs too: stop the site's workers first and start them again.",
  }),
  'batch-size': Flags.custom<number>({
    summary: 'Jobs in one transaction; found out while clearing otherwise.',
    helpValue: 'N',
    parse: wholeNumber(1, 'number of jobs'),
  })(),
  ...replicaFlags,
  pause: Flags.custom<number>({
    summary: 'Wait this long between transactions, so that the web site gets its turn.',
    helpValue: 'SECONDS',
    default: 0,
    parse: secondsFrom(0),
  })(),
};

interface ClearFlagValues extends UnitFlags, ReplicaFlags {
  'keep-queue': boolean;
  'restart-worker': boolean;
  'delete-downloads': boolean;
  'batch-size'?: number;
  pause: number;
  export?: string;
  force: boolean;
}

/** What clearSite needs beside the plan. @throws AtomctlError USAGE where downloads are wanted and not to be found */
export async function clearSources(
  context: Context,
  options: {flags: ClearFlagValues; everything: boolean; notice: (text: string) => void},
): Promise<
  Pick<ClearSiteOptions, 'queue' | 'worker' | 'downloads' | 'batchSize' | 'pauseSeconds' | 'replicas'>
> {
  const {flags, everything} = options;
  return {
    replicas: await replicaWait(context, options),
    queue: flags['keep-queue'] ? null : {...(await queueSources(context)), everything},
    worker: flags['restart-worker']
      ? await (await import('../worker/worker-control.ts')).workerControl(context, flags)
      : null,
    downloads: flags['delete-downloads'] ? await downloadsOf(context) : null,
    batchSize: flags['batch-size'] ?? null,
    pauseSeconds: flags.pause,
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

/** What it takes to change the site's queue. */
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

/** Saves the history of what is about to go; the file's path, or null where none was asked for. */
export async function exportBefore(
  context: Context,
  {flags, filter, signal}: {flags: ClearFlagValues; filter: JobFilter; signal: AbortSignal},
): Promise<string | null> {
  if (flags.export === undefined) return null;
  const [{exportRows}, {ATOM_COLUMNS}, {writeHistoryFile}, {renderCsv}] = await Promise.all([
    import('../../jobs/export/export-csv.ts'),
    import('../../jobs/export/columns.ts'),
    import('../../files/write-whole-file.ts'),
    import('../../render/csv.ts'),
  ]);
  const [database, time] = await Promise.all([context.database(), context.time()]);
  const rows = exportRows({database, time, now: context.now(), filter, columns: ATOM_COLUMNS});
  const chunks = renderCsv(ATOM_COLUMNS, rows, {escapeFormulas: true, bom: false});
  await writeHistoryFile({
    path: flags.export,
    chunks: untilInterrupted(chunks, signal),
    force: flags.force,
  });
  return flags.export;
}
