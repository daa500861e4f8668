import {setTimeout as sleep} from 'node:timers/promises';
import {cannotBeRead} from '../../errors.ts';
import {formatAddress, parseAddress} from '../../gearman/address.ts';
import type {ServerConnection} from '../../gearman/server.ts';
import type {restoreJobs} from '../../jobs/save/restore.ts';
import type {SavedJob} from '../../queue/saved/saved-queue.ts';
import type {Context} from '../context.ts';
import {waitAloud} from '../terminal/wait-aloud.ts';
import {queueSources} from './clear.ts';

export type RestoreWork = Parameters<typeof restoreJobs>[0];

/**
 * Reads the copy and connects to what a restore needs, also to the server of `--to`, which it closes afterwards.
 * @throws AtomctlError USAGE if the file is not a copy, is damaged or is not trusted; if the server cannot be reached
 */
export async function withRestoreOptions(
  context: Context,
  {file, to, rePrefix}: {file: string; to: string | undefined; rePrefix: boolean},
  notice: (text: string) => void,
  work: (options: RestoreWork) => Promise<void>,
): Promise<void> {
  const jobs = await readCopy(file);
  const [queue, database] = await Promise.all([queueSources(context), context.database()]);
  const target = to === undefined ? null : await connectTarget(context, to, queue.servers);
  try {
    await work({
      ...queue,
      database,
      servers: target?.isNew ? [...queue.servers, target.connection] : queue.servers,
      to: target?.connection.server ?? null,
      jobs,
      origin: file,
      rePrefix,
      recheck: {firstSeen: new Map(), wait: waitAloud(notice)},
      wait: async (milliseconds) => void (await sleep(milliseconds)),
      signal: new AbortController().signal,
    });
  } finally {
    if (target?.isNew) target.connection.server.close();
  }
}

async function readCopy(file: string): Promise<SavedJob[]> {
  const [{readOwnFile}, {MOST_SAVED_BYTES, readSavedQueue}, {checkedJobs}] = await Promise.all([
    import('../../files/sync-files.ts'),
    import('../../queue/saved/saved-queue.ts'),
    import('../../queue/saved/check-jobs.ts'),
  ]);
  const text = await readOwnFile(file, MOST_SAVED_BYTES, process.geteuid!()).catch((error) => {
    throw cannotBeRead(file, error, 'Give a file that atomctl queue:save wrote.');
  });
  return checkedJobs(readSavedQueue(text, file).jobs, file);
}

type Connected = Extract<ServerConnection, {server: unknown}>;

async function connectTarget(
  {timeoutSeconds}: Context,
  text: string,
  servers: readonly ServerConnection[],
): Promise<{connection: Connected; isNew: boolean}> {
  const address = parseAddress(text, '--to');
  const own = servers.find((each) => formatAddress(each.address) === formatAddress(address));
  if (own !== undefined && 'server' in own) return {connection: own, isNew: false};
  if (own !== undefined) throw own.error;
  const {connectServer} = await import('../../gearman/server.ts');
  return {connection: {address, server: await connectServer(address, {timeoutSeconds})}, isNew: true};
}
