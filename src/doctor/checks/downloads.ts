import {formatBytes} from '../../bytes.ts';
import {isNamedById} from '../evidence/job-files.ts';
import type {Check, SiteEvidence} from '../evidence.ts';
import {counted, healthy, type Outcome, someOf, warning} from '../finding.ts';

/** The files that jobs leave for download. */
export const DOWNLOAD_CHECKS: readonly Check[] = [
  {id: 'stray-downloads', title: 'Download files without a job', run: checkStray},
  {id: 'missing-downloads', title: 'Jobs without their download file', run: checkMissing},
];

async function checkStray(site: SiteEvidence): Promise<Outcome> {
  const {stray, strayBytes, files, bytes} = await site.files();
  const all = `${counted(files, 'file')} under downloads/jobs (${formatBytes(bytes)})`;
  if (stray.length === 0) return healthy(`${all}, each of a job.`);
  const directory = `${site.access.downloads}/jobs`;
  return warning({
    evidence: `${counted(stray.length, 'file')} (${formatBytes(strayBytes)}) in ${directory} ${stray.length === 1 ? 'belongs' : 'belong'} to no job: ${someOf(stray)}. In all: ${all}.`,
    consequence:
      'AtoM never deletes a file with its job: they fill the disk, and may hold what was to be deleted.',
    remedy: stray.some(isNamedById)
      ? 'atomctl doctor --fix deletes those that AtoM named and that are older than a day, after a question of its own; next time: atomctl jobs:clear --delete-downloads'
      : `ls -l ${directory}: AtoM names no file like that; delete what nobody needs`,
  });
}

async function checkMissing(site: SiteEvidence): Promise<Outcome> {
  const {missing, jobs} = await site.files();
  if (missing.length === 0)
    return healthy(`${counted(jobs, 'newest job')} with a download, each file in its place.`);
  const named = missing.map(({id, path}) => `${id} (${path})`);
  return warning({
    evidence: `The file of ${counted(missing.length, 'completed job')} is gone: ${someOf(named)}.`,
    consequence: 'AtoM still offers it, and the download fails.',
    remedy: `Start the export again, and clear the job: atomctl jobs:clear --id ${missing[0]!.id}`,
  });
}
