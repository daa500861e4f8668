/** queue:save, step by step: src/jobs/save/save.ts. */
import type {AtomctlError} from '../../../src/errors.ts';
import type {Entry, Gearmand} from '../gearmand.ts';
import {type Act, lengthOf, type Probed, refused, requireUp, type Steps} from './act.ts';
import type {CopiedJob, Copy} from './act-world.ts';
import {probeServer, siteFunctions} from './queue-steps.ts';

/** Reads what waits, gives it back, and then writes the file: a copy is whole or not there. */
export function* save(act: Act): Steps<Copy> {
  const {world, view, careless} = act;
  const waited = waitingOf(act);
  yield {did: 'asks the servers for their functions'};
  for (const server of view.servers) requireUp(server);
  const busy = siteFunctions(act, ({total}) => total > 0);
  yield {did: 'reads the lengths of the logs'};
  const lengths = runningLengths(act);
  const savedMs = world.clock.nowMs;
  const read: {entry: Entry; server: Gearmand}[] = [];
  for (const server of view.servers) {
    yield {did: `asks ${server.address} for its jobs`};
    requireUp(server);
    const waiting: Probed[] = [];
    const problems: AtomctlError[] = [];
    yield* probeServer(act, server, {
      functions: busy.get(server) ?? [],
      take: () => false,
      onRemoved: function* () {},
      uninterrupted: false,
      ...{waiting, problems},
    });
    if (problems[0] && !careless.savesAPart) throw problems[0];
    read.push(...waiting);
  }
  if (act.aborted) throw refused('Interrupted before the copy was written.');
  yield {did: 'writes the copy'};
  const jobs = read.map(
    ({server, entry: {function: name, key, payload}}): CopiedJob => ({
      ...{server, function: name, key, payload},
      logLength: lengths.get(payload.jobId) ?? null,
      executed: world.executes(payload.jobId),
    }),
  );
  const copied = new Set(read.map(({entry}) => entry));
  for (const [entry, {server, place}] of waited)
    if (!copied.has(entry) && act.witness.placeOf(entry) === place && waits(server, entry))
      act.witness.harm(
        'a job that waited all the time is not in the copy',
        `${act.name} has no job ${entry.payload.jobId} (${entry.function} on ${server.address}).`,
      );
  const copy = {savedMs, jobs};
  world.copies.push(copy);
  return copy;
}

/** What stands for the bytes of the logs of running rows. */
export function runningLengths({world}: Act): Map<number, number> {
  const rows = [...world.visibleRows().values()].filter(({status}) => status === 'running');
  return new Map(rows.map((row) => [row.id, lengthOf(row)]));
}

function waitingOf({view, witness}: Act): Map<Entry, {server: Gearmand; place: number}> {
  const found = new Map<Entry, {server: Gearmand; place: number}>();
  for (const server of view.servers)
    for (const entry of server.entries())
      if (
        view.prefixes.has(entry.function.slice(0, entry.function.lastIndexOf('-') + 1)) &&
        waits(server, entry)
      )
        found.set(entry, {server, place: witness.placeOf(entry)});
  return found;
}

function waits(server: Gearmand, entry: Entry): boolean {
  return !entry.ignored && entry.holder === null && server.up && server.entries().includes(entry);
}
