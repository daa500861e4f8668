import {AtomctlError} from '../../errors.ts';
import {interruptionQuestion} from '../../render/worker.ts';
import type {ExecutingJob} from '../../worker/executing.ts';
import type {ServiceOptions} from '../../worker/service.ts';
import type {Context} from '../context.ts';
import {liveReport} from '../site/live.ts';
import {siteLine} from '../site/site-line.ts';
import {confirm} from '../terminal/confirm.ts';
import type {IO} from '../terminal/io.ts';

/** The site's executing jobs, with their units; none, and a notice, if the database cannot be read. */
export async function executingJobs(
  context: Context,
  {manager, units}: Pick<ServiceOptions, 'manager' | 'units'>,
  notice: (text: string) => void,
): Promise<ExecutingJob[]> {
  try {
    const {verdicts, rows} = await liveReport(context, notice);
    const jobs = rows
      .filter(({id}) => verdicts.get(id)?.state === 'executing')
      .map(({id, name}) => ({id, name}));
    const {assignToUnits} = await import('../../worker/executing.ts');
    const assigned = await assignToUnits({jobs, units, scope: manager.scope});
    return assigned.map(({id, name, unit}) => ({id, name, unit}));
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    notice(`atomctl cannot find out which jobs are executing: ${error.message}`);
    return [];
  }
}

/**
 * Asks before a worker is stopped in the middle of a job. Asks nothing if none executes.
 * @throws AtomctlError NEEDS_CONFIRMATION without a terminal, DECLINED for a no
 */
export async function agreeToInterrupt(
  context: Context,
  service: ServiceOptions,
  options: {io: IO; verb: 'stop' | 'restart'; assumeYes: boolean; notice: (text: string) => void},
): Promise<void> {
  const {units, site, askServers} = service;
  if (options.assumeYes || units.every(({mainPid}) => mainPid === null)) return;
  const [executing, answers, {queueFunctions}] = await Promise.all([
    executingJobs(context, service, options.notice),
    askServers(),
    import('../../queue/functions.ts'),
  ]);
  const names = new Set(units.map(({name}) => name));
  const concerned = executing.filter(({unit}) => unit === null || names.has(unit));
  // Gearman may count jobs that the database did not name: it cannot be read, or the state is uncertain.
  const jobClasses = Object.values(site.workerTypes).flat();
  const functions = queueFunctions(answers, {prefix: site.prefix, jobClasses});
  const running = functions.filter(({thisSite}) => thisSite).reduce((sum, row) => sum + row.running, 0);
  const unnamed = Math.max(0, running - executing.length);
  if (concerned.length + unnamed === 0) return;
  const question = interruptionQuestion({verb: options.verb, units: [...names], jobs: concerned, unnamed});
  await confirm({...options.io, site: () => siteLine(context), question, assumeYes: false});
}
