import {AtomctlError} from '../../errors.ts';
import {describeEndpoint, endpointOf} from '../../mysql/endpoint.ts';
import type {Context} from '../context.ts';
import {type Change, recordChanges} from './audit.ts';
import {underSiteLock} from './lock.ts';

export interface ChangeOptions<T> {
  /** The command's id. */
  command: string;
  /** The file of `--audit-log`. */
  auditLog: string | undefined;
  /** What is about to be tried, for the record of a failure. */
  attempt: object;
  work: () => Promise<T>;
  /** What the work changed, for the audit trail. */
  changes: (result: T) => readonly Change[];
  /** Says that the trail could not be written; not kept from anybody by --quiet. */
  complain: (text: string) => void;
}

/**
 * Changes a site the way every command does: under the site's lock, and on record. A trail that cannot be written
 * takes nothing back.
 * @throws AtomctlError LOCKED before anything was touched; what `work` throws, on record too
 */
export function changeSite<T>(context: Context, options: ChangeOptions<T>): Promise<T> {
  return underSiteLock(context, options.command, async () => {
    try {
      const result = await options.work();
      await record(context, options, options.changes(result));
      return result;
    } catch (error) {
      const {code, message} = error instanceof AtomctlError ? error : {code: 'INTERNAL', message: 'failed'};
      await record(context, options, [{what: options.attempt, result: {error: {code, message}}}]);
      throw error;
    }
  });
}

async function record<T>(
  context: Context,
  {command, auditLog, complain}: ChangeOptions<T>,
  changes: readonly Change[],
): Promise<void> {
  const {value: config} = await (await context.site()).database();
  const problem = await recordChanges(changes, {
    command,
    database: `${config.database} at ${describeEndpoint(endpointOf(config))}`,
    file: auditLog ?? null,
    now: context.now(),
    env: process.env,
  });
  if (problem !== null) complain(problem);
}
