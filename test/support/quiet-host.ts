import type {HostFacts, LiveSources} from '../../src/jobs/live/live-state.ts';
import type {SitePrefixes} from '../../src/queue/snapshot.ts';

/** A host that runs everything itself: no worker process, Gearman on loopback, configuration long unchanged, a sure clock. */
export const QUIET_HOST: HostFacts = {
  workersStatedHere: false,
  processes: async () => ({unreadable: null, workers: [], imports: [], otherSites: new Set()}),
  gearmand: async () => ({startedMs: null, onlyLoopback: true}),
  comesFromHere: async () => true,
  configChangedMs: async () => null,
  serversNotAsked: async () => [],
  serversDoubt: async () => null,
  clock: async () => ({uncertaintyMs: 0, reason: 'The test observed the offset.'}),
};

/** A site with this prefix, beside sites that are not known. */
export function prefixesOf(own: string | null): SitePrefixes {
  return {own, also: [], foreign: async () => new Set()};
}

/** The prefixes and the host for a test that has the servers. */
export function quietFacts(prefix: string | null): Pick<LiveSources, 'prefixes' | 'host'> {
  return {prefixes: prefixesOf(prefix), host: QUIET_HOST};
}

/** Lets ten seconds pass at once. */
export const NO_WAIT = async (): Promise<void> => {};
