/** The Gearman functions that atomctl itself makes use of: nobody's jobs are in them, and no worker has them. */
const OWN = 'atomctl-';

/** Its one job is the right to hold a server's jobs, see peek.ts: whoever is handed it may look at the queue. */
export const PEEK_LOCK = `${OWN}peek`;

/** Whether a function is none of anyone's queue, but atomctl's. */
export function isOwnFunction(name: string): boolean {
  return name.startsWith(OWN);
}
