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
 * Seconds in a time span as systemd prints it: `1d`, `1min 30s`, `100ms`, `infinity`. 0 if it is empty.
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
