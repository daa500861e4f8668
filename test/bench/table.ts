import type {Figures, Spread} from './contest.ts';

/** One line of the table. */
export interface Comparison {
  measurement: string;
  atomctl: Figures;
  peerLabel: string;
  peer: Figures;
  /** Of the medians, atomctl's to the peer's: below 1, atomctl is faster. */
  ratio: number;
  /** What the ratio may be at most, and the memory; null if nobody has set a bound. */
  target: Target | null;
  met: boolean | null;
}

export interface Target {
  ratio: number;
  peakMib?: number;
}

export function compare(line: Omit<Comparison, 'ratio' | 'target' | 'met'> & {target?: Target}): Comparison {
  const ratio = line.atomctl.wallSeconds.median / line.peer.wallSeconds.median;
  const {target = null} = line;
  const met =
    target && ratio <= target.ratio && line.atomctl.peakMib < (target.peakMib ?? Number.POSITIVE_INFINITY);
  return {...line, ratio, target, met};
}

const HEADS = [
  'measurement',
  'atomctl',
  'peak MiB',
  'peer',
  'its time',
  'CPU of both',
  'ratio',
  'target',
  '',
];

/** The comparisons as a Markdown table: medians, and the least and the most in brackets. */
export function markdownTable(lines: readonly Comparison[]): string {
  const rows = lines.map(({measurement, atomctl, peerLabel, peer, ratio, target, met}) => [
    measurement,
    range(atomctl.wallSeconds),
    atomctl.peakMib.toFixed(0),
    peerLabel,
    range(peer.wallSeconds),
    `${duration(atomctl.cpuSeconds.median)}, ${duration(peer.cpuSeconds.median)}`,
    ratioText(ratio),
    target === null ? '' : targetText(target),
    met === null ? '' : met ? 'met' : 'not met',
  ]);
  return [HEADS, HEADS.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function range({median, least, most}: Spread): string {
  return least === most ? duration(median) : `${duration(median)} (${duration(least)} – ${duration(most)})`;
}

/** In milliseconds below a second. */
export function duration(seconds: number): string {
  return seconds < 1 ? `${(seconds * 1000).toFixed(0)} ms` : `${seconds.toFixed(2)} s`;
}

function ratioText(ratio: number): string {
  return ratio < 0.1 ? ratio.toFixed(3) : ratio.toFixed(2);
}

function targetText({ratio, peakMib}: Target): string {
  return `≤ ${ratio}${peakMib === undefined ? '' : `, < ${peakMib} MiB`}`;
}

/** 100,000 rather than 100000. */
export function count(jobs: number): string {
  return jobs.toLocaleString('en');
}
