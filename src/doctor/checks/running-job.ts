import {counted} from '../../counted.ts';
import {formatDuration} from '../../duration.ts';
import {finishedFix} from '../../jobs/health/finished-jobs.ts';
import {howToRunAgain} from '../evidence/run-again.ts';
import {type JobFault, type RunningJob, runningJobs} from '../evidence/running-jobs.ts';
import type {Check, SiteEvidence} from '../evidence.ts';
import {healthy, jobLabel, NotAvailable, type Outcome, shared, someOf, warning} from '../finding.ts';

/** The jobs that the database calls Running and that are not. */
export const RUNNING_JOB_CHECKS: readonly Check[] = [
  {id: 'lost-jobs', title: 'Lost jobs', run: checkLost},
  {id: 'serial-jobs', title: 'Moves and imports', run: checkSerial},
  {id: 'silent-jobs', title: 'Silent jobs', run: checkSilent},
  {id: 'finished-jobs', title: 'Finished jobs that say Running', run: checkFinished},
];

async function jobsWith(site: SiteEvidence, fault: JobFault): Promise<RunningJob[]> {
  return (await runningJobs(site)).filter((job) => job.fault === fault);
}

/** Lost and finished can be proved only if every server answered, and no other atomctl holds jobs of one. */
async function requireEveryServer(site: SiteEvidence): Promise<void> {
  const {evidence, missing} = await site.live();
  if (evidence.servers.some(({probing}) => probing))
    throw new NotAvailable(
      'atomctl cannot find lost or finished jobs while another atomctl is probing the queue.',
    );
  const [failure] = missing;
  if (failure !== undefined)
    throw new NotAvailable(`atomctl cannot find lost or finished jobs: ${failure.message}`, failure);
}

async function checkLost(site: SiteEvidence): Promise<Outcome> {
  await requireEveryServer(site);
  const lost = await jobsWith(site, 'lost');
  if (lost.length === 0) return healthy(await stateCounts(site));
  return shared('lost jobs', {
    evidence: `No Gearman server has ${lost.length === 1 ? 'a job' : `${lost.length} jobs`} that the database calls running, and no worker can be running ${lost.length === 1 ? 'it' : 'them'}: ${someOf(lost.map(jobLabel))}.`,
    consequence:
      lost.length === 1
        ? 'No worker will run it; AtoM keeps showing it as running.'
        : 'No worker will run them; AtoM keeps showing them as running.',
    remedy: `atomctl doctor --fix marks ${lost.length === 1 ? 'it as an error' : 'them as errors'}. ${await howToRunAgain(
      site,
      lost.map(({id}) => id),
    )}`,
  });
}

async function stateCounts(site: SiteEvidence): Promise<string> {
  const jobs = await runningJobs(site);
  const uncertain = jobs.filter(({verdict}) => verdict.state === 'uncertain');
  const summary = `${counted(jobs.length, 'job')} running in the database; none is proved lost`;
  const [first] = uncertain;
  if (first === undefined) return `${summary}.`;
  const likely = first.verdict.likely === null ? '' : `, likely ${first.verdict.likely}`;
  return `${summary}; ${uncertain.length} uncertain (atomctl jobs:list --running --probe), for example ${jobLabel(first)}${likely}: ${first.verdict.reason}`;
}

async function checkSerial(site: SiteEvidence): Promise<Outcome> {
  await requireEveryServer(site);
  const jobs = (await runningJobs(site)).filter(({oneAtATime}) => oneAtATime);
  const blockers = jobs.filter(({fault}) => fault === 'lost' || fault === 'stuck');
  const [first] = blockers;
  if (first === undefined)
    return healthy(`${counted(jobs.length, 'move or import', 'moves and imports')} running, none blocked.`);
  const waiting = jobs.filter((job) => job.id > first.id && !blockers.includes(job));
  const them = blockers.length === 1 ? 'it' : 'them';
  const behind =
    waiting.length === 0
      ? `no other move or import waits for ${them}`
      : `${someOf(waiting.map(jobLabel))} ${waiting.length === 1 ? 'waits' : 'wait'} for ${them}`;
  const lost = blockers.filter(({fault}) => fault === 'lost');
  const fault = {
    evidence: `${someOf(blockers.map((job) => `${jobLabel(job)} is ${faultText(job)}`))}, and ${behind}.`,
    consequence:
      'AtoM runs moves and imports one at a time: each later one holds a worker for minutes and then fails.',
    remedy:
      lost.length > 0
        ? 'atomctl doctor --fix marks lost jobs as errors.'
        : `atomctl jobs:show ${first.id}; if it is stuck, this says how to end it: atomctl jobs:kill ${first.id}`,
  };
  return lost.length > 0 ? shared('lost jobs', fault) : warning(fault);
}

function faultText({fault, silentSeconds}: RunningJob): string {
  return fault === 'lost' ? 'lost' : `silent for ${formatDuration(silentSeconds ?? 0)}`;
}

async function checkSilent(site: SiteEvidence): Promise<Outcome> {
  // checkSerial reports moves and imports, with what they block.
  const silent = (await jobsWith(site, 'stuck')).filter(({oneAtATime}) => !oneAtATime);
  const limit = formatDuration(site.access.stuckAfterSeconds);
  if (silent.length === 0) return healthy(`No executing job has been silent for more than ${limit}.`);
  const [first] = silent;
  const named = silent.map((job) => `${jobLabel(job)} for ${formatDuration(job.silentSeconds ?? 0)}`);
  return warning({
    evidence: `${counted(silent.length, 'job')} wrote no log line for more than ${limit}: ${someOf(named)}.`,
    consequence: 'They may hang, and a worker that runs such a job cannot run other jobs.',
    remedy: `atomctl jobs:show ${first!.id}; if it is stuck, this says how to end it: atomctl jobs:kill ${first!.id}`,
  });
}

async function likelyFinished(site: SiteEvidence): Promise<string> {
  const likely = (await runningJobs(site)).filter(({verdict}) => verdict.likely === 'finished');
  const [first] = likely;
  if (first === undefined) return 'No running job has finished its work.';
  return `No running job is proved to have finished its work; ${likely.length} probably ${likely.length === 1 ? 'has' : 'have'}, for example ${jobLabel(first)}: atomctl jobs:why ${first.id} --probe`;
}

async function checkFinished(site: SiteEvidence): Promise<Outcome> {
  await requireEveryServer(site);
  const finished = (await runningJobs(site)).filter(({fault}) => fault === 'finished');
  if (finished.length === 0) return healthy(await likelyFinished(site));
  const ids = (test: (job: RunningJob) => boolean) => finished.filter(test).map(({id}) => id);
  const failed = ids((job) => job.failed);
  const unknown = ids((job) => !job.failed && !job.marksErrors);
  const shows = failed.length === 0 ? '' : ` The log or the notes of ${someOf(failed)} show an error.`;
  const unmarked = unknown.length === 0 ? '' : ` ${unmarkedText(unknown)}`;
  return shared('finished jobs', {
    evidence: `The log of ${finished.length === 1 ? 'a running job' : `each of ${finished.length} running jobs`} says "Job finished.", and no server has ${finished.length === 1 ? 'it' : 'them'}: ${someOf(finished.map(jobLabel))}.${shows}${unmarked}`,
    consequence: `${finished.length === 1 ? 'Its work is done, but AtoM keeps showing it' : 'Their work is done, but AtoM keeps showing them'} as running; a move or import blocks every later one.`,
    remedy: finishedFix(finished),
  });
}

/** A log has no parameters of its job before AtoM 2.7, and also if they have another id: then its version is not known. */
function unmarkedText(ids: readonly number[]): string {
  const logs = ids.length === 1 ? 'The log of' : 'The logs of';
  const [have, them] = ids.length === 1 ? ['does not have', 'it'] : ['do not have', 'them'];
  return `${logs} ${someOf(ids)} ${have} the job's parameters, as before AtoM 2.7, which does not mark error lines: read ${them} to see if the work failed.`;
}
