import type {SiteTime} from '../atom/site-time.ts';
import {formatDuration} from '../duration.ts';

/** A line of a worker's journal. */
export interface JournalLine {
  at: Date;
  message: string;
}

/** How far the site's wall clock can be trusted. */
export interface ObservedClock {
  /** 0 if the zone's offset was observed, otherwise the largest error that a wrong zone can make. */
  uncertaintyMs: number;
  /** One sentence: how the offset was observed, or why it is not sure. */
  reason: string;
  /** How far PHP's clock was seen ahead of the zone that atomctl uses, a multiple of a quarter of an hour. */
  aheadMs: number | null;
}

/** Zones reach from UTC-12 to UTC+14. */
export const LARGEST_ZONE_ERROR_MS = 26 * 3_600_000;

const QUARTER_MS = 15 * 60_000;
/** A line comes into the journal at once; a busy host may delay it. */
const DELAY_MS = 2 * 60_000;
/** A rule of the zone that PHP has and Node has not may begin at any time, so an old line shows nothing. */
const OLDEST_LINE_MS = 31 * 86_400_000;

/** A worker's line begins with PHP's wall clock: `2026-11-25 14:08:02 > Job finished.` */
const WORKER_LINE = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) > /;

/**
 * Compares PHP's wall clock in a worker's lines with the UTC time at which journald got them. The offset is sure if the
 * lines agree with the site's zone and the zone has not changed its offset since the newest of them.
 */
export function observeClock(
  lines: readonly JournalLine[],
  {time, now}: {time: SiteTime; now: Date},
): ObservedClock {
  const recent = lines.filter(({at}) => now.getTime() - at.getTime() <= OLDEST_LINE_MS);
  const seen = recent.flatMap((line) => {
    const aheadMs = aheadOf(line, time);
    return aheadMs === null ? [] : [{at: line.at, aheadMs}];
  });
  const newest = seen.reduce<(typeof seen)[number] | null>(
    (latest, each) => (latest === null || each.at >= latest.at ? each : latest),
    null,
  );
  if (newest === null) return notSure('the worker wrote no time to the journal in the last 31 days', time);
  const {aheadMs} = newest;
  if (aheadMs !== 0) {
    return {
      uncertaintyMs: LARGEST_ZONE_ERROR_MS,
      reason: `PHP's clock and the timezone ${time.zone} differ by ${formatDuration(Math.abs(aheadMs) / 1000)} (according to the worker's journal).`,
      aheadMs,
    };
  }
  if (seen.some((each) => each.aheadMs !== 0)) {
    return notSure("the times in the worker's journal contradict each other", time);
  }
  if (offsetMs(newest.at, time) !== offsetMs(now, time)) {
    return notSure("the timezone changed its offset after the last line of the worker's journal", time);
  }
  const shown = time.toIso(time.toWall(newest.at))?.slice(-6) ?? '';
  return {
    uncertaintyMs: 0,
    reason: `The worker's journal shows PHP's clock at UTC${shown}, which matches the timezone ${time.zone}.`,
    aheadMs,
  };
}

/** The clock of a site whose zone was not observed. @param why a clause */
export function notSure(why: string, {zone}: Pick<SiteTime, 'zone'>): ObservedClock {
  return {
    uncertaintyMs: LARGEST_ZONE_ERROR_MS,
    reason: `PHP's clock could not be compared with the timezone ${zone} (${why}).`,
    aheadMs: null,
  };
}

/** null for a line without a time, or one that came too late to tell. */
function aheadOf({at, message}: JournalLine, time: SiteTime): number | null {
  const [, day, clock] = WORKER_LINE.exec(message) ?? [];
  if (day === undefined) return null;
  const differenceMs = Date.parse(`${day}T${clock}Z`) - wallMs(at, time);
  const rounded = Math.round(differenceMs / QUARTER_MS) * QUARTER_MS;
  return Math.abs(differenceMs - rounded) <= DELAY_MS ? rounded + 0 : null;
}

function offsetMs(instant: Date, time: SiteTime): number {
  return wallMs(instant, time) - Math.floor(instant.getTime() / 1000) * 1000;
}

/** The zone's wall clock at an instant, as if it were UTC. */
function wallMs(instant: Date, time: SiteTime): number {
  return Date.parse(`${time.toWall(instant).replace(' ', 'T')}Z`);
}
