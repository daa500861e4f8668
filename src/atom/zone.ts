/**
 * Zones by V8's own Date, which goes by one zone at a time, that of the variable TZ. All else that Node has for
 * zones, and the libraries upon it, begin with a first Intl.DateTimeFormat, which takes 25 ms: more than what a short
 * command does. Nothing else in atomctl reads a local time, so TZ may stay as it was set last.
 */

/** What a zone's clock shows at an instant. */
export interface LocalTime {
  /** `YYYY-MM-DD HH:MM:SS`. */
  wall: string;
  /** As ISO 8601 has it, to the minute: `-08:00`. */
  offset: string;
}

/** Of other names, offsets such as GMT+3 among them, Date knows some that are no zones. */
const AREA_AND_CITY = /^[A-Z][A-Za-z_]+(\/[A-Z][A-Za-z_]+)+$/;
const UTC = 'UTC';

/** V8 looks the zone up anew each time TZ is set. */
function switchTo(zone: string): void {
  if (process.env.TZ !== zone) process.env.TZ = zone;
}

/**
 * The name by which the functions below know an IANA zone; null where there is no such zone. Date takes a name that
 * it does not know for UTC, so Intl is asked about what looks like UTC all year, and about unusual names.
 */
export function knownZone(name: string): string | null {
  if (name === UTC || (AREA_AND_CITY.test(name) && !isLikeUtc(name))) return name;
  try {
    return new Intl.DateTimeFormat('en', {timeZone: name}).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}

function isLikeUtc(zone: string): boolean {
  switchTo(zone);
  return [0, 6].every((month) => new Date(2020, month).getTimezoneOffset() === 0);
}

/**
 * Milliseconds since 1970 in UTC when a zone's clock showed this wall-clock text, `YYYY-MM-DD HH:MM:SS`; NaN for
 * what is no date. A time that the zone skipped counts from the offset before the gap; of one that it had twice, the
 * first is meant (ECMA-262, "UTC (t)").
 */
export function wallToEpochMs(wall: string, zone: string): number {
  const day = wall.slice(0, 10);
  // Date takes the thirtieth of February for the second of March.
  const midnight = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(day)) return Number.NaN;
  switchTo(zone);
  return new Date(`${day}T${wall.slice(11)}`).getTime();
}

/** @param epochMs milliseconds since 1970 in UTC, in the years 0 to 9999 */
export function localTime(epochMs: number, zone: string): LocalTime {
  switchTo(zone);
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
