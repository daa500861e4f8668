import type {AtomctlError} from '../errors.ts';
import type {LiveOptions, LiveReport} from '../jobs/live-state.ts';
import type {Context} from './context.ts';

/** A listing does not wait longer than this for Gearman, however long --timeout is. */
const LISTING_SECONDS = 2;

/** What liveStates needs from the context, for a command that only looks. */
export async function liveSources(
  context: Context,
  options: {probe?: boolean; notice: (text: string) => void},
): Promise<Pick<LiveOptions, 'servers' | 'prefix' | 'now' | 'probe'>> {
  const timeoutSeconds = Math.min(context.timeoutSeconds, LISTING_SECONDS);
  const site = await context.site();
  const [servers, prefix] = await Promise.all([context.servers(timeoutSeconds), site.functionPrefix()]);
  const sources = {servers, prefix: prefix.value, now: context.now};
  if (options.probe !== true) return sources;
  const {probePayloads} = await import('../jobs/probe.ts');
  const probe = () =>
    probePayloads({servers, prefix: prefix.value, timeoutSeconds}).catch((error: AtomctlError) => {
      if (error.code !== 'REFUSED') throw error;
      options.notice(`The queue was not probed. ${error.message} ${error.hint ?? ''}`.trim());
      return null;
    });
  return {...sources, probe};
}

/** Says on stderr which servers could not be asked for the live state, once each. */
export function noticeMissing(report: LiveReport, notice: (text: string) => void): void {
  for (const {message} of report.missing) notice(`The live state is not certain: ${message}`);
}
