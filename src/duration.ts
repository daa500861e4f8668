const UNITS = [
  {name: 'd', seconds: 86_400},
  {name: 'h', seconds: 3_600},
  {name: 'm', seconds: 60},
  {name: 's', seconds: 1},
];

/** Seconds in at most two units: `45s`, `12m 3s`, `1h 30m`, `3d 4h`. Empty for null. */
export function formatDuration(seconds: number | null): string {
  if (seconds === null) return '';
  if (seconds < 0) return `-${formatDuration(-seconds)}`;
  const at = UNITS.findIndex((unit) => seconds >= unit.seconds);
  const unit = UNITS[at];
  if (unit === undefined) return '0s';
  const whole = `${Math.floor(seconds / unit.seconds)}${unit.name}`;
  const next = UNITS[at + 1];
  const rest = next === undefined ? 0 : Math.floor((seconds % unit.seconds) / next.seconds);
  return rest > 0 ? `${whole} ${rest}${next!.name}` : whole;
}
