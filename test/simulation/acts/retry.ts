/** jobs:retry, step by step: src/jobs/retry. */
import {mayBeFunctionOf} from '../../../src/atom/job-classes.ts';
import {stateOf} from '../../../src/jobs/mark/mark.ts';
import {stateRefusal} from '../../../src/jobs/retry/plan.ts';
import {type Retried, type RetryResult, retryExitStatus} from '../../../src/jobs/retry/retry.ts';
import {SECOND_RUNS} from '../../../src/jobs/retry/second-run.ts';
import type {Row} from '../atom-site.ts';
import {SECOND} from '../clock.ts';
import type {Gearmand} from '../gearmand.ts';
import {loggedKeyOf, qualityOf} from '../observe.ts';
import {payloadOf} from '../world.ts';
import {type Act, lengthOf, liveStatesToAct, loadJobs, type Report, type Steps} from './act.ts';
import type {LimitName} from './known-limits.ts';
import {siteFunctions} from './queue-steps.ts';

/** A job that was made to repeat another: by its id, the job that it repeats. */
const repeats = new WeakMap<Act['world'], Map<number, number>>();

interface Verdict {
  refused?: string;
  servers: Gearmand[];
  function: string;
  lost: number[];
  relatives: number[];
}

export function* retry(act: Act, ids: readonly number[]): Steps<{result: RetryResult; exit: number}> {
  for (const id of ids) act.named.add(id);
  const {world} = act;
  const jobs = loadJobs(act, ids);
  yield {did: `reads the jobs ${ids.join(', ')}`};
  const chain = jobs.flatMap(({id}) => [id, ...relativesOf(act, id)]);
  const running = new Set(chain.filter((id) => world.visibleRows().get(id)?.status === 'running'));
  const report = running.size === 0 ? null : yield* liveStatesToAct(act, new Map(), {ids: running});
  const read = new Map(chain.map((id) => [id, world.visibleRows().get(id)]));
  yield {did: 'asks for the keys'};
  let known = knownKeys(act, chain);
  if (known.size > 0) {
    yield {did: 'asks for them again in a second', untilMs: world.clock.nowMs + SECOND};
    known = knownKeys(act, chain);
  }
  yield {did: 'asks which workers are connected'};
  const result: RetryResult = {retried: [], unknown: [], stoppedEarly: false};
  const verdicts = new Map(jobs.map((job) => [job.id, judge(act, job.id, read, report, known)]));
  for (const id of new Set(ids)) {
    const verdict = verdicts.get(id);
    const row = read.get(id);
    if (!verdict || !row) {
      result.unknown.push(id);
      result.retried.push(refused(id, `There is no job ${id}.`));
    } else if (verdict.refused !== undefined) result.retried.push(refused(id, verdict.refused));
    else if (act.aborted) {
      result.stoppedEarly = true;
      result.retried.push(refused(id, 'Interrupted.'));
    } else result.retried.push(yield* retryOne(act, row, verdict, report));
  }
  return {result, exit: retryExitStatus(result)};
}

function refused(id: number, message: string): Retried {
  return {id, newId: null, action: 'refused', message};
}

function judge(
  act: Act,
  id: number,
  read: ReadonlyMap<number, Row | undefined>,
  report: Report | null,
  known: ReadonlySet<number>,
): Verdict {
  const {world, view} = act;
  const row = read.get(id);
  const none = {servers: [], function: '', lost: [], relatives: []};
  if (!row) return {...none, refused: `Job ${id} is gone.`};
  const {was, reason} = stateOf({id, status: row.status}, report, {});
  const byState = stateRefusal({id, status: row.status}, was, reason);
  if (byState !== null) return {...none, refused: byState};
  if (qualityOf(row, world.own) === 'none') return {...none, refused: 'Its log has no parameters.'};
  if (row.job.name === 'Scale images') return {...none, refused: 'Its class is not known.'};
  if (view.servers.some((server) => !server.up)) return {...none, refused: 'A server does not answer.'};
  if (known.has(id)) return {...none, refused: 'A server still has it, waiting, executing or cancelled.'};
  const relatives = relativesOf(act, id);
  const isOpen = (each: number) => {
    const open = read.get(each)?.status === 'running' && report?.verdicts.get(each)?.state !== 'lost';
    return open || known.has(each);
  };
  if (relatives.some(isOpen)) return {...none, refused: 'One with its work has not ended.'};
  const began = (each: number) => (read.get(each)?.log.length ?? 0) > 0;
  if (relatives.some((each) => each > id && began(each) && act.named.has(each)))
    return {...none, refused: 'One with its work was named too.'};
  const harmful = SECOND_RUNS[row.job.class]?.run(new Map([['eventId', '7']])).harmful ?? true;
  if (harmful && !act.spec.force) return {...none, refused: 'Its work would be done twice.'};
  const name = world.ownPrefix + row.job.class;
  const servers = view.servers.filter((server) => server.capable(name) > 0);
  if (servers.length === 0) return {...none, refused: 'No worker is connected that runs it.'};
  const lost = relatives.filter((each) => read.get(each)?.status === 'running');
  return {servers, function: name, lost, relatives};
}

/** The transaction, the submission and the check, with the world going on in between. */
function* retryOne(act: Act, seen: Row, verdict: Verdict, report: Report | null): Steps<Retried> {
  const {world, witness} = act;
  const {id} = seen;
  yield {did: `opens a transaction for the retry of ${id}`};
  const isAsSeen = (each: number, length: number | undefined) => {
    const row = world.row(each);
    return (
      row !== undefined && row.status === (each === id ? seen.status : 'running') && lengthOf(row) === length
    );
  };
  const lengths = new Map(
    report?.rows.map((row) => [row.id, (row as unknown as {logLength: number}).logLength]),
  );
  const lengthSeen = (each: number) => lengths.get(each) ?? (each === id ? lengthOf(seen) : undefined);
  const isRepeated = relativesOf(act, id).some((each) => !verdict.relatives.includes(each));
  const isUnchanged = !isRepeated && [id, ...verdict.lost].every((each) => isAsSeen(each, lengthSeen(each)));
  const fails = act.spec.rowFailsAt !== null && act.steps >= act.spec.rowFailsAt;
  if (world.setup.replica || fails || !isUnchanged)
    return refused(id, 'The row cannot be changed, or it changed meanwhile.');
  const row = world.own.insert(seen.job, world.clock.nowMs, seen.upload);
  const newId = row.id;
  world.own.rows.set(newId, {...row, objectId: seen.objectId});
  act.named.add(newId);
  repeats.set(world, (repeats.get(world) ?? new Map()).set(newId, id));
  for (const each of seen.status === 'running' ? [id, ...verdict.lost] : verdict.lost) {
    act.named.add(each);
    act.write(each, 'error');
  }
  act.changed.add(id);
  yield {did: `commits row ${newId}, the retry of ${id}`};
  if (!isUntouched(world.row(newId)))
    return {id, newId, action: 'failed', message: 'The new row was written to before Gearman got it.'};
  yield {did: `reads row ${newId}`};
  const server = verdict.servers[newId % verdict.servers.length]!;
  const key = loggedKeyOf(verdict.function, world.row(newId) ?? row);
  if (server.up) {
    checkAlone(act, seen);
    server.submit(verdict.function, key, payloadOf({...row, objectId: seen.objectId}));
  }
  yield {did: `submits it to ${server.address} and asks for its key`};
  const isThere = server.up && server.find(verdict.function, key) !== undefined;
  yield {did: 'reads its row'};
  const now = world.row(newId);
  const began = now !== undefined && !isUntouched(now);
  const message = `Retried as ${newId}.`;
  if (isThere || began) return {id, newId, action: 'submitted', message};
  if (now !== undefined) world.own.save(newId, 'error');
  // What was seen a moment ago may be gone: that is said, and the row is no longer running.
  if (now?.status === 'running' && world.row(newId)?.status === 'running')
    witness.harm('the row of a retry stays without its job', `Row ${newId} says running.`);
  return {id, newId, action: 'failed', message};
}

/** Nobody has written to the new row. */
function isUntouched(row: Row | undefined): boolean {
  return row !== undefined && row.log.length === 0 && row.status === 'running';
}

/** A job that is run again must not be in the hands of a worker, nor wait for one. */
function checkAlone({world, witness, spec}: Act, seen: Row): void {
  const waits = witness.entriesOf(seen.id).length > 0;
  if (!world.executes(seen.id) && !waits) return;
  // Of an ended row the key of the log is asked for, under the prefixes that the site uses.
  const limit: LimitName | null = seen.status === 'running' ? null : 'ended by hand';
  witness.harm(
    'a job is run again that a worker still runs, or will run',
    `jobs:retry${spec.force ? ' --force' : ''} submits job ${seen.id} again, which ${waits ? 'Gearman has' : 'a worker executes'}.`,
    limit,
  );
}

/** The jobs with the same work: what it repeats, the retries of that, and theirs. */
function relativesOf({world}: Act, id: number): number[] {
  const found = new Set<number>();
  for (const open = [id]; open.length > 0; ) {
    const of = open.pop()!;
    if (found.has(of)) continue;
    found.add(of);
    for (const [newId, oldId] of repeats.get(world) ?? [])
      for (const [one, other] of [
        [newId, oldId],
        [oldId, newId],
      ] as const)
        if (one === of && world.row(other) !== undefined) open.push(other);
  }
  found.delete(id);
  return [...found];
}

/** Those of these jobs that a server knows by the key of their parameters. */
function knownKeys(act: Act, ids: readonly number[]): Set<number> {
  const known = new Set<number>();
  for (const [server, names] of siteFunctions(act, ({total}) => total > 0))
    for (const id of ids) {
      const row = act.world.visibleRows().get(id);
      if (!row) continue;
      for (const name of names)
        if (
          mayBeFunctionOf(row.job.name, name.slice(name.lastIndexOf('-') + 1)) &&
          server.find(name, loggedKeyOf(name, row)) !== undefined
        )
          known.add(id);
    }
  return known;
}
