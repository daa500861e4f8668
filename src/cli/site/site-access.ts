import type {SiteAccess} from '../../doctor/evidence.ts';
import {hostCommands} from '../../host-commands.ts';
import type {Context} from '../context.ts';
import {waitAloud} from '../terminal/wait-aloud.ts';
import {serviceManager} from '../worker/unit-flags.ts';
import {hostFacts, sitePrefixes} from './host-facts.ts';

/**
 * What doctor's checks need of a site.
 * @param options.stuckAfterSeconds a job whose log has been silent for longer counts as stuck
 * @throws AtomctlError USAGE if a setting is wrong
 */
export async function siteAccess(
  context: Context,
  {stuckAfterSeconds, notice}: {stuckAfterSeconds: number; notice: (text: string) => void},
): Promise<SiteAccess> {
  const site = await context.site();
  const [host, prefixes, timezone, {systemOffsetMs}, {localAccount}] = await Promise.all([
    hostFacts(context),
    sitePrefixes(context),
    site.timezone(),
    import('../../host/system-zone.ts'),
    import('../../host/accounts.ts'),
  ]);
  const [root, prefix, workerTypes, downloads, time, manager, {readStartLimit}] = await Promise.all([
    site.root(),
    site.functionPrefix(),
    site.workerTypes(),
    site.downloads(),
    context.time(),
    serviceManager(context, {'user-manager': false}),
    import('../../worker/start-limit.ts'),
  ]);
  return {
    database: () => context.database(),
    databaseConfig: async () => (await site.database()).value,
    servers: () => context.servers(),
    manager,
    commands: hostCommands(),
    readLimit: (unit) => readStartLimit(unit, manager.scope, context.now()),
    time,
    now: context.now,
    prefixes,
    host,
    recheck: {firstSeen: new Map(), wait: waitAloud(notice)},
    root: root.value,
    prefix: prefix.value,
    prefixOrigin: prefix.origin,
    otherPrefixes: prefixes.also,
    foreignPrefixes: (seen) => prefixes.foreign(seen),
    zoneOrigin: timezone.origin,
    clock: () => host.clock(),
    systemOffsetMs,
    workerTypes: workerTypes.value,
    rootOfOtherDatabase: () => site.rootOfOtherDatabase(),
    searchServers: () => site.searchServers(),
    account: (user) => localAccount(user),
    timeoutSeconds: context.timeoutSeconds,
    downloads,
    stuckAfterSeconds,
  };
}
