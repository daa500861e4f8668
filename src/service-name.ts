/**
 * What to do about a host that cannot be resolved. One without a dot is often a service of a compose file, which only the
 * containers of that file can resolve.
 * @param options.published how its published port is given instead
 * @param options.check what to check of its spelling, a sentence
 */
export function unresolvedHint(host: string, {published, check}: {published: string; check: string}): string {
  if (host.includes('.')) return check;
  return `If "${host}" is a service of a compose file, only its containers can resolve the name: run atomctl in a container (docs/containers.md), or publish the port and give ${published}. Otherwise: ${check}`;
}
