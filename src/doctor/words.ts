const SHOWN = 5;

/** The first few of many, and how many more there are: `12, 13 and 4 more`. */
export function someOf(items: readonly (string | number)[], total = items.length): string {
  const shown = items.slice(0, SHOWN);
  const rest = total - shown.length;
  return `${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** `1 job`, `2 jobs`; `plural` where an s is not enough. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/** A job as evidence names it: `1042 (arFileImportJob)`. */
export function jobWords({id, name}: {id: number; name: string}): string {
  return `${id} (${name})`;
}
