import {setTimeout as sleep} from 'node:timers/promises';
import {hostCommands} from '../../host-commands.ts';
import type {SiteJobs} from '../../queue/status.ts';
import type {Context} from '../context.ts';
import {liveFacts, liveSources} from './live.ts';

/**
 * The site's jobs for the verdict on its queue, over connections of its own: a poll that is repeated meets servers
 * that came back.
 * @param excluded job classes left out of the verdict
 * @throws AtomctlError for the database
 */
export async function readSiteJobs(context: Context, excluded: readonly string[] = []): Promise<SiteJobs> {
  const own = context.renewed();
  try {
    const [database, time, sources, jobs] = await Promise.all([
      own.database(),
      own.time(),
      liveSources(own, {notice: () => {}}),
      importJobs(),
    ]);
    // One moment for all ages: the cross-check below may wait for seconds.
    const at = own.now();
    const collect = () => jobs.liveStates({database, time, ...sources});
    const clock = {
      time,
      now: own.now,
      database,
      clock: sources.host.clock,
      systemOffsetMs: jobs.systemOffsetMs,
    };
    const [backlog, report, plugins, clockFaults] = await Promise.all([
      jobs.readBacklog(database, {time, now: at}),
      collect(),
      // Another program's table, or a user who may not read it: then it is not known.
      jobs.enabledPlugins(database).catch(() => null),
      jobs.clockFaults(clock),
    ]);
    const {servers, now} = sources;
    const checked = await jobs.crossCheck(report, {
      servers,
      database,
      now,
      again: collect,
      wait: (milliseconds) => sleep(milliseconds),
      workerProcess: jobs.readWorkerProcess,
    });
    const problems = [
      ...jobs.jobProblems(report, checked, {time, excluded, commands: hostCommands()}),
      ...jobs.clockProblems(clockFaults),
    ].map(({state, message, remedy}) => ({state, message, remedy}));
    const longestWait = jobs.longestWait(report, {now: at, excluded});
    return {backlog: {...backlog, longestWait}, plugins, problems, cancelled: checked.cancelled};
  } finally {
    await own.dispose();
  }
}

async function importJobs() {
  const modules = await Promise.all([
    import('../../jobs/live/live-state.ts'),
    import('../../jobs/model/running-jobs.ts'),
    import('../../atom/plugins.ts'),
    import('../../jobs/health/cross-check.ts'),
    import('../../jobs/health/job-problems.ts'),
    import('../../host/worker-state.ts'),
    import('../../jobs/health/clock.ts'),
    import('../../host/system-zone.ts'),
    import('../../jobs/health/longest-wait.ts'),
  ]);
  const [live, rows, plugins, checks, problems, worker, clock, zone, wait] = modules;
  return {
    liveStates: live.liveStates,
    readBacklog: rows.readBacklog,
    enabledPlugins: plugins.enabledPlugins,
    crossCheck: checks.crossCheck,
    jobProblems: problems.jobProblems,
    readWorkerProcess: worker.readWorkerProcess,
    clockFaults: clock.clockFaults,
    clockProblems: problems.clockProblems,
    systemOffsetMs: zone.systemOffsetMs,
    longestWait: wait.longestWait,
  };
}

/** The prefixes on the site's servers that are known to be other sites'. */
export async function foreignPrefixes(context: Context): Promise<ReadonlySet<string>> {
  const [{takeSnapshot}, {prefixes}, servers] = await Promise.all([
    import('../../queue/snapshot.ts'),
    liveFacts(context),
    context.servers(),
  ]);
  return prefixes.foreign(await takeSnapshot(servers));
}
