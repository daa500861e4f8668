import type {AtomProcess, ProcessReport} from './read-processes.ts';

/** The processes on this host that may be working on a site's jobs. */
export interface SiteProcesses {
  /** Why there may be more, one sentence; null if every process was seen. */
  incomplete: string | null;
  processes: AtomProcess[];
}

/**
 * The workers and imports of a site. One whose root cannot be determined counts for every site, and for a site whose
 * root is not known every one counts.
 * @param root the site's root with links resolved; null if it is not known
 */
export function processesOfSite(report: ProcessReport, root: string | null): SiteProcesses {
  const processes = [...report.workers, ...report.imports].filter(
    (found) => root === null || found.root === null || found.root === root,
  );
  return {incomplete: report.incomplete, processes};
}
