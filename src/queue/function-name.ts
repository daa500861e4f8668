/** A Gearman function as AtoM names it. */
export interface FunctionName {
  /** 32 hex digits; null for a function of a site older than 2.5.2, or of something else than AtoM. */
  prefix: string | null;
  jobClass: string;
}

/** Since AtoM 2.5.2: `md5(root . workers_key)`, a dash, the job class. */
const PREFIXED = /^([0-9a-f]{32})-(.+)$/s;

/** The name under which a site's workers register `jobClass`; the bare class if the prefix is null or empty. */
export function functionName(prefix: string | null, jobClass: string): string {
  return prefix ? `${prefix}-${jobClass}` : jobClass;
}

/** Takes a Gearman function's name apart; a name that does not start with a prefix is all job class. */
export function splitFunctionName(name: string): FunctionName {
  const [, prefix, jobClass] = PREFIXED.exec(name) ?? [];
  return prefix === undefined || jobClass === undefined ? {prefix: null, jobClass: name} : {prefix, jobClass};
}

/** atomctl's own Gearman functions: no job of AtoM is in them, and no worker has them. */
const OWN = 'atomctl-';

/** The lock of a server's queue, see probe.ts: the atomctl that holds its one job may probe. */
export const PROBE_LOCK = `${OWN}probe-lock`;

/** Whether a function is atomctl's own. */
export function isOwnFunction(name: string): boolean {
  return name.startsWith(OWN);
}

/**
 * Orders texts by their code units. Names of functions and workers have no text that a locale orders
 * differently, and a locale's tables take nine milliseconds to load.
 */
export function byCode(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
