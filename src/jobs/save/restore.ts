/** Submits the jobs of a copy again that no server knows, in their order. */
import {isSerial} from '../../atom/job-classes.ts';
import {AtomctlError, EXIT} from '../../errors.ts';
import {formatAddress} from '../../gearman/address.ts';
import {worthAnotherAttempt} from '../../gearman/failure.ts';
import {splitFunctionName} from '../../queue/function-name.ts';
import {claimsToBeProbe} from '../../queue/probe/probe-id.ts';
import {putFirst} from '../live/queue-payloads.ts';
import {
  judgeRow,
  planRestore,
  presencesOf,
  type RestoredJob,
  type RestoreOptions,
  type RestoreTarget,
  rowsOf,
} from './restore-plan.ts';

export type {RestoreAction, RestoredJob, RestoreOptions} from './restore-plan.ts';

export interface RestoreResult {
  /** In the order of the copy. */
  jobs: RestoredJob[];
  warnings: string[];
  /** Jobs were left because of a signal. */
  stoppedEarly: boolean;
}

/** What would become of each job. @throws AtomctlError as planRestore does */
export async function previewRestore(options: RestoreOptions): Promise<RestoreResult> {
  const jobs = await planRestore(options);
  const warnings = [...(await missingWorkers(jobs)), ...begunBefore(jobs)];
  return {jobs: jobs.map(resultOf), warnings, stoppedEarly: false};
}

/** A worker logs the beginning of a job within moments of being handed it. */
const BEGIN_MS = 1000;
/** What is checked right before it is submitted. */
const AT_A_TIME = 100;

/**
 * Restores the copy. All checks are made again at first, and those of each job right before it is submitted. A second run does
 * nothing, and a run that was interrupted is completed by the next.
 * @param options.wait for the time in which a worker begins the job that it was handed last
 * @param shown the plan before the question: what it did not submit is left; null if nothing was shown
 * @throws AtomctlError as planRestore does; nothing was submitted then
 */
export async function restoreJobs(
  options: RestoreOptions & {wait: (milliseconds: number) => Promise<void>},
  shown: Pick<RestoreResult, 'jobs'> | null = null,
): Promise<RestoreResult> {
  const targets = await planRestore(options);
  if (shown !== null) leaveOthers(targets, shown.jobs);
  const wanted: Open[] = targets.filter(({action}) => action === 'submitted');
  const warnings = await missingWorkers(wanted);
  for (const each of wanted) each.action = 'open';
  if (wanted.length > 0) await options.wait(BEGIN_MS);
  const hadSerial = await serialWaiting(wanted);
  let failure: AtomctlError | null = null;
  for (let from = 0; from < wanted.length && failure === null; from += AT_A_TIME)
    failure = await submitAll(options, wanted.slice(from, from + AT_A_TIME));
  const why =
    failure === null
      ? 'Interrupted before it was submitted.'
      : `Not submitted: ${failure.message} Run the same command again.`;
  for (const each of wanted) if (each.action === 'open') Object.assign(each, {action: 'left', message: why});
  await reportForgotten(options, wanted);
  if (hadSerial) warnings.push(...(await restoredFirst(options, targets)));
  return {jobs: targets.map(resultOf), warnings, stoppedEarly: options.signal.aborted};
}

/** The answer to the question is for the jobs that it named: what a server has forgotten since is for another run. */
function leaveOthers(targets: readonly RestoreTarget[], shown: readonly RestoredJob[]): void {
  const message = 'Not submitted: this was not so before the question. Run the same command again.';
  for (const [index, each] of targets.entries())
    if (each.action === 'submitted' && !isAsShown(each, shown[index]!))
      Object.assign(each, {action: 'left', message});
}

/** The message says why it is submitted: one that begins again was not meant if it had not begun. */
function isAsShown(target: RestoreTarget, shown: RestoredJob): boolean {
  return shown.action === 'submitted' && shown.message === target.message;
}

/** Jobs whose work was done in part. */
function begunBefore(targets: readonly RestoreTarget[]): string[] {
  const begun = targets.filter(({action, began}) => action === 'submitted' && began);
  if (begun.length === 0) return [];
  const named = begun.map(({id, jobClass}) => `${id} (${jobClass})`).join(', ');
  return [
    `A worker had begun ${named}: ${begun.length === 1 ? 'it begins' : 'they begin'} again from the start, and an import then has its records twice.`,
  ];
}

/** A job that is about to be submitted. */
type Open = Omit<RestoreTarget, 'action'> & {action: RestoreTarget['action'] | 'open'};

function resultOf({id, jobClass, unique, server, action, message}: RestoreTarget): RestoredJob {
  return {id, jobClass, unique, server, action, message};
}

/** @returns why the server did not take all of them; null if it did */
async function submitAll(options: RestoreOptions, targets: readonly Open[]): Promise<AtomctlError | null> {
  const submitOpen = async () => {
    for (const each of await stillWanted(options, targets)) {
      if (options.signal.aborted) return;
      fail(each, 'It is not known whether the server took it.');
      await each.target.submitBackground(each.job);
      Object.assign(each, {action: 'submitted', message: `It waits on ${each.server} again.`});
    }
  };
  try {
    await submitOpen();
    return null;
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    // What was submitted is known by its key now.
    return (await worthAnotherAttempt([error])) ? submitOpen().then(() => null, asFailure) : error;
  }
}

function asFailure(error: unknown): AtomctlError {
  if (error instanceof AtomctlError) return error;
  throw error;
}

/** Those that are open and whose rows and keys are as they were planned; the others get what they are now. */
async function stillWanted(options: RestoreOptions, all: readonly Open[]): Promise<Open[]> {
  const targets = all.filter(({action}) => action === 'open' || action === 'failed');
  const jobs = targets.map(({job}) => job);
  const servers = options.servers.flatMap((each) => ('server' in each ? each.server : []));
  const presences = await Promise.all(servers.map((server) => presencesOf(server, jobs)));
  const rows = await rowsOf(options, jobs);
  return targets.filter((each, index) => {
    const at = servers.findIndex((_, number) => presences[number]![index]!.known);
    if (at >= 0) {
      // It was submitted by the attempt before, whose answer was lost.
      const isOwn = each.action === 'failed';
      const {running} = presences[at]![index]!;
      const server = formatAddress(servers[at]!.address);
      if (isOwn) Object.assign(each, {action: 'submitted', message: `It waits on ${server} again.`});
      else
        Object.assign(each, {
          server,
          action: running ? 'executing' : 'waiting',
          message: `${server} has it.`,
        });
      return false;
    }
    const outcome = judgeRow(each.job, rows.get(each.id ?? 0));
    if (outcome.action !== 'submitted') Object.assign(each, outcome);
    return outcome.action === 'submitted';
  });
}

/** A gearmand that was restarted during a restore does not know what it had taken before. */
async function reportForgotten(options: RestoreOptions, all: readonly Open[]): Promise<void> {
  const submitted = all.filter(({action}) => action === 'submitted');
  for (const server of new Set(submitted.map(({target}) => target))) {
    const ofServer = submitted.filter(({target}) => target === server);
    const address = formatAddress(server.address);
    try {
      const presences = await presencesOf(
        server,
        ofServer.map(({job}) => job),
      );
      const unknown = ofServer.filter((_, index) => !presences[index]!.known);
      const rows = await rowsOf(
        options,
        unknown.map(({job}) => job),
      );
      for (const each of unknown) {
        if (judgeRow(each.job, rows.get(each.id ?? 0)).action === 'submitted')
          fail(
            each,
            `${address} took it and does not know it any more, and its row says that it has not run.`,
          );
      }
    } catch (error) {
      const {message} = asFailure(error);
      for (const each of ofServer)
        fail(each, `${address} took it; whether it still has it is not known: ${message}`);
    }
  }
}

function fail(each: Open, reason: string): void {
  Object.assign(each, {action: 'failed', message: `${reason} Run the same command again.`});
}

/** Whether jobs of a serial class wait on a server to which older ones return. */
async function serialWaiting(targets: readonly Open[]): Promise<boolean> {
  for (const server of new Set(targets.map(({target}) => target))) {
    const names = new Set(
      targets
        .filter((each) => each.target === server && isSerial(each.jobClass))
        .map(({job}) => job.function),
    );
    if (names.size === 0) continue;
    const rows = await server.status();
    if (rows.some((row) => names.has(row.function) && row.total > row.running)) return true;
  }
  return false;
}

/** What came to a serial class meanwhile would fail before the older jobs, also those that an interrupted restore has submitted. */
async function restoredFirst(options: RestoreOptions, targets: readonly Open[]): Promise<string[]> {
  const isBack = ({action, id}: Open) => (action === 'submitted' || action === 'waiting') && id !== null;
  const restored = targets.filter(isBack);
  const problems = await putFirst(
    options,
    restored.map(({id, jobClass}) => ({id: id!, name: jobClass})),
  );
  return problems.map(
    ({message}) => `Jobs that came meanwhile may run before restored ones of their class: ${message}`,
  );
}

/** One sentence for each class that no worker on its server can do. */
async function missingWorkers(targets: readonly Open[]): Promise<string[]> {
  const warnings: string[] = [];
  const wanted = targets.filter(({action}) => action === 'submitted');
  for (const server of new Set(wanted.map(({target}) => target))) {
    const workers = (await server.connections()).filter(({id}) => !claimsToBeProbe(id));
    const able = new Set(workers.flatMap(({functions}) => functions));
    const names = new Set(wanted.filter(({target}) => target === server).map(({job}) => job.function));
    const missing = [...names].filter((name) => !able.has(name));
    if (missing.length === 0) continue;
    const classes = missing.map((name) => splitFunctionName(name).jobClass).join(', ');
    warnings.push(`No worker is connected to ${formatAddress(server.address)} for: ${classes}.`);
  }
  return warnings;
}

/** All done or nothing to do 0; interrupted 130; none restored although some had to be 5; only a part 1. */
export function restoreExitStatus({jobs, stoppedEarly}: RestoreResult): number {
  if (stoppedEarly && jobs.some(({action}) => action === 'left')) return EXIT.interrupted;
  const has = (...actions: RestoredJob['action'][]) => jobs.some(({action}) => actions.includes(action));
  if (has('failed', 'left')) return EXIT.failed;
  if (!has('blocked', 'refused')) return EXIT.ok;
  return has('submitted') ? EXIT.failed : EXIT.refused;
}
