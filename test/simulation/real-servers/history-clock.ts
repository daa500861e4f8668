import {createSiteTime, type SiteTime} from '../../../src/atom/site-time.ts';
import {MINUTE} from '../clock.ts';
import type {Setup, World} from '../world.ts';

/** Its clock is put back on 2026-11-01 at 06:00 UTC: the hour from 1:00 occurs twice. */
export const ZONE = 'America/New_York';
const FIRST_PASS_MS = Date.UTC(2026, 10, 1, 5);

/**
 * The time of a history for real parts. Nothing waits for it: rows, log lines, files and the observer get this time, and
 * the starts of processes, which only the kernel knows, are converted to it.
 */
export class HistoryClock {
  readonly siteTime: SiteTime = createSiteTime(ZONE, process.env);
  private readonly shiftMs: number;
  private readonly errorMs: number;

  constructor({foldedHour, zoneObserved, zoneQuarters}: Setup, {clock}: World) {
    // The model begins with the hour that occurs twice; its world is one minute old.
    this.shiftMs = foldedHour ? FIRST_PASS_MS - (clock.nowMs - MINUTE) : 0;
    this.errorMs = zoneObserved ? 0 : zoneQuarters * 15 * MINUTE;
  }

  /** Epoch milliseconds of a time of the model. */
  real(modelMs: number): number {
    return modelMs + this.shiftMs;
  }

  /** The time that PHP's clock shows, in seconds: PHP may have another idea of the zone than atomctl. */
  phpSeconds(modelMs: number): number {
    return (this.real(modelMs) + this.errorMs) / 1000;
  }

  /** What PHP writes into a row. */
  wall(modelMs: number): string {
    return this.siteTime.toWall(new Date(this.phpSeconds(modelMs) * 1000));
  }
}
