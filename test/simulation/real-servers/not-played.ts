import type {WorldEvent} from '../events.ts';
import type {Setup, World} from '../world.ts';

/** What a world has that cannot be had with the parts of one host; the history is played without it. */
export const SETUP_NOT_PLAYED = {
  workersElsewhere: 'A worker of another host or container needs a second network: all workers run here.',
  guessed: 'Without root and servers atomctl would ask the usual address, which is not free on every host.',
  replica: 'A replica needs a second MariaDB that lags by command: the database is the primary.',
} as const;

/** Kinds of events that cannot be played; they do not happen. Where there is a condition, only then. */
export const EVENTS_NOT_PLAYED: Readonly<
  Record<string, {reason: string; when?: (world: World, event: WorldEvent) => boolean}>
> = {
  startWorker: {
    reason: 'All workers run from the account of the tests, which the scan of processes knows.',
    when: ({setup}, {a, b}) => (!setup.workersElsewhere || a % 3 === 0) && b % 8 === 7,
  },
  powerOff: {reason: 'There is no other host.'},
  keepalive: {reason: 'There is no other host.'},
  replicaCatchesUp: {reason: 'There is no replica.'},
  otherSiteStarts: {
    reason:
      'Two roots of one host have two prefixes, so a worker of a second site with the same one cannot start.',
    when: ({setup}) => setup.otherSite === 'same-prefix',
  },
  probe: {
    reason: 'One atomctl at a time probes a server: its lock keeps a second one out.',
    when: (world, {a}) => {
      const up = world.servers.filter((server) => server.up);
      const server = up[a % Math.max(up.length, 1)];
      return world.probes.some((probe) => probe.server === server);
    },
  },
};

/** The setup as it is played, and the names of what was left out. */
export function playable(setup: Setup): {setup: Setup; without: string[]} {
  const without = Object.keys(SETUP_NOT_PLAYED).filter(
    (name) => setup[name as keyof typeof SETUP_NOT_PLAYED],
  );
  return {setup: {...setup, workersElsewhere: false, guessed: false, replica: false}, without};
}

export function isNotPlayed(event: WorldEvent, world: World): boolean {
  const entry = EVENTS_NOT_PLAYED[event.kind];
  return entry !== undefined && (entry.when?.(world, event) ?? true);
}
