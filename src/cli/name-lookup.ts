/**
 * Has the system's resolver give up on a name server that is silent within about `seconds` (it counts whole ones):
 * by default it waits 10 s or more, and a lookup once begun cannot be called off, not even by the end of the process.
 * What the user's own RES_OPTIONS says stands.
 */
export function boundNameLookups(seconds: number, env: Record<string, string | undefined>): void {
  env.RES_OPTIONS ??= `timeout:${Math.max(1, Math.floor(seconds))} attempts:1`;
}
