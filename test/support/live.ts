import type {CollectOptions, HostFacts} from '../../src/jobs/live/collect-evidence.ts';
import {type LiveReport, liveStates} from '../../src/jobs/live/live-state.ts';
import {probeSite} from '../../src/jobs/live/queue-payloads.ts';
import {type AtomProcess, readProcesses} from '../../src/processes/read-processes.ts';
import {QUIET_HOST} from './quiet-host.ts';
import type {AtomSite} from './sandbox.ts';
import type {QueueSite} from './site/queue-site.ts';

export type LiveOptions = Partial<Omit<CollectOptions, 'probe'>> & {
  /** True: payloads are read as `--probe` does. */
  probe?: boolean;
  /** What happens between the first read of the rows (and the probe) and the questions to Gearman. */
  meanwhile?: () => Promise<unknown>;
};

export interface Live extends LiveReport {
  /** By id: the state; an uncertain one as its likely state with a question mark, as in the table. */
  states: Record<number, string>;
  reasons: Record<number, string>;
}

/** The live states of a site's jobs, as the given evidence has them. */
export async function live(at: QueueSite, {probe, meanwhile, ...others}: LiveOptions = {}): Promise<Live> {
  const sources = {...at.sources, ...others};
  const report = await liveStates({
    ...sources,
    probe: async () => {
      const waiting = probe ? (await probeSite(sources)).waiting : [];
      await meanwhile?.();
      return waiting;
    },
  });
  const verdicts = [...report.verdicts];
  return {
    ...report,
    states: Object.fromEntries(
      verdicts.map(([id, {state, likely}]) => [id, state === 'uncertain' ? `${likely ?? ''}?` : state]),
    ),
    reasons: Object.fromEntries(verdicts.map(([id, {reason}]) => [id, reason])),
  };
}

/**
 * This host as /proc shows it: the workers and imports of the given roots, since other tests have theirs, and the
 * gearmands. The configuration is old and the clock sure.
 */
export function realHost(site: AtomSite, roots: readonly string[] = [site.root]): HostFacts {
  const isOwn = ({root}: AtomProcess) => root !== null && roots.includes(root);
  const plain = ({pid, startedAt, argv}: AtomProcess) => ({pid, startedMs: startedAt, argv});
  return {
    ...QUIET_HOST,
    processes: async () => {
      const {incomplete, workers, imports} = await readProcesses();
      return {
        unreadable: incomplete,
        workers: workers.filter(isOwn).map(plain),
        imports: imports.filter(isOwn).map(plain),
        otherSites: new Set(),
      };
    },
    gearmand: async ({port}) => {
      const {gearmands} = await readProcesses();
      const found = gearmands.find(({listens}) => listens?.some((end) => end.port === port));
      return {
        startedMs: found?.startedAt ?? null,
        onlyLoopback: found?.listens?.every(({address}) => address.startsWith('127.')) ?? false,
      };
    },
  };
}

const MINUTE = 60_000;

/** A clock that is ahead by so many minutes: what has happened so far is long ago. */
export const later = (minutes: number) => () => new Date(Date.now() + minutes * MINUTE);

export async function logOf(site: AtomSite, id: number): Promise<string> {
  const [row] = await site.query<{output: string | null}>('SELECT output FROM job WHERE id = ?', [id]);
  return row?.output ?? '';
}
