const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `0 bytes`, `1.5 KiB`, `12 MiB`. */
export function formatBytes(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  const value = bytes / 1024 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}
