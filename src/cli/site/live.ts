import type {LiveReport, LiveSources} from '../../jobs/live/live-state.ts';
import type {QueueOptions} from '../../jobs/live/queue-payloads.ts';
import type {Context} from '../context.ts';

/** A listing does not wait longer than this for Gearman, however long --timeout is. */
const LISTING_SECONDS = 2;

/** The site's prefixes and the facts about this host. @throws AtomctlError USAGE if a setting of the site is wrong */
export async function liveFacts(context: Context): Promise<Pick<LiveSources, 'prefixes' | 'host'>> {
  const {hostFacts, sitePrefixes} = await import('./host-facts.ts');
  const [host, prefixes] = await Promise.all([hostFacts(context), sitePrefixes(context)]);
  return {host, prefixes};
}

/** What liveStates needs from the context, for a command that only reads. */
export async function liveSources(
  context: Context,
  options: {probe?: boolean; notice: (text: string) => void},
): Promise<LiveSources> {
  const timeoutSeconds = Math.min(context.timeoutSeconds, LISTING_SECONDS);
  const [servers, facts] = await Promise.all([context.servers(timeoutSeconds), liveFacts(context)]);
  const sources = {servers, now: context.now, ...facts};
  if (options.probe !== true) return sources;
  return {...sources, probe: siteProbe({servers, prefixes: facts.prefixes, timeoutSeconds}, options.notice)};
}

/** Reads the waiting jobs of a site and gives them back; says why some could not be read. */
export function siteProbe(queue: QueueOptions, notice: (text: string) => void) {
  return async () => {
    const [{probeSite}, {deferSignals}] = await Promise.all([
      import('../../jobs/live/queue-payloads.ts'),
      import('../terminal/interrupt.ts'),
    ]);
    const {waiting, problems} = await deferSignals(() => probeSite(queue));
    for (const {message, hint} of problems)
      notice(`The queue was not probed: ${message} ${hint ?? ''}`.trim());
    return waiting;
  };
}

/** Says on stderr which servers could not be asked for the live state, once each. */
export function noticeMissing(report: LiveReport, notice: (text: string) => void): void {
  for (const {message} of report.missing) notice(`The live state is not certain: ${message}`);
}

/** The live report for a filter by live state. @throws AtomctlError for the database */
export async function liveReport(context: Context, notice: (text: string) => void): Promise<LiveReport> {
  const [{liveStates}, database, time, sources] = await Promise.all([
    import('../../jobs/live/live-state.ts'),
    context.database(),
    context.time(),
    liveSources(context, {notice}),
  ]);
  const report = await liveStates({database, time, ...sources});
  noticeMissing(report, notice);
  return report;
}
