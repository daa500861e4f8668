import type {SiteTime} from '../../atom/site-time.ts';
import {formatDuration} from '../../duration.ts';
import type {Queryable} from '../../mysql/database.ts';
import {CLOCK_SKEW_MS, liesInFuture} from '../model/future-start.ts';
import {STATUSES} from '../model/job.ts';

/** Something that shows that the site's wall clock is not what atomctl takes it for. */
export interface ClockFault {
  /** One sentence. */
  message: string;
  /** How far PHP's clock is ahead of atomctl's, in milliseconds; null if that is not known. */
  aheadMs: number | null;
  remedy: string;
}

export interface ClockSources {
  time: SiteTime;
  now: () => Date;
  /** null if it cannot be asked. */
  database: Queryable | null;
  /** What the worker's journal shows; see observeClock. */
  clock: () => Promise<{aheadMs?: number | null; reason: string}>;
  /** The offset of a zone by the system's own zone data, in milliseconds; null if they do not have it. */
  systemOffsetMs: (zone: string, instant: Date) => Promise<number | null>;
}

const SHOWN_ROWS = 5;
const NAME_THE_ZONE =
  "set default_timezone in apps/qubit/config/settings.yml, or give the timezone of AtoM's timestamps: --timezone ZONE";

/** What shows that the clocks of AtoM and of atomctl differ; shared by queue:status and the doctor. */
export async function clockFaults(sources: ClockSources): Promise<ClockFault[]> {
  const observed = await sources.clock();
  // If the journal shows PHP's clock to be right, other zone data on this host do not matter.
  const zoneData = observed.aheadMs === 0 ? [] : await zoneDataDifference(sources);
  const remedy = zoneData[0]?.remedy ?? NAME_THE_ZONE;
  const journal = observed.aheadMs ? [{message: observed.reason, aheadMs: observed.aheadMs, remedy}] : [];
  return [...(await futureStarts(sources, remedy)), ...journal, ...zoneData];
}

/** Running jobs, and the newest one, whose start has not come yet: a proof that the zone is wrong. */
async function futureStarts({time, now, database}: ClockSources, remedy: string): Promise<ClockFault[]> {
  if (database === null) return [];
  const nowMs = now().getTime();
  const found = await database.query<{id: number; start: string}>(
    `SELECT job.id, object.created_at AS start
     FROM job JOIN object ON object.id = job.id
     WHERE (job.status_id = ? OR job.id = (SELECT MAX(id) FROM job)) AND object.created_at > ?
     ORDER BY object.created_at DESC LIMIT ${SHOWN_ROWS}`,
    [STATUSES.running.termId, time.toWall(new Date(nowMs + CLOCK_SKEW_MS))],
  );
  const rows = found.filter(({start}) => liesInFuture(time.toEarliestMs(start), nowMs));
  if (rows.length === 0) return [];
  const jobs = rows.map(({id, start}) => `${id} (${start})`).join(', ');
  const message = `In the timezone ${time.zone} it is ${time.toWall(now())}, but the start of job ${jobs} is in the future.`;
  return [{message, aheadMs: null, remedy}];
}

/** PHP on Debian and Ubuntu reads the system's zone data, Node its own. */
async function zoneDataDifference({time, now, systemOffsetMs}: ClockSources): Promise<ClockFault[]> {
  const instant = now();
  const system = await systemOffsetMs(time.zone, instant);
  if (system === null) return [];
  const second = Math.floor(instant.getTime() / 1000) * 1000;
  const aheadMs = system - (Date.parse(`${time.toWall(instant).replace(' ', 'T')}Z`) - second);
  if (aheadMs === 0) return [];
  const message = `The zone data of this system and of Node differ by ${formatDuration(Math.abs(aheadMs) / 1000)} for ${time.zone} now; PHP uses the data of the system, or its own.`;
  return [{message, aheadMs, remedy: zoneDataFix(system)}];
}

const HOUR_MS = 3_600_000;

/** The names Etc/GMT have the sign of POSIX: Etc/GMT+8 is UTC-8. They exist for whole hours, from -12 to +14. */
function zoneDataFix(systemMs: number): string {
  const fix = 'update the older one: the timezone data of the system (package tzdata) or Node';
  const hours = systemMs / HOUR_MS;
  if (!Number.isInteger(hours)) return fix;
  const zone = hours === 0 ? 'Etc/GMT' : `Etc/GMT${hours < 0 ? '+' : '-'}${Math.abs(hours)}`;
  return `${fix}; until then, if PHP uses the data of the system: --timezone ${zone}`;
}

/** What follows from the faults, with the amount if it is known. */
export function clockConsequence(faults: readonly ClockFault[]): string {
  const aheadMs = faults.find((fault) => fault.aheadMs !== null)?.aheadMs ?? null;
  const amount = aheadMs === null ? '' : ` by ${formatDuration(Math.abs(aheadMs) / 1000)}`;
  return `Ages and durations are wrong${amount}, and also the times that atomctl writes to the database. atomctl reports no job as lost until its age is certain.`;
}
