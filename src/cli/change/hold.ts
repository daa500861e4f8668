import {setTimeout as sleep} from 'node:timers/promises';
import {AtomctlError} from '../../errors.ts';
import {formatAddress} from '../../gearman/address.ts';
import type {HoldOptions, SiteAfterwards} from '../../jobs/hold/hold.ts';
import type {SitePrefixes} from '../../queue/snapshot.ts';
import type {HoldPreview} from '../../render/queue/held.ts';
import type {Context} from '../context.ts';
import {waitAloud} from '../terminal/wait-aloud.ts';
import {type FoundWorker, findWorker, type UnitFlags, workerService} from '../worker/unit-flags.ts';
import {requireDone, saying, TO_START_AGAIN} from '../worker/worker-control.ts';
import {queueSources} from './clear.ts';

/** How long Gearman may take to show that a worker has gone or has come back. */
const WAIT_SECONDS = 30;

export interface HoldSettings {
  unit: UnitFlags;
  /** An earlier prefix of the site, whose jobs are held too. */
  fromPrefix: string | undefined;
  notice: (text: string) => void;
}

type SiteHold = Pick<HoldOptions, 'stopUnits' | 'checkFirst' | 'afterwards' | 'keepCopy'> & {
  /** The names of the units to stop. */
  units: readonly string[];
} & Omit<HoldOptions, 'signal' | 'maxWaitSeconds' | 'runCommand' | 'rePrefix' | 'notice'>;

/**
 * What holdQueue needs of the site, and of the site after the command.
 * @throws AtomctlError REFUSED if the prefix is not known, or if units would be stopped that execute a job of which Gearman
 *   does not know
 */
export async function holdOptions(context: Context, settings: HoldSettings): Promise<SiteHold> {
  const [queue, database, worker] = await Promise.all([
    queueSources(context),
    context.database(),
    activeUnits(context, settings.unit),
  ]);
  if (queue.prefixes.own === null) {
    throw new AtomctlError(
      'REFUSED',
      "This site's function prefix is not known, so its jobs are not known.",
      {
        hint: 'Give --atom-root or --function-prefix. Nothing was touched.',
      },
    );
  }
  const prefixes = withEarlier(queue.prefixes, settings.fromPrefix);
  return {
    ...queue,
    prefixes,
    database,
    units: worker?.units.map(({name}) => name) ?? [],
    checkFirst: async () => {
      if (worker !== null) await refuseUnseenJobs({...queue, prefixes, database});
    },
    stopUnits: worker === null ? null : () => stopUnits(context, worker),
    async keepCopy(jobs) {
      const [{writeHeldCopy}, {tmpdir}] = await Promise.all([import('./held-copy.ts'), import('node:os')]);
      // The command may have deleted the working directory.
      const directories = [process.cwd(), tmpdir()];
      return await writeHeldCopy(jobs, {directories, savedAt: context.now()});
    },
    afterwards: () => siteAfterwards(context, {worker, prefixes, notice: settings.notice}),
  };
}

/** What a hold would take out and stop. @throws AtomctlError as holdOptions does; if a server does not answer */
export async function holdPreview(context: Context, settings: HoldSettings): Promise<HoldPreview> {
  const [site, {countQueue}] = await Promise.all([
    holdOptions(context, settings),
    import('../../jobs/clear/queue-count.ts'),
  ]);
  const {waiting, executing, missing} = await countQueue(site);
  if (missing[0] !== undefined) throw missing[0];
  return {waiting, executing, units: site.units};
}

function withEarlier(prefixes: SitePrefixes, earlier: string | undefined): SitePrefixes {
  return earlier === undefined ? prefixes : {...prefixes, also: [...prefixes.also, earlier]};
}

/** null without systemd, or if no unit of the site is active here. */
async function activeUnits(context: Context, flags: UnitFlags): Promise<FoundWorker | null> {
  try {
    const found = await findWorker(context, flags);
    const units = found.units.filter(({active}) => active === 'active');
    return units.length === 0 ? null : {...found, units};
  } catch (error) {
    const isNone =
      error instanceof AtomctlError && ['SYSTEMD_UNAVAILABLE', 'NO_SUCH_UNIT'].includes(error.code);
    if (isNone && flags.unit === undefined) return null;
    throw error;
  }
}

/**
 * A restarted gearmand does not know what its workers execute, and after a deploy they may still work under the earlier prefix, whose
 * jobs are not held. Stopping them would interrupt these jobs.
 */
async function refuseUnseenJobs(
  options: Awaited<ReturnType<typeof queueSources>> & Pick<HoldOptions, 'database'>,
): Promise<void> {
  const [{liveStates}, {unseenJobs}] = await Promise.all([
    import('../../jobs/live/live-state.ts'),
    import('../../jobs/hold/unseen-jobs.ts'),
  ]);
  const unseen = unseenJobs(await liveStates(options));
  if (unseen.length === 0) return;
  const ids = unseen.map(({id}) => id).join(', ');
  throw new AtomctlError(
    'REFUSED',
    `Jobs execute that no Gearman server runs under the function prefix of this site, as after a restart of gearmand or a deploy, among these: ${ids}.`,
    {
      hint: 'To see why they still execute: atomctl jobs:why ID. If their prefix is an earlier one: --from-prefix P. Nothing was changed.',
    },
  );
}

async function stopUnits(context: Context, worker: FoundWorker): Promise<void> {
  const {stopWorker} = await import('../../worker/service.ts');
  requireDone(await stopWorker(await workerService(context, worker, WAIT_SECONDS)));
}

/** The settings are read again: the command may have moved the root. */
async function siteAfterwards(
  context: Context,
  options: {worker: FoundWorker | null; prefixes: SitePrefixes; notice: (text: string) => void},
): Promise<SiteAfterwards> {
  const {worker, prefixes, notice} = options;
  const fresh = context.reread();
  const warned = new Set<string>();
  const orNull = (error: unknown) => {
    if (!(error instanceof AtomctlError)) throw error;
    if (!warned.has(error.message)) notice(`Warning: ${error.message}`);
    warned.add(error.message);
    return null;
  };
  const prefix = await fresh
    .site()
    .then((site) => site.functionPrefix())
    .catch(orNull);
  const servers = await fresh.serverAddresses().catch(orNull);
  return {
    prefix: prefix?.value ?? null,
    servers: servers?.map(formatAddress) ?? null,
    async startUnits() {
      if (worker === null) return;
      const {orderStart, startWorker} = await import('../../worker/service.ts');
      const orSaying = saying(worker.units.map(({name}) => name));
      // The command may have left settings that cannot be read: the workers are to run again all the same.
      await orderStart(worker).catch(orSaying);
      const service = await workerService(fresh, worker, WAIT_SECONDS).catch(orSaying);
      // Earlier starts count towards systemd's start limit.
      requireDone(await startWorker({...service, reset: true}).catch(orSaying), TO_START_AGAIN);
    },
    async restore(jobs, rePrefix) {
      const [{restoreJobs}, queue, database] = await Promise.all([
        import('../../jobs/save/restore.ts'),
        queueSources(fresh),
        fresh.database(),
      ]);
      const earlier = [...prefixes.also, ...(prefixes.own ? [prefixes.own] : [])];
      const also = [...queue.prefixes.also, ...(rePrefix ? [] : earlier)];
      return await restoreJobs({
        ...queue,
        database,
        prefixes: {...queue.prefixes, also},
        jobs,
        origin: 'The hold',
        to: null,
        rePrefix,
        recheck: {firstSeen: new Map(), wait: waitAloud(notice)},
        wait: async (milliseconds) => void (await sleep(milliseconds)),
        signal: new AbortController().signal,
      });
    },
    close: () => fresh.dispose(),
  };
}
