/**
 * Which job of Gearman an executing job is whose key is not known. Gearman lists handles, but not whose they are: if only one runs
 * that no other known job explains, it is that one.
 */
import {AtomctlError} from '../../errors.ts';
import {formatAddress} from '../../gearman/address.ts';
import type {GearmanServer} from '../../gearman/server.ts';
import type {CancelOutcome} from '../../queue/cancel-job.ts';
import {countUnexplained} from '../live/counts.ts';
import type {QueueCount, RowEvidence, ServerEvidence} from '../live/evidence.ts';
import {type LiveReport, liveStates, placesOf, stateIn} from '../live/live-state.ts';
import {isOlder} from '../live/lost-proof.ts';
import type {FoundJob} from '../live/unique-keys.ts';
import {markAsked, noteAnswer} from './progress.ts';
import type {KillOptions, KillPlan, Target} from './target.ts';

/** Where a job runs. */
interface RunsIn {
  server: GearmanServer;
  queue: string;
}

const KEY = 'Its key in Gearman is not known, and';
export const SEVERAL = `${KEY} several running jobs may be this one: atomctl does not guess which one to cancel.`;
export const NONE = `${KEY} none of the running jobs is proved to be this one.`;
const FORGOTTEN = `${KEY} a Gearman server may have been restarted since it began: the job that runs may be another one.`;

/**
 * Why a forced kill cannot cancel an executing job without a key, a sentence; null if it can, or if it need not. Nothing is touched.
 */
export async function whyNotCancelled(
  options: Pick<KillOptions, 'servers'>,
  report: LiveReport,
  id: number,
): Promise<string | null> {
  if (stateIn(report, id) !== 'executing' || placesOf(report, id).length > 0) return null;
  const place = runsIn(options, report, id);
  if (typeof place === 'string') return place;
  try {
    const running = (await runningHandles(place.server)).length - knownOn(report, place).length;
    return running === 1 ? null : running > 1 ? SEVERAL : NONE;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Whether an executing job was cancelled before, as far as that shows without a change: nothing else runs on its servers. */
export async function isCancelled(report: LiveReport, id: number): Promise<boolean> {
  const places = placesOf(report, id).filter(({running}) => running);
  try {
    for (const {server} of places) {
      const running = new Set(await runningHandles(server));
      const jobs = await server.jobs();
      if (!jobs.every(({handle, ignored}) => ignored || !running.has(handle))) return false;
    }
    return places.length > 0;
  } catch (error) {
    reasonOf(error);
    return false;
  }
}

/** Cancels an executing job without a key, if it is proved which one it is; otherwise the target says why not. */
export async function cancelWithoutKey(
  options: KillOptions,
  plan: KillPlan,
  target: Target,
): Promise<CancelOutcome> {
  const {id} = target.job;
  const before = runsIn(options, plan.report, id);
  if (typeof before === 'string') return notCancelled(target, before);
  const {server} = before;
  try {
    const running = await runningHandles(server);
    // It executed before and after: what ran in between is not another job.
    const now = await liveStates({...options, probe: async () => [...plan.probed]});
    const place = stateIn(now, id) === 'executing' ? runsIn(options, now, id) : NONE;
    if (typeof place === 'string' || place.queue !== before.queue)
      return notCancelled(target, typeof place === 'string' ? place : NONE);
    const others = await handlesOf(server, knownOn(now, place));
    const left = running.filter((handle) => others?.includes(handle) === false);
    if (left.length !== 1) return notCancelled(target, left.length > 1 ? SEVERAL : NONE);
    return await cancel(plan, target, {...place, handle: left[0]!});
  } catch (error) {
    return notCancelled(target, reasonOf(error));
  }
}

async function cancel(
  plan: KillPlan,
  target: Target,
  {server, queue, handle}: RunsIn & {handle: string},
): Promise<CancelOutcome> {
  const isRunning = async () => (await server.statusOfHandles([handle]))[0]!.running;
  if (!(await isRunning())) return notCancelled(target, NONE);
  markAsked(target, queue);
  if (!(await server.cancel(handle))) return notCancelled(target, NONE);
  noteAnswer(plan, target, queue, 'cancelled');
  target.notCancelled = null;
  return 'cancelled';
}

function notCancelled(target: Target, reason: string): CancelOutcome {
  target.notCancelled = reason;
  return 'absent';
}

function reasonOf(error: unknown): string {
  if (error instanceof AtomctlError) return error.message;
  throw error;
}

function runsIn({servers}: Pick<KillOptions, 'servers'>, report: LiveReport, id: number): RunsIn | string {
  const counted = countedAlone(report, id);
  if (typeof counted === 'string') return counted;
  const at = servers.find(({address}) => formatAddress(address) === counted.server);
  return at !== undefined && 'server' in at ? {server: at.server, queue: counted.queue} : NONE;
}

/** Where a job without a key runs, if it alone can be the one that runs there by the counts; otherwise why not. */
export function countedAlone({evidence}: Pick<LiveReport, 'evidence'>, id: number): QueueCount | string {
  const row = evidence.rows.find((each) => each.id === id);
  if (row === undefined || evidence.servers.some(({error}) => error !== null)) return NONE;
  const {groups, around} = countUnexplained(evidence);
  const {running, rows} = around(row);
  if (running !== 1 || rows !== 1) return running > 1 || rows > 1 ? SEVERAL : NONE;
  const counted = groups
    .flatMap(({queues}) => queues)
    .find(({queue, unexplained}) => unexplained.running === 1 && row.queues.includes(queue));
  if (counted === undefined) return NONE;
  return mayBeForgotten(evidence, row, counted) ? FORGOTTEN : counted;
}

/** A server that was restarted since it began has forgotten the job: then what runs is another one, whose row was deleted. */
function mayBeForgotten(
  {servers, host}: LiveReport['evidence'],
  row: RowEvidence,
  {server: counted}: QueueCount,
): boolean {
  const uncertaintyMs = host?.clock.uncertaintyMs ?? Number.POSITIVE_INFINITY;
  // The start of a server on another host is not known. If it is the only one, the job is nowhere else.
  const isOnly = ({address, startedMs}: ServerEvidence) => startedMs === null && address === counted;
  return !servers.every((server) => isOnly(server) || isOlder(server, row, uncertaintyMs));
}

async function runningHandles(server: GearmanServer): Promise<string[]> {
  const handles = (await server.jobs()).map(({handle}) => handle);
  const presences = await server.statusOfHandles(handles);
  return handles.filter((_, index) => presences[index]!.running);
}

/** The jobs with a key that run on a server. */
function knownOn({found}: LiveReport, {server}: RunsIn): FoundJob[] {
  return [...found.values()].flat().filter((place) => place.running && place.server === server);
}

/** The handles of jobs with a key; null if one has ended meanwhile. */
async function handlesOf(server: GearmanServer, places: readonly FoundJob[]): Promise<string[] | null> {
  const handles: string[] = [];
  for (const place of places) {
    const all = await server.jobs();
    const handle = await server.handleOf(place);
    if (!all.some((job) => job.handle === handle)) {
      // It is the handle of a new job, that no worker is to get.
      await server.cancel(handle);
      return null;
    }
    handles.push(handle);
  }
  return handles;
}
