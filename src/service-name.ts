/**
 * What to do about a host that cannot be resolved, after the advice to check its name. One without a dot is often a
 * service of a compose file, which only the containers of that file can resolve; otherwise empty.
 * @param published how its published port is given instead
 */
export function serviceNameHint(host: string, published: string): string {
  if (host.includes('.')) return '';
  return ` If "${host}" is a service of a compose file, only its containers know the name: run atomctl in one of them, or publish the port and give ${published}.`;
}
