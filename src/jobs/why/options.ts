import type {SiteTime} from '../../atom/site-time.ts';
import type {HostCommands} from '../../host-commands.ts';
import type {Database} from '../../mysql/database.ts';
import type {ProcessState} from '../../processes/process-state.ts';
import type {ProbedPayload} from '../live/evidence.ts';
import type {LiveSources} from '../live/live-state.ts';

export interface WhyOptions extends Omit<LiveSources, 'probe'> {
  database: Database;
  time: SiteTime;
  id: number;
  /** Reads the payloads of the waiting jobs that may have this name; absent if the queue must not be touched. */
  probe?: (name: string) => Promise<{waiting: ProbedPayload[]; refused: string | null}>;
  /** The process ids of the workers whose journal says that they execute these jobs, by job. */
  journalPids: (jobs: readonly {id: number; name: string}[]) => Promise<ReadonlyMap<number, number>>;
  /** The state of a process of this host; null if it cannot be read. */
  processState: (pid: number) => Promise<ProcessState | null>;
  /** How a worker is started on this host. */
  commands: HostCommands;
}
