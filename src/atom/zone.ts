/**
 * Zones by V8's own Date, which follows one zone at a time, that of the variable TZ. Everything else that Node has
 * for zones, and the libraries that use it, starts with a first Intl.DateTimeFormat, which takes 25 ms: more than the
 * work of a short command. Nothing else in atomctl reads a local time, so TZ may keep the value that was set last.
 */

/** Node's own environment, `process.env`: a write to its TZ changes the zone of Date. A copy of it has no effect. */
export interface ZoneEnvironment {
  TZ?: string | undefined;
}

/** What a zone's clock shows at an instant. */
export interface LocalTime {
  /** `YYYY-MM-DD HH:MM:SS`. */
  wall: string;
  /** As ISO 8601 has it, to the minute: `-08:00`. */
  offset: string;
}

/** Date also accepts names of another form that are not zones, such as the offset GMT+3. */
const AREA_AND_CITY = /^[A-Z][A-Za-z_]+(\/[A-Z][A-Za-z_]+)+$/;
const UTC = 'UTC';

/** V8 looks the zone up again each time TZ is set. */
function switchTo(zone: string, env: ZoneEnvironment): void {
  if (env.TZ !== zone) env.TZ = zone;
}

/**
 * The name under which the functions below know an IANA zone; null if there is no such zone. Date treats an unknown
 * name as UTC, so Intl is asked about a zone that looks like UTC all year, and about unusual names.
 * @param env absent: Intl is always asked
 */
export function knownZone(name: string, env?: ZoneEnvironment): string | null {
  if (name === UTC || (env && AREA_AND_CITY.test(name) && !isLikeUtc(name, env))) return name;
  try {
    return new Intl.DateTimeFormat('en', {timeZone: name}).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}

function isLikeUtc(zone: string, env: ZoneEnvironment): boolean {
  switchTo(zone, env);
  return [0, 6].every((month) => new Date(2020, month).getTimezoneOffset() === 0);
}

/**
 * Milliseconds since 1970 in UTC when a zone's clock showed this wall-clock text, `YYYY-MM-DD HH:MM:SS`; NaN for
 * what is no date. A time that the zone skipped counts from the offset before the gap (ECMA-262, "UTC (t)"); of one that
 * it had twice, the second is meant, so that no job seems older than it is.
 */
export function wallToEpochMs(wall: string, zone: string, env: ZoneEnvironment): number {
  return laterOfTwo(firstOf(wall, zone, env));
}

/** The same, but of a time that the clock had twice the first is meant. */
export function earliestEpochMs(wall: string, zone: string, env: ZoneEnvironment): number {
  return firstOf(wall, zone, env).getTime();
}

/** Leaves TZ at the zone. */
function firstOf(wall: string, zone: string, env: ZoneEnvironment): Date {
  const day = wall.slice(0, 10);
  // Date reads 30 February as 2 March.
  const midnight = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(day))
    return new Date(Number.NaN);
  switchTo(zone, env);
  return new Date(`${day}T${wall.slice(11)}`);
}

/** No zone has put its clock back by more than this at once since AtoM exists. */
const LONGEST_REPEAT_MS = 3 * 3_600_000;

/** The second time at which the clock of the zone in TZ shows what it shows at this instant, if there is a second. */
function laterOfTwo(first: Date): number {
  const ms = first.getTime();
  const putBackMs =
    (new Date(ms + LONGEST_REPEAT_MS).getTimezoneOffset() - first.getTimezoneOffset()) * 60_000;
  if (!(putBackMs > 0)) return ms;
  const second = new Date(ms + putBackMs);
  return second.getTimezoneOffset() - first.getTimezoneOffset() === putBackMs / 60_000
    ? second.getTime()
    : ms;
}

/** @param epochMs milliseconds since 1970 in UTC, in the years 0 to 9999 */
export function localTime(epochMs: number, zone: string, env: ZoneEnvironment): LocalTime {
  switchTo(zone, env);
  const date = new Date(epochMs);
  const day = `${digits(date.getFullYear(), 4)}-${digits(date.getMonth() + 1)}-${digits(date.getDate())}`;
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => digits(part)).join(':');
  const minutes = Math.abs(date.getTimezoneOffset());
  const sign = date.getTimezoneOffset() > 0 ? '-' : '+';
  return {
    wall: `${day} ${time}`,
    offset: `${sign}${digits(Math.floor(minutes / 60))}:${digits(minutes % 60)}`,
  };
}

function digits(number: number, width = 2): string {
  return String(number).padStart(width, '0');
}
