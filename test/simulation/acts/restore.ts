/** queue:restore, step by step: src/jobs/save/restore.ts and restore-plan.ts. What it decides by is the product's own. */
import {isSerial, mayBeFunctionOf} from '../../../src/atom/job-classes.ts';
import {AtomctlError} from '../../../src/errors.ts';
import {stateIn} from '../../../src/jobs/live/live-state.ts';
import {type RestoredJob, restoreExitStatus} from '../../../src/jobs/save/restore.ts';
import {judgeRow, type Outcome} from '../../../src/jobs/save/restore-plan.ts';
import type {Row} from '../atom-site.ts';
import {SECOND} from '../clock.ts';
import type {Gearmand} from '../gearmand.ts';
import {keyOf} from '../world.ts';
import {type Act, lengthOf, liveStatesToAct, refused, requireUp, type Steps} from './act.ts';
import type {CopiedJob} from './act-world.ts';
import type {LimitName} from './known-limits.ts';
import {attempt, classOf, probeServer, siteFunctions} from './queue-steps.ts';

/** A job of the copy: where it would go, and what becomes of it. */
interface Target {
  job: CopiedJob;
  /** As it was saved, maybe under another prefix. */
  saved: CopiedJob;
  server: Gearmand;
  action: RestoredJob['action'] | 'open';
  message: string;
  began: boolean;
  /** Why it may execute all the same. */
  limit: LimitName | null;
  /** What came before was asked for. */
  askedPlace: number;
  /** The server has taken it: what another atomctl does to it then is not the restore's. */
  taken: boolean;
}

export interface Restoring {
  jobs: readonly CopiedJob[];
  to: Gearmand | null;
  rePrefix: boolean;
  /** Nobody is asked first. */
  asked: boolean;
}

export interface Restored {
  targets: readonly Target[];
  exit: number;
}

/** A worker logs the beginning of a job within moments of being handed it. */
const BEGIN_MS = 1 * SECOND;

export function* restore(act: Act, what: Restoring): Steps<Restored> {
  const {world} = act;
  const firstSeen = new Map<number, number>();
  const runs = new Map(world.servers.map((server) => [server, world.stops.get(server)]));
  const beganMs = world.clock.nowMs;
  if (what.asked) {
    const shown = yield* plan(act, what, firstSeen);
    if (shown.every(({action}) => action !== 'submitted')) return resultOf(act, shown);
    yield {did: 'is told to go on'};
  }
  const targets = yield* plan(act, what, firstSeen);
  const wanted = targets.filter(({action}) => action === 'submitted');
  yield {did: 'asks which workers are connected'};
  for (const target of wanted) target.action = 'open';
  if (wanted.length > 0) yield {did: 'waits a second', untilMs: world.clock.nowMs + BEGIN_MS};
  const hadSerial = wanted.some(
    ({job, server}) => isSerial(classOf(job.function)) && server.waitingIn(job.function).length > 0,
  );
  let failure = yield* attempt(submitOpen(act, wanted));
  if (failure) failure = yield* attempt(submitOpen(act, wanted));
  for (const target of wanted)
    if (target.action === 'open')
      Object.assign(target, {action: 'left', message: failure?.message ?? 'Interrupted.'});
  if (hadSerial) yield* putFirst(act, targets);
  const result = resultOf(act, targets);
  if (result.exit === 0) checkThere(act, targets, {runs, beganMs});
  return result;
}

function resultOf(act: Act, targets: readonly Target[]): Restored {
  const jobs = targets.map(({action}) => ({action})) as RestoredJob[];
  return {targets, exit: restoreExitStatus({jobs, warnings: [], stoppedEarly: act.aborted})};
}

function* plan(act: Act, {jobs, to, rePrefix}: Restoring, firstSeen: Map<number, number>): Steps<Target[]> {
  const {view, world, careless} = act;
  yield {did: 'connects to the servers'};
  const servers = to === null || view.servers.includes(to) ? view.servers : [...view.servers, to];
  for (const server of servers) requireUp(server);
  if (world.setup.replica && careless.restoresDespite !== 'old rows')
    throw refused('The database is read-only or a replica.');
  const askedPlace = act.witness.nextPlace;
  const targets = jobs.map((saved): Target => {
    const server = to ?? view.servers.find((each) => each === saved.server);
    if (server === undefined) throw new AtomctlError('USAGE', 'The copy has jobs of another server.');
    const job = underOwnPrefix(act, saved, rePrefix);
    return {
      job,
      saved,
      server,
      action: 'open',
      message: '',
      began: false,
      limit: null,
      askedPlace,
      taken: false,
    };
  });
  for (const server of servers) {
    yield {did: `asks ${server.address} for the keys`};
    requireUp(server);
    for (const target of targets) if (target.action === 'open') askFor(act, server, target);
  }
  yield {did: 'reads the rows'};
  for (const target of targets) if (target.action === 'open') judge(act, target);
  const began = new Set(targets.filter((each) => each.began).map(({job}) => job.payload.jobId));
  if (began.size === 0) return onceEach(targets);
  const report = yield* liveStatesToAct(act, firstSeen, {ids: began});
  for (const target of targets) {
    const {jobId} = target.job.payload;
    if (!target.began || stateIn(report, jobId) !== 'lost') continue;
    const logLength = report.rows.find(({id}) => id === jobId)!.logLength;
    target.job = {...target.job, logLength};
    target.action = 'submitted';
    target.limit = limitOfExecution(act, target);
  }
  return onceEach(targets);
}

/** A job may be in the copy twice, of two servers. */
function onceEach(targets: Target[]): Target[] {
  const seen = new Set<string>();
  for (const target of targets) {
    if (target.action !== 'submitted') continue;
    if (seen.has(target.job.key)) target.action = 'waiting';
    seen.add(target.job.key);
  }
  return targets;
}

function underOwnPrefix({world, view}: Act, saved: CopiedJob, rePrefix: boolean): CopiedJob {
  if (view.prefixes.has(prefixOf(saved.function))) return saved;
  if (!rePrefix) throw refused('The copy has jobs under another function prefix.');
  const name = world.ownPrefix + classOf(saved.function);
  return {...saved, function: name, key: keyOf(name, saved.payload.jobId)};
}

/** GET_STATUS_UNIQUE, also under the prefix that it was saved with, and whether the entry was cancelled. */
function askFor({careless}: Act, server: Gearmand, target: Target): void {
  if (careless.restoresDespite === 'key') return;
  for (const {function: name, key} of [target.job, target.saved]) {
    const entry = server.find(name, key);
    if (!entry) continue;
    const isBlocked = entry.ignored && careless.restoresDespite !== 'cancelled entry';
    if (entry.holder !== null) target.action = 'executing';
    else if (!entry.ignored) target.action = 'waiting';
    else if (isBlocked) target.action = 'blocked';
    if (target.action !== 'open') target.message = `${server.address} has it.`;
    return;
  }
}

function judge(act: Act, target: Target): void {
  const outcome = judgeCopied(act, target.job);
  Object.assign(target, {...outcome, began: outcome.began ?? false});
  target.limit = limitOfExecution(act, target);
}

/** What a restore makes of a job that no server knows, by its row. */
export function judgeCopied({careless, world}: Act, job: CopiedJob): Outcome {
  const {jobId} = job.payload;
  const row = world.visibleRows().get(jobId);
  const despite = careless.restoresDespite;
  const seen = row && {
    ...{id: jobId, name: row.job.name, objectId: row.objectId},
    running: row.status === 'running' || despite === 'row',
    logLength: despite === 'log' || despite === 'row' ? (job.logLength ?? 0) : lengthOf(row),
  };
  // judgeRow reads a function's prefix as 32 hex digits; that of the model is readable.
  return judgeRow(
    {
      server: job.server.address,
      function: `${'0'.repeat(32)}-${classOf(job.function)}`,
      unique: job.key,
      priority: 'normal',
      logLength: job.logLength,
      payload: Buffer.from(JSON.stringify({...job.payload, id: `${jobId}`})),
    },
    seen,
  );
}

/** Why a job may execute that no server knows, and whose log has not grown. */
function limitOfExecution({world}: Act, {job}: Target): LimitName | null {
  if (job.executed) return 'executed as it was saved';
  const row = world.row(job.payload.jobId);
  const executions = world.workers.flatMap(({execution}) =>
    execution?.jobId === job.payload.jobId ? execution : [],
  );
  if (executions.some(({entry}) => entry.payload.site === 'other')) return 'one prefix for two sites';
  return row?.cut || executions.some(({phase}) => phase === 'grabbed') ? 'begun unseen' : null;
}

function* submitOpen(act: Act, all: readonly Target[]): Steps<void> {
  const {world, view, witness, careless} = act;
  const targets = all.filter(({action}) => action === 'open' || action === 'failed');
  if (targets.length === 0) return;
  // What another submits from now on may not be seen.
  act.askedPlace = witness.nextPlace;
  for (const server of new Set([...view.servers, ...targets.map((each) => each.server)])) {
    requireUp(server);
    for (const target of targets) {
      const entry =
        careless.restoresDespite === 'key' ? null : server.find(target.job.function, target.job.key);
      if (!entry || (entry.ignored && careless.restoresDespite === 'cancelled entry')) continue;
      if (target.action === 'failed') target.action = 'submitted';
      else if (target.action === 'open') target.action = entry.holder === null ? 'waiting' : 'executing';
    }
    yield {did: `asks ${server.address} for the keys again`};
  }
  const rowsRead = new Map<number, Row | undefined>();
  for (const target of targets) {
    if (target.action !== 'open' && target.action !== 'failed') continue;
    const {jobId} = target.job.payload;
    rowsRead.set(jobId, world.row(jobId));
    judge(act, target);
    reopen(target);
  }
  yield {did: 'reads the rows again'};
  const open = targets.filter(({action}) => action === 'open');
  for (const target of careless.restoresBackwards ? [...open].reverse() : open) {
    if (act.aborted) return;
    target.action = 'failed';
    requireUp(target.server);
    submit(act, target, {open, row: rowsRead.get(target.job.payload.jobId)});
    target.action = 'submitted';
    yield {did: `submits job ${target.job.payload.jobId} to ${target.server.address}`};
  }
}

function reopen(target: Target): void {
  if (target.action === 'submitted') target.action = 'open';
}

/** The job goes to the server; the witness sees whether it must not. */
function submit(
  act: Act,
  target: Target,
  {open, row}: {open: readonly Target[]; row: Row | undefined},
): void {
  const {world, witness, view} = act;
  const {job, saved, server} = target;
  const {jobId, site} = job.payload;
  const harm = (group: string, limit: LimitName | null) =>
    witness.harm(group, `${act.name} submits job ${jobId} (${job.function}) to ${server.address}.`, limit);
  const earlier = open.slice(0, open.indexOf(target));
  if (
    earlier.some(
      (each) => each.action === 'open' && each.job.function === job.function && each.server === server,
    )
  )
    harm('the jobs of a copy come back in another order', null);
  const existing = server.find(job.function, job.key);
  const others = witness.entriesOf(jobId).filter((entry) => entry !== existing);
  const known = new Set([prefixOf(job.function), prefixOf(saved.function)]);
  const isElsewhere = (entry: (typeof others)[number]) =>
    !known.has(prefixOf(entry.function)) ||
    ![server, ...view.servers].some((each) => each.entries().includes(entry));
  if (site === 'own' && (others.length > 0 || (world.executes(jobId) && existing === undefined))) {
    // A web request that began before a deploy may submit late, where no worker of the site finds it.
    const isLate = (entry: (typeof others)[number]) =>
      witness.placeOf(entry) >= target.askedPlace && prefixOf(entry.function) !== world.ownPrefix;
    const limit =
      others.length === 0
        ? target.limit
        : others.every((entry) => act.isNew(entry) || isLate(entry))
          ? 'submitted again meanwhile'
          : others.every(isElsewhere)
            ? 'known elsewhere'
            : null;
    harm('a job is submitted again that a worker still runs, or will run', limit);
  } else if (site === 'own' && existing === undefined && world.row(jobId)?.status !== 'running')
    harm('an ended job is submitted again', row?.status === 'running' ? 'ended meanwhile' : null);
  // Its kill had ended the row, and somebody has set it to Running again.
  if (site === 'own' && world.row(jobId)?.status === 'running') witness.wantedAgain(jobId);
  const entry = server.submit(job.function, job.key, job.payload);
  target.taken = !entry.ignored;
  if (entry.ignored)
    harm(
      'a cancelled entry swallows a job that is reported as submitted',
      act.isNew(entry) ? 'submitted again meanwhile' : null,
    );
}

/** What came to a serial class meanwhile would fail before the older jobs. */
function* putFirst(act: Act, targets: readonly Target[]): Steps<void> {
  const back = targets.filter(({action}) => action === 'submitted' || action === 'waiting');
  const ids = new Map(back.map(({job}) => [job.payload.jobId, classOf(job.function)]));
  const classes = [...ids.values()].filter(isSerial);
  if (classes.length === 0) return;
  yield {did: 'asks the servers for their functions'};
  const busy = siteFunctions(act, ({total, jobClass}) => total > 0 && classes.includes(jobClass));
  for (const [server, functions] of busy)
    yield* attempt(
      probeServer(act, server, {
        ...{functions, take: () => false, onRemoved: function* () {}, uninterrupted: true},
        ...{waiting: [], problems: []},
        first: ({payload, function: name}) =>
          isSerial(classOf(name)) && mayBeFunctionOf(ids.get(payload.jobId) ?? '', classOf(name)),
      }),
    );
}

/** Exit status 0 promises that each job whose row is running is in a server's queue, or was begun. */
function checkThere(
  act: Act,
  targets: readonly Target[],
  {runs, beganMs}: {runs: ReadonlyMap<Gearmand, number | undefined>; beganMs: number},
): void {
  const {world, witness} = act;
  for (const {job, action, taken} of targets) {
    const {jobId, site} = job.payload;
    const isRestarted = world.servers.some((server) => world.stops.get(server) !== runs.get(server));
    const entries = world.servers.flatMap((server) => server.entries());
    const isThere = entries.some(({payload}) => payload.site === site && payload.jobId === jobId);
    const wasHanded = (witness.handedMs.get(jobId) ?? Number.NEGATIVE_INFINITY) >= beganMs;
    if (site === 'other' || taken || isThere || wasHanded || isRestarted || world.executes(jobId)) continue;
    // What a server had when it was asked is no longer the restore's.
    const isOthers = action === 'waiting' || action === 'executing';
    if (world.row(jobId)?.status === 'running' && action !== 'ended' && !isOthers)
      witness.harm(
        'exit status 0 although a job of the copy is nowhere',
        `${act.name} ends with 0, and no server has job ${jobId}, which it calls ${action}.`,
      );
  }
}

export function prefixOf(name: string): string {
  return name.slice(0, name.lastIndexOf('-') + 1);
}
