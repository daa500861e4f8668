import {Context} from '../../../src/cli/context.ts';
import {liveSources} from '../../../src/cli/site/live.ts';
import {formatAddress} from '../../../src/gearman/address.ts';
import {notSure} from '../../../src/host/observed-clock.ts';
import type {HostFacts} from '../../../src/jobs/live/collect-evidence.ts';
import {type LiveReport, liveStates} from '../../../src/jobs/live/live-state.ts';
import type {ObservationOptions} from '../observe.ts';
import type {RealParts} from './real-parts.ts';
import {FIRST_ID} from './real-payload.ts';

/** What happens while the observation lasts, at these two moments. */
export interface Meanwhile {
  /** After the payloads of a server were read, if they were asked for. */
  probed?: (endpoint: string) => void;
  /** Between the first read of the rows and the questions to Gearman. */
  afterRows?: () => Promise<void>;
  /** After the questions, while the processes are read; not reached if no row needs them. */
  atProcesses?: () => Promise<void>;
}

/** atomctl's own context for the site of a history, at its time. */
export function contextInHistory(
  {world, clock, ...parts}: RealParts,
  siteFile: string,
  oneServer: boolean,
): Context {
  const [first] = world.own.release.yaml.servers;
  return new Context({
    site: {
      site: {value: 'archive', origin: '--site'},
      config: {value: siteFile, origin: '--config'},
      ...(oneServer
        ? {gearman: {value: [parts.gearmands.get(world.server(first!))!.endpoint], origin: '--gearman'}}
        : {}),
    },
    timeoutSeconds: 5,
    env: process.env,
    cwd: '/',
    callerUid: process.getuid!(),
    php: undefined,
    now: () => new Date(clock.real(world.clock.nowMs)),
  });
}

/** The live states as `jobs:list` gets them, at the time of the history. */
export async function takeObservation(
  parts: RealParts,
  siteFile: string,
  {probe, oneServer, seenBefore}: ObservationOptions,
  meanwhile: Meanwhile = {},
): Promise<LiveReport> {
  const context = contextInHistory(parts, siteFile, oneServer);
  try {
    const [database, time, sources] = await Promise.all([
      context.database(),
      context.time(),
      liveSources(context, {probe, notice: () => {}}),
    ]);
    return await liveStates({
      ...sources,
      database,
      time,
      host: hostInHistory(parts, sources.host, meanwhile),
      probe: async () => {
        const waiting = (await sources.probe?.()) ?? [];
        for (const {address} of probe ? sources.servers : []) meanwhile.probed?.(formatAddress(address));
        await meanwhile.afterRows?.();
        return waiting;
      },
      seenBefore: new Set([...seenBefore].map((id) => FIRST_ID + id)),
    });
  } finally {
    await context.dispose();
  }
}

/**
 * The facts of this host, of which three are changed. Starts of processes are converted to the time of the history.
 * Processes of others (a test beside this one) are left out. The sandbox has no journal, so whether the offset was observed
 * is the setup's to say, and whether /proc can be read, too.
 */
export function hostInHistory(
  parts: RealParts,
  host: HostFacts,
  {atProcesses}: Pick<Meanwhile, 'atProcesses'>,
): HostFacts {
  const {world, clock} = parts;
  const toHistory = (pid: number, realMs: number) => {
    const started = parts.started.get(pid)!;
    return clock.real(started.atMs) + (realMs - started.realMs);
  };
  const own = <Process extends {pid: number; startedMs: number}>(processes: readonly Process[]) =>
    processes
      .filter(({pid}) => parts.started.has(pid))
      .map((process) => ({...process, startedMs: toHistory(process.pid, process.startedMs)}));
  return {
    ...host,
    async processes() {
      await atProcesses?.();
      if (!world.setup.processesReadable)
        return {unreadable: 'The setup hides them.', workers: [], imports: [], otherSites: new Set()};
      const found = await host.processes();
      return {...found, workers: own(found.workers), imports: own(found.imports)};
    },
    async gearmand(address) {
      const facts = await host.gearmand(address);
      const real = [...parts.gearmands.values()].find(({endpoint}) => endpoint.endsWith(`:${address.port}`));
      return facts.startedMs === null || !real?.pid
        ? facts
        : {...facts, startedMs: toHistory(real.pid, facts.startedMs)};
    },
    clock: async () =>
      world.setup.zoneObserved
        ? {uncertaintyMs: 0, reason: 'The setup says that it was observed.'}
        : notSure('the setup says so', clock.siteTime),
  };
}
