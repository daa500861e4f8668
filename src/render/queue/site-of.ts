/** Whose a function or a worker is, for a table. */
export function siteOf({thisSite, prefix}: {thisSite: boolean; prefix: string | null}): string {
  return thisSite ? 'this site' : (prefix ?? 'no prefix');
}
