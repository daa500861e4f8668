import {randomBytes} from 'node:crypto';

/** A probe of the longest queue that atomctl probes takes some seconds. */
const LONGEST_PROBE_MS = 120_000;

/** The command of a queue:hold, as a deploy, takes longer; after a day its id shows only that nobody has ended it. */
const LONGEST_HOLD_MS = 24 * 3600 * 1000;

const HOLD_ID = /^atomctl-hold-[0-9a-f]+-(\d+)$/;
const PROBE_ID = /^atomctl-probe-[0-9a-f]+-(\d+)$/;

/**
 * The id under which a probe's connections show in Gearman's `workers`: who it is, and when it began. It lets every
 * other atomctl tell a probe that goes on from a client that holds jobs under atomctl's name and never leaves.
 */
export function newProbeId(nowMs: number): string {
  return `atomctl-probe-${randomBytes(4).toString('hex')}-${Math.floor(nowMs / 1000)}`;
}

/** The same for all connections of a queue:hold. */
export function newHoldId(nowMs: number): string {
  return `atomctl-hold-${randomBytes(4).toString('hex')}-${Math.floor(nowMs / 1000)}`;
}

/** True for a queue:hold that began within a day. */
export function isCurrentHold(id: string, nowMs: number): boolean {
  const [, seconds] = HOLD_ID.exec(id) ?? [];
  return seconds !== undefined && Math.abs(nowMs - Number(seconds) * 1000) <= LONGEST_HOLD_MS;
}

/** True if a client calls itself as atomctl's probe does, whether it is one or not. */
export function claimsToBeProbe(id: string): boolean {
  return id.startsWith('atomctl-');
}

/** When a probe or a hold began by its id, epoch milliseconds; null if the id does not say so. */
export function probeBegan(id: string): number | null {
  const [, seconds] = PROBE_ID.exec(id) ?? HOLD_ID.exec(id) ?? [];
  return seconds === undefined ? null : Number(seconds) * 1000;
}

/** True for a probe that began no longer ago than a probe lasts, on clocks that agree as well. */
export function isCurrentProbe(id: string, nowMs: number): boolean {
  const [, seconds] = PROBE_ID.exec(id) ?? [];
  return seconds !== undefined && Math.abs(nowMs - Number(seconds) * 1000) <= LONGEST_PROBE_MS;
}
