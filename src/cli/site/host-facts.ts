import {formatAddress, type ServerAddress} from '../../gearman/address.ts';
import type {SeenOnServers} from '../../host/foreign-prefixes.ts';
import type {GearmandFacts} from '../../host/local-gearmand.ts';
import type {ObservedClock} from '../../host/observed-clock.ts';
import type {SiteProcesses} from '../../host/site-processes.ts';
import type {ProcessReport} from '../../processes/read-processes.ts';
import type {UnitState} from '../../systemd/unit-state.ts';
import type {Context} from '../context.ts';

/** What this host and the configuration can tell of a site; each call asks again. */
export interface HostFacts {
  processes(): Promise<SiteProcesses>;
  gearmand(address: ServerAddress): Promise<GearmandFacts>;
  /** See comesFromHere. */
  comesFromHere(ip: string, server: string): Promise<boolean>;
  /** The configuration file says that workers run only on this host. */
  workersStatedHere: boolean;
  /** See configModifiedMs. */
  configChangedMs(): Promise<number | null>;
  /** See Site.serversNotAsked; `host:port`. */
  serversNotAsked(): Promise<string[]>;
  /** See Site.serversDoubt. */
  serversDoubt(): Promise<string | null>;
  /** Asked for once: journald is slow on a large journal. */
  clock(): Promise<ObservedClock>;
}

/** The prefixes that tell a site's functions from others'. */
export interface SitePrefixes {
  /** null if it is not known, empty if the site's functions have none. */
  own: string | null;
  /** Others that are the site's too. */
  also: readonly string[];
  /** Of the prefixes that the servers show, those that are known to be other sites'. */
  foreign(snapshot: SeenOnServers): Promise<ReadonlySet<string>>;
}

/** A listing does not wait longer than this for journald. */
const JOURNAL_SECONDS = 2;
const JOURNAL_LINES = 200;

/** @throws AtomctlError USAGE if a setting of the site is wrong */
export async function hostFacts(context: Context): Promise<HostFacts> {
  const site = await context.site();
  const facts = new ContextHost(context);
  return {
    processes: () => facts.processes(),
    gearmand: (address) => facts.gearmand(address),
    comesFromHere: async (ip, server) =>
      (await import('../../host/own-addresses.ts')).comesFromHere(ip, server),
    workersStatedHere: await site.workersStatedHere(),
    configChangedMs: () => site.configModifiedMs(),
    serversDoubt: () => site.serversDoubt(),
    serversNotAsked: async () => (await site.serversNotAsked()).map(formatAddress),
    clock: () => facts.clock(),
  };
}

/** @throws AtomctlError USAGE if a setting of the site is wrong */
export async function sitePrefixes(context: Context): Promise<SitePrefixes> {
  const site = await context.site();
  const {value: own} = await site.functionPrefix();
  const also = await site.otherPrefixes();
  const facts = new ContextHost(context);
  return {
    own,
    also,
    foreign: async (snapshot) => {
      const {foreignPrefixes} = await import('../../host/foreign-prefixes.ts');
      return foreignPrefixes(snapshot, {
        own: new Set([...(own ? [own] : []), ...also]),
        namedSites: () => namedSitePrefixes(context),
        otherWorkers: async () => (await facts.processes()).others,
      });
    },
  };
}

/** Reads this host for a context; what is asked for at the same time is read once. */
class ContextHost {
  readonly #context: Context;
  #scan: Promise<ProcessReport> | undefined;
  #clock: Promise<ObservedClock> | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  async processes(): Promise<SiteProcesses> {
    const [{sortProcesses, fileOwners}, {usesOtherDatabase}, site] = await Promise.all([
      import('../../host/site-processes.ts'),
      import('../../atom/other-site.ts'),
      this.#context.site(),
    ]);
    const {value: root} = await site.root();
    const database = await site.database().catch(() => null);
    return sortProcesses({
      report: await this.#readProcesses(),
      root,
      isOtherSite: async (other) => database !== null && usesOtherDatabase(other, database.value),
      owners: root === null ? new Set() : await fileOwners(root),
      unitUsers: () => this.#unitUsers(),
    });
  }

  async gearmand(address: ServerAddress): Promise<GearmandFacts> {
    const [{gearmandFacts}, {readSockets}] = await Promise.all([
      import('../../host/local-gearmand.ts'),
      import('../../processes/socket-tables.ts'),
    ]);
    const [{gearmands}, sockets] = await Promise.all([this.#readProcesses(), readSockets()]);
    return gearmandFacts(address, {gearmands, sockets});
  }

  clock(): Promise<ObservedClock> {
    this.#clock ??= this.#observeClock();
    return this.#clock;
  }

  async #observeClock(): Promise<ObservedClock> {
    const [{notSure, observeClock}, {readJournal}, time] = await Promise.all([
      import('../../host/observed-clock.ts'),
      import('../../systemd/journal.ts'),
      this.#context.time(),
    ]);
    const units = await this.#units();
    if (units.length === 0) return notSure('no systemd unit of the worker was found on this host', time);
    const lines = [];
    const signal = AbortSignal.timeout(JOURNAL_SECONDS * 1000);
    try {
      for (const {name, since} of units) {
        const query = {scope: 'system', units: [name], lines: JOURNAL_LINES, signal} as const;
        for await (const {at, message} of readJournal(query)) {
          // What came before the last start may be of another zone.
          if (since === null || at >= since) lines.push({at, message});
        }
      }
    } catch {
      return notSure("the worker's journal cannot be read", time);
    }
    return observeClock(lines, {time, now: this.#context.now()});
  }

  async #unitUsers(): Promise<Set<number>> {
    const {userIds} = await import('../../host/accounts.ts');
    return userIds((await this.#units()).map(({user}) => user ?? 'root'));
  }

  /** The site's worker units; none if there is no systemd, or no such unit. */
  async #units(): Promise<UnitState[]> {
    const {findWorker} = await import('../worker/unit-flags.ts');
    return findWorker(this.#context, {'user-manager': false}).then(
      ({units}) => units,
      () => [],
    );
  }

  /** A scan that is under way serves everybody who asks meanwhile. */
  #readProcesses(): Promise<ProcessReport> {
    this.#scan ??= import('../../processes/read-processes.ts')
      .then(({readProcesses}) => readProcesses())
      .finally(() => {
        this.#scan = undefined;
      });
    return this.#scan;
  }
}

/** The prefixes of the sites that atomctl's configuration names and that surely use another database. */
async function namedSitePrefixes(context: Context): Promise<string[]> {
  const {isOtherDatabase} = await import('../../atom/other-site.ts');
  const [sites, database] = await Promise.all([
    context.otherNamedSites(),
    context.site().then((site) => site.database()),
  ]).catch(() => [[], null] as const);
  if (database === null) return [];
  const prefixes = await Promise.all(
    sites.map(async (site) => {
      try {
        if (!isOtherDatabase((await site.database()).value, database.value)) return [];
        return [(await site.functionPrefix()).value ?? [], await site.otherPrefixes()].flat();
      } catch {
        return [];
      }
    }),
  );
  return prefixes.flat();
}
