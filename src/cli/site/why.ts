import {hostCommands} from '../../host-commands.ts';
import type {Explained} from '../../jobs/why/why.ts';
import type {Context} from '../context.ts';
import {liveSources} from './live.ts';

/**
 * Explains a job with what the context reaches.
 * @param options.probe whether the payloads of waiting jobs may be read
 * @throws AtomctlError NO_SUCH_JOB; for the database; INTERRUPTED after a probe
 */
export async function explain(
  context: Context,
  {id, probe, notice}: {id: number; probe: boolean; notice: (text: string) => void},
): Promise<Explained> {
  const [{explainJob}, {readProcessState}, database, time, sources] = await Promise.all([
    import('../../jobs/why/why.ts'),
    import('../../processes/process-state.ts'),
    context.database(),
    context.time(),
    liveSources(context, {notice}),
  ]);
  const {servers, prefixes, host, now} = sources;
  return explainJob({
    ...{servers, prefixes, host, now},
    id,
    database,
    time,
    journalPids: (jobs) => journalPids(context, jobs),
    processState: async (pid) => (await readProcessState(pid))?.state ?? null,
    commands: hostCommands(),
    ...(probe && {probe: (name: string) => probeFor(context, sources, name)}),
  });
}

async function probeFor(
  context: Context,
  {servers, prefixes}: Pick<Awaited<ReturnType<typeof liveSources>>, 'servers' | 'prefixes'>,
  name: string,
) {
  const [{probeSite}, {deferSignals}] = await Promise.all([
    import('../../jobs/live/queue-payloads.ts'),
    import('../terminal/interrupt.ts'),
  ]);
  const {timeoutSeconds} = context;
  const {waiting, problems} = await deferSignals(() => probeSite({servers, prefixes, timeoutSeconds, name}));
  const refused = problems.map(({message, hint}) => `It was not probed: ${message} ${hint ?? ''}`.trim());
  return {waiting, refused: refused.length === 0 ? null : refused.join(' ')};
}

/** The main processes of the units whose journal names these jobs; none without systemd, or if it does not answer. */
async function journalPids(
  context: Context,
  jobs: readonly {id: number; name: string}[],
): Promise<Map<number, number>> {
  const [{findWorker}, {assignToUnits}] = await Promise.all([
    import('../worker/unit-flags.ts'),
    import('../../worker/executing.ts'),
  ]);
  const found = await findWorker(context, {'user-manager': false}).catch(() => null);
  if (found === null) return new Map();
  const {units, manager} = found;
  const assigned = await assignToUnits({jobs, units, scope: manager.scope});
  const pids = new Map(units.map(({name, mainPid}) => [name, mainPid]));
  return new Map(
    assigned.flatMap(({id, unit, isNamed}) => {
      const pid = isNamed ? (pids.get(unit!) ?? null) : null;
      return pid === null ? [] : [[id, pid] as const];
    }),
  );
}
