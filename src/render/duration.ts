const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const;

/** Seconds in at most two units: `45s`, `12m 3s`, `1h 30m`, `3d 4h`. Empty for null. */
export function formatDuration(seconds: number | null): string {
  if (seconds === null) return '';
  if (seconds < 0) return `-${formatDuration(-seconds)}`;
  const first = UNITS.findIndex(([, size]) => seconds >= size);
  if (first === -1) return '0s';
  const [unit, size] = UNITS[first]!;
  const next = UNITS[first + 1];
  const rest = next === undefined ? 0 : Math.floor((seconds % size) / next[1]);
  return `${Math.floor(seconds / size)}${unit}${rest > 0 ? ` ${rest}${next![0]}` : ''}`;
}
