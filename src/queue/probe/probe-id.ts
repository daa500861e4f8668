import {randomBytes} from 'node:crypto';

/** A probe of the longest queue that atomctl probes takes some seconds. */
const LONGEST_PROBE_MS = 120_000;

const PROBE_ID = /^atomctl-probe-[0-9a-f]+-(\d+)$/;

/**
 * The id under which a probe's connections show in Gearman's `workers`: who it is, and when it began. It lets every
 * other atomctl tell a probe that goes on from a client that holds jobs under atomctl's name and never leaves.
 */
export function newProbeId(nowMs: number): string {
  return `atomctl-probe-${randomBytes(4).toString('hex')}-${Math.floor(nowMs / 1000)}`;
}

/** True if a client calls itself as atomctl's probe does, whether it is one or not. */
export function claimsToBeProbe(id: string): boolean {
  return id.startsWith('atomctl-');
}

/** When a probe began by its id, epoch milliseconds; null if the id does not say so. */
export function probeBegan(id: string): number | null {
  const [, seconds] = PROBE_ID.exec(id) ?? [];
  return seconds === undefined ? null : Number(seconds) * 1000;
}

/** True for a probe that began no longer ago than a probe lasts, on clocks that agree as well. */
export function isCurrentProbe(id: string, nowMs: number): boolean {
  const beganMs = probeBegan(id);
  return beganMs !== null && Math.abs(nowMs - beganMs) <= LONGEST_PROBE_MS;
}
