import {formatBytes} from '../../bytes.ts';
import {counted} from '../../counted.ts';
import {isNamedById} from '../evidence/job-files.ts';
import type {Check, SiteEvidence} from '../evidence.ts';
import {healthy, type Outcome, someOf, warning} from '../finding.ts';

/** The files that jobs leave for download. */
export const DOWNLOAD_CHECKS: readonly Check[] = [
  {id: 'stray-downloads', title: 'Download files without a job', run: checkStray},
  {id: 'missing-downloads', title: 'Jobs without their download file', run: checkMissing},
];

async function checkStray(site: SiteEvidence): Promise<Outcome> {
  const {stray, strayBytes, files, bytes} = await site.files();
  const all = `${counted(files, 'file')} under downloads/jobs (${formatBytes(bytes)})`;
  if (stray.length === 0) return healthy(`${all}; each belongs to a job.`);
  const directory = `${site.access.downloads}/jobs`;
  return warning({
    evidence: `${counted(stray.length, 'file')} (${formatBytes(strayBytes)}) in ${directory} ${stray.length === 1 ? 'belongs' : 'belong'} to no job: ${someOf(stray)}. Total: ${all}.`,
    consequence:
      'AtoM does not delete the file of a deleted job: the files fill the disk, and may contain data that should be deleted.',
    remedy: stray.some(isNamedById)
      ? 'atomctl doctor --fix asks, then deletes the files with a name that AtoM made if they are older than a day; to prevent this: atomctl jobs:clear --delete-downloads'
      : `ls -l ${directory}: AtoM does not make such file names; delete the files that are not needed`,
  });
}

async function checkMissing(site: SiteEvidence): Promise<Outcome> {
  const {missing, jobs} = await site.files();
  if (missing.length === 0)
    return healthy(`${counted(jobs, 'newest job')} with a download: each file exists.`);
  const named = missing.map(({id, path}) => `${id} (${path})`);
  return warning({
    evidence: `The file of ${counted(missing.length, 'completed job')} does not exist any more: ${someOf(named)}.`,
    consequence: 'AtoM still shows the download, but the download fails.',
    remedy: `Start the export again in AtoM, and clear the job: atomctl jobs:clear --id ${missing[0]!.id}`,
  });
}
