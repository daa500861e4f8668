import {prefixOf} from './atom-site.ts';
import {ABILITIES, JOB_CLASSES} from './classes.ts';
import {DAY, HOUR, MINUTE, SECOND} from './clock.ts';
import {
  HIDDEN_WORKERS_WAIT_BEFORE_THE_FIRST_LINE,
  isHidden,
  keyOf,
  payloadOf,
  UNSCANNED_WORKERS_ARE_SILENT,
  type World,
} from './world.ts';

/** What happens next: a kind, and two numbers that pick whom it happens to. */
export interface WorldEvent {
  kind: string;
  a: number;
  b: number;
  /** Index of PAUSES: the time that passes before. */
  pause: number;
  /** Steps of the observation that follow the event. */
  looks: number;
}

export const PAUSES = [
  0,
  0,
  0,
  100,
  1 * SECOND,
  3 * SECOND,
  10 * SECOND,
  12 * SECOND,
  40 * SECOND,
  2 * MINUTE,
  16 * MINUTE,
  20 * MINUTE,
  2 * HOUR,
  27 * HOUR,
  2 * DAY,
];

/**
 * Whether a worker may hang between the last line of a job and its word to Gearman. No code waits there (arBaseJob::run,
 * Worker.php, 2.8.2), so it takes a SIGSTOP in that very moment; the job then looks like another one that executes.
 */
const WORKERS_HANG_AFTER_THE_LAST_LINE = false;

type Happens = (world: World, a: number, b: number) => string | null;

/** Each kind of event with its weight. A null answer: it could not happen, and nothing did. */
export const EVENTS: Readonly<Record<string, {weight: number; happens: Happens}>> = {
  request: {
    weight: 16,
    happens: (world, a, b) => world.request(a, [0, 0, 0, 1, 5][b % 5]! * SECOND, b % 11 === 10),
  },
  workerActs: {
    weight: 24,
    happens: (world, a, b) => {
      const worker = pick(world.workers, a);
      return worker ? world.stepWorker(worker, b) : null;
    },
  },
  startWorker: {
    weight: 3,
    happens: (world, a, b) => {
      const host =
        !world.setup.workersElsewhere || a % 3 === 0 ? 'here' : a % 3 === 1 ? 'remote' : 'container';
      // A process in a container may have the number of a process of this host.
      const pid =
        host === 'container' ? world.workers.find((worker) => worker.host === 'here')?.pid : undefined;
      return world.startWorker('own', host, {pid, scanned: host !== 'here' || b % 8 !== 7});
    },
  },
  killWorker: {
    weight: 3,
    happens: (world, a, b) => {
      const worker = pick(world.workers, a);
      if (!worker) return null;
      const group = b % 3 === 0;
      world.endWorker(worker, group);
      return `Worker ${worker.pid} is killed (kill -9)${group ? ' with its children' : ''}.`;
    },
  },
  terminateWorker: {
    weight: 2,
    happens: (world, a) => {
      const worker = pick(world.workers, a);
      if (!worker) return null;
      if (world.own.version === '2.8' && worker.execution?.phase === 'child') {
        // systemd sends SIGCONT after it (systemd.kill(5), KillSignal=).
        worker.hung = false;
        worker.endsAfterChild = true;
        return `Worker ${worker.pid} gets SIGTERM and will end after its child.`;
      }
      // To 2.6 it ends at once and its child goes on (run, 2.6.4).
      world.endWorker(worker, false);
      return `Worker ${worker.pid} ends on SIGTERM.`;
    },
  },
  hang: {
    weight: 3,
    happens: (world, a) => {
      const worker = pick(world.workers, a);
      if (!worker || worker.hung) return null;
      if (!worker.scanned && !UNSCANNED_WORKERS_ARE_SILENT) return null;
      const phase = worker.execution?.phase;
      if (isHidden(worker) && phase === 'grabbed' && !HIDDEN_WORKERS_WAIT_BEFORE_THE_FIRST_LINE) return null;
      const atEnd = phase === 'finished' || phase === 'failed';
      if (atEnd && !WORKERS_HANG_AFTER_THE_LAST_LINE) return null;
      worker.hung = true;
      return `Worker ${worker.pid} hangs.`;
    },
  },
  goOn: {
    weight: 3,
    happens: (world, a) => {
      const worker = pick(
        world.workers.filter(({hung}) => hung),
        a,
      );
      if (!worker) return null;
      world.goOn(worker);
      return `Worker ${worker.pid} goes on.`;
    },
  },
  childEnds: {
    weight: 4,
    happens: (world, a) => {
      const child = pick(world.children, a);
      if (!child) return null;
      world.endChild(child);
      return `csv:import ${child.pid} of job ${child.jobId} ends.`;
    },
  },
  powerOff: {
    weight: 0.5,
    happens: (world) => (world.powerOff('remote') > 0 ? 'The remote host loses its power.' : null),
  },
  keepalive: {
    weight: 0.7,
    happens: (world) => {
      if (world.halfOpen.length === 0) return null;
      for (const {server, connection} of world.halfOpen) server.disconnect(connection);
      world.halfOpen = [];
      return 'The servers notice that the remote host is gone.';
    },
  },
  restartGearmand: {
    weight: 4,
    happens: (world, a) => {
      const server = pick(world.servers, a)!;
      world.stopServer(server);
      server.start(world.clock.nowMs);
      return `gearmand ${server.address} is restarted.`;
    },
  },
  stopGearmand: {
    weight: 1,
    happens: (world, a) => {
      const server = pick(
        world.servers.filter(({up}) => up),
        a,
      );
      if (server) world.stopServer(server);
      return server ? `gearmand ${server.address} is stopped.` : null;
    },
  },
  startGearmand: {
    weight: 3,
    happens: (world, a) => {
      const server = pick(
        world.servers.filter(({up}) => !up),
        a,
      );
      server?.start(world.clock.nowMs);
      return server ? `gearmand ${server.address} is started.` : null;
    },
  },
  cancelJob: {
    weight: 1.5,
    happens: (world, a, b) => {
      const server = pick(
        world.servers.filter(({up}) => up),
        a,
      );
      const entry = server && pick(server.entries(), b);
      if (!entry) return null;
      server.cancel(entry);
      const {site, jobId} = entry.payload;
      if (site === 'own') world.cancelledMs.set(jobId, world.clock.nowMs);
      if (a % 2 === 0 && site === 'own') {
        world.own.save(jobId, 'error');
        return `An operator kills job ${jobId}: cancel job, and the row says Error.`;
      }
      return `An operator cancels the Gearman job of ${site === 'own' ? '' : "the other site's "}job ${jobId}, and nothing else.`;
    },
  },
  markRow: {
    weight: 0.7,
    happens: (world, a) => {
      const row = pick(world.own.running(), a);
      if (!row) return null;
      world.own.save(row.id, 'error');
      return `An operator sets row ${row.id} to Error.`;
    },
  },
  setRunning: {
    weight: 0.7,
    happens: (world, a) => {
      const row = pick(
        [...world.own.rows.values()].filter(({status}) => status !== 'running'),
        a,
      );
      if (!row) return null;
      world.own.save(row.id, 'running');
      return `An operator sets row ${row.id} to Running again, without a Gearman job.`;
    },
  },
  submitAgain: {
    weight: 1,
    happens: (world, a, b) => {
      const row = pick(world.own.running(), a);
      const {servers, workersKey} = world.configuration('web');
      const server = pick(servers, b);
      if (!row || !server || !world.server(server).up) return null;
      const name = prefixOf(world.own.release.root, workersKey) + row.job.class;
      world.server(server).submit(name, keyOf(name, row.id), payloadOf(row));
      return `An operator submits job ${row.id} to ${server} again.`;
    },
  },
  importAgain: {
    weight: 2,
    happens: (world, a) => {
      const row = pick(
        [...world.own.rows.values()].filter(({upload}) => upload !== null),
        a,
      );
      return row ? world.importAgain(row) : null;
    },
  },
  clear: {
    weight: 0.5,
    happens: (world) => {
      if (world.own.rows.size === 0) return null;
      world.own.rows.clear();
      return "AtoM's own clear deletes every row; Gearman is not touched.";
    },
  },
  deleteRow: {
    weight: 1,
    happens: (world, a) => {
      const row = pick([...world.own.rows.values()], a);
      if (!row) return null;
      world.own.rows.delete(row.id);
      return `AtoM deletes row ${row.id}.`;
    },
  },
  deploy: {
    weight: 1,
    happens: (world, a) =>
      `A deploy moves the root to ${world.deploy(a % 2 === 0)}, file times ${a % 2 === 0 ? 'kept' : 'new'}.`,
  },
  changeKey: {
    weight: 0.7,
    happens: (world, a) => {
      const {release} = world.own;
      release.yaml = {...release.yaml, workersKey: ['', 'k1', 'k2'][a % 3]!};
      release.yamlWrittenMs = world.clock.nowMs;
      return `An operator sets workers_key to '${release.yaml.workersKey}'.`;
    },
  },
  changeServers: {
    weight: 0.7,
    happens: (world, a) => {
      const all = world.servers.map((server) => server.address);
      const left = all.filter((_, index) => ((a % 7) + 1) & (1 << index));
      const {release} = world.own;
      release.yaml = {...release.yaml, servers: left.length > 0 ? left : all};
      release.yamlWrittenMs = world.clock.nowMs;
      return `An operator names ${release.yaml.servers.join(', ')} in gearman.yml.`;
    },
  },
  clearCache: {
    weight: 1.2,
    happens: (world) => {
      world.own.release.web = null;
      world.own.release.worker = null;
      world.own.release.movedMs = world.clock.nowMs;
      return 'An operator clears the cache (symfony cc).';
    },
  },
  probe: {
    weight: 2,
    happens: (world, a, b) => {
      const server = pick(
        world.servers.filter(({up}) => up),
        a,
      );
      const names = server
        ?.status()
        .map((line) => line.function)
        .filter((name) => server.waitingIn(name).length > 0);
      const name = names && pick(names, b);
      if (!server || name === undefined) return null;
      const probe: World['probes'][number] = {
        server,
        function: name,
        startedMs: world.clock.nowMs,
        kills: null,
        connections: [],
      };
      // One connection for each job, closed in order (src/queue/probe/held-jobs.ts).
      for (;;) {
        const connection = server.connect(`atomctl-${b}`, '127.0.0.1', [name]);
        const entry = server.grab(connection);
        if (!entry) {
          server.disconnect(connection);
          break;
        }
        probe.connections.push({connection, entry});
      }
      world.probes.push(probe);
      // Its kill ends a job that it holds, and changes the row before it lets go of the others.
      const [first] = a % 3 === 0 && name.startsWith(world.ownPrefix) ? probe.connections : [];
      if (first?.entry.payload.site === 'own') {
        probe.kills = first.entry.payload.jobId;
        world.killing.add(probe.kills);
        server.end(first.connection, first.entry);
      }
      const kill = probe.kills === null ? '' : ` and kills job ${probe.kills}`;
      return `Another atomctl takes the waiting jobs of ${name} on ${server.address}${kill}.`;
    },
  },
  probeEnds: {
    weight: 3,
    happens: (world, a) => {
      const probe = pick(world.probes, a);
      if (!probe) return null;
      world.endProbe(probe);
      return 'The other atomctl gives its jobs back and leaves.';
    },
  },
  otherSiteSubmits: {
    weight: 1.2,
    happens: (world, a, b) => {
      if (world.setup.otherSite === 'none') return null;
      const server = pick(
        world.servers.filter(({up}) => up),
        a,
      );
      if (!server) return null;
      const ability = ABILITIES[a % ABILITIES.length]!;
      const job = JOB_CLASSES.find((each) => each.class === ability)!;
      // Two sites count their ids from the same beginning, but not those of their objects, and a name may be in another
      // language. A pair that cannot be told apart has other ids here.
      const isTranslated = job.name !== job.class;
      const samePrefix = world.setup.otherSite === 'same-prefix';
      const differs = samePrefix ? world.sitesShareIds && (job.object || isTranslated) : job.object;
      const jobId = (differs ? 101 : 5001) + (b % 20);
      const name = world.otherPrefix + ability;
      world.otherRows.add(jobId);
      const objectId = job.object ? 2_000_000 + jobId : null;
      server.submit(name, `${keyOf(name, jobId)}:other`, {
        site: 'other',
        jobId,
        name: isTranslated ? `${job.name} (fr)` : job.name,
        objectId,
        upload: null,
      });
      return `The other site submits its job ${jobId} (${name}) to ${server.address}.`;
    },
  },
  otherSiteStarts: {
    weight: 0.7,
    happens: (world) => {
      const {otherSite} = world.setup;
      // One prefix is one root and key, so the other site is in a container.
      return otherSite === 'none'
        ? null
        : world.startWorker('other', otherSite === 'same-prefix' ? 'container' : 'here');
    },
  },
  replicaCatchesUp: {
    weight: 2,
    happens: (world) => {
      if (!world.setup.replica) return null;
      world.replicaRows = new Map(world.own.rows);
      return 'The replica catches up.';
    },
  },
  timePasses: {weight: 5, happens: () => 'Time passes.'},
};

function pick<T>(from: readonly T[], index: number): T | undefined {
  return from.length > 0 ? from[index % from.length] : undefined;
}
