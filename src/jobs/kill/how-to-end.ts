import {BY_HAND} from '../../host-commands.ts';
import type {RowEvidence} from '../live/evidence.ts';
import {type LiveReport, placesOf} from '../live/live-state.ts';
import type {Job} from '../model/job.ts';
import {findExecutors} from '../why/executors.ts';
import type {ByHand, KillOptions} from './target.ts';

/**
 * How to end the worker of each executing job, where no systemd can stop it, by the job's id. A signal to the worker alone does not
 * end it while a child works, so that all processes are named.
 */
export async function howToEnd(
  options: KillOptions,
  report: LiveReport,
  executing: readonly Job[],
): Promise<Map<number, ByHand>> {
  if (executing.length === 0) return new Map();
  const seen = withRows(report, executing);
  const executors = await findExecutors(seen, {
    ...options,
    journalPids: async () => new Map(),
    processState: async () => null,
  });
  const ways = executing.map(async (job) => {
    const row = seen.evidence.rows.find(({id}) => id === job.id);
    const pids = row === undefined ? [] : await executors.pidsOf(row);
    return [job.id, {end: endByHand(job, pids), start: START}] as const;
  });
  return new Map(await Promise.all(ways));
}

const START = `Then start a worker again: ${BY_HAND.startWorker}, or its container.`;

function endByHand({id, status}: Job, pids: readonly number[]): string {
  if (pids.length > 0) return `kill ${pids.join(' ')} (${PROCESSES[Math.min(pids.length, 2)]}).`;
  const find = status === 'running' ? `atomctl jobs:why ${id}` : 'atomctl queue:workers';
  return `stop its container, or end the worker and all its child processes. To find them: ${find}.`;
}

const PROCESSES: Record<number, string> = {1: 'its process', 2: 'its worker with its child processes'};

/** With rows for jobs that execute although their rows have ended. */
function withRows(report: LiveReport, jobs: readonly Job[]): LiveReport {
  const known = new Set(report.evidence.rows.map(({id}) => id));
  const ended = jobs.flatMap((job): RowEvidence[] => {
    const place = placesOf(report, job.id).find(({running}) => running);
    if (known.has(job.id) || place === undefined) return [];
    return [
      {
        ...{
          id: job.id,
          name: job.name,
          objectId: null,
          createdMs: null,
          createdEarliestMs: null,
          begun: null,
        },
        ...{starts: 1, finished: false, failed: false, lastActivityMs: null, logGrew: false, key: 'exact'},
        ...{keyAsked: true, known: place, importFile: null, queues: [place.queue], arrived: false},
      },
    ];
  });
  const verdict = {state: 'executing', likely: null, reason: '', needsTime: false} as const;
  return {
    ...report,
    evidence: {...report.evidence, rows: [...report.evidence.rows, ...ended]},
    verdicts: new Map([...report.verdicts, ...ended.map(({id}) => [id, verdict] as const)]),
  };
}
