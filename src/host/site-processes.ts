import {stat} from 'node:fs/promises';
import {join} from 'node:path';
import type {AtomProcess, ProcessReport} from '../processes/read-processes.ts';

/** A worker of the site, or a child that imports a file. */
export interface SiteProcess {
  pid: number;
  /** Epoch milliseconds. */
  startedMs: number;
  argv: readonly string[];
}

/** The processes on this host that may be working on the site's jobs. */
export interface SiteProcesses {
  /** Why there may be others, a sentence; null if every process was seen. */
  unreadable: string | null;
  workers: SiteProcess[];
  imports: SiteProcess[];
  /** Ids of the workers that are known to be another site's. */
  otherSites: ReadonlySet<number>;
  /** The same workers with what was read of them. */
  others: AtomProcess[];
}

export interface SiteProcessOptions {
  report: ProcessReport;
  /** The site's root, links resolved; null if it is not known: then the user of a process tells nothing. */
  root: string | null;
  /** True if the AtoM installation at a root surely uses another database than the site. */
  isOtherSite: (root: string) => Promise<boolean>;
  /** The users that the site's files belong to: see fileOwners. */
  owners: ReadonlySet<number>;
  /** The users of the worker units; asked only if a process belongs to somebody else. */
  unitUsers: () => Promise<ReadonlySet<number>>;
}

/**
 * Sorts the workers and imports of this host. Every one is the site's unless it is known to be another site's: after a
 * deploy, workers go on in a root that was moved or removed. Processes of users who have nothing to do with the site
 * do not count, since anybody can start a process that looks like a worker; root's count.
 */
export async function sortProcesses(options: SiteProcessOptions): Promise<SiteProcesses> {
  const {report} = options;
  const trusted = await trustedUsers(options);
  const known = new Map<string, Promise<boolean>>();
  const isOther = ({root}: AtomProcess): Promise<boolean> => {
    if (root === null || root === options.root) return Promise.resolve(false);
    const answer = known.get(root) ?? options.isOtherSite(root);
    known.set(root, answer);
    return answer;
  };
  const split = async (processes: readonly AtomProcess[]) => {
    const counted = processes.filter(({uid}) => trusted === null || trusted.has(uid));
    const other = await Promise.all(counted.map(isOther));
    return {own: counted.filter((_, at) => !other[at]), others: counted.filter((_, at) => other[at])};
  };
  const [workers, imports] = await Promise.all([split(report.workers), split(report.imports)]);
  return {
    unreadable: report.incomplete,
    workers: workers.own.map(siteProcess),
    imports: imports.own.map(siteProcess),
    otherSites: new Set(workers.others.map(({pid}) => pid)),
    others: workers.others,
  };
}

/** null if every user counts. */
async function trustedUsers(options: SiteProcessOptions): Promise<ReadonlySet<number> | null> {
  if (options.root === null) return null;
  const users = new Set([0, ...options.owners]);
  const {workers, imports} = options.report;
  if ([...workers, ...imports].every(({uid}) => users.has(uid))) return users;
  return new Set([...users, ...(await options.unitUsers())]);
}

function siteProcess({pid, startedAt, argv}: AtomProcess): SiteProcess {
  return {pid, startedMs: startedAt, argv};
}

/** Directories that a worker writes to; the rest often belongs to whoever deploys. */
const WRITTEN = ['cache', 'downloads', 'log', 'uploads'];

/** The users that a root and the directories below it that AtoM writes to belong to. */
export async function fileOwners(root: string): Promise<Set<number>> {
  const directories = [root, ...WRITTEN.map((name) => join(root, name))];
  const owners = await Promise.all(
    directories.map((directory) =>
      stat(directory).then(
        ({uid}) => [uid],
        () => [],
      ),
    ),
  );
  return new Set(owners.flat());
}
