const SECONDS: Record<string, number> = {
  us: 1e-6,
  ms: 1e-3,
  s: 1,
  min: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
  month: 2_629_800,
  y: 31_557_600,
};

/**
 * Seconds in a time span as systemd prints it: `1d`, `1min 30s`, `100ms`, `infinity`. 0 for an empty one.
 * The lengths of month (30.44 days) and year (365.25 days) are systemd's.
 */
export function parseTimeSpan(text: string): number {
  if (text === 'infinity') return Number.POSITIVE_INFINITY;
  let seconds = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)\s*([a-z]+)/g)) {
    seconds += Number(amount) * (SECONDS[unit!] ?? 0);
  }
  return seconds;
}

const PRINTED = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const;

/** A span in systemd's units, the two largest at most: `1d`, `22h 10min`, `30s`. */
export function formatTimeSpan(seconds: number): string {
  let rest = Math.round(seconds);
  const parts: string[] = [];
  for (const [unit, size] of PRINTED) {
    const amount = Math.floor(rest / size);
    if (amount > 0) parts.push(`${amount}${unit}`);
    rest -= amount * size;
  }
  return parts.slice(0, 2).join(' ') || '0s';
}
