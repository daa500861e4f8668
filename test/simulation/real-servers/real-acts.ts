/** Acts of an operator on real parts: the code of kill, mark, clear and doctor --fix, beside the model. */
import {setTimeout as sleep} from 'node:timers/promises';
import fc from 'fast-check';
import {queueSources} from '../../../src/cli/change/clear.ts';
import type {SiteEvidence} from '../../../src/doctor/evidence.ts';
import {applyFixes, FINISHED_JOBS, LOST_JOBS} from '../../../src/doctor/fix.ts';
import {AtomctlError} from '../../../src/errors.ts';
import {connectWorker, type WorkerConnection} from '../../../src/gearman/worker-connection.ts';
import {clearSite} from '../../../src/jobs/clear/clear.ts';
import {planClear} from '../../../src/jobs/clear/plan.ts';
import {killJobs} from '../../../src/jobs/kill/kill.ts';
import {liveStatesToAct} from '../../../src/jobs/live/live-state.ts';
import {markJobs} from '../../../src/jobs/mark/mark.ts';
import type {JobFilter} from '../../../src/jobs/model/filter.ts';
import type {WorkerControl} from '../../../src/jobs/model/worker-control.ts';
import type {Database} from '../../../src/mysql/database.ts';
import {PLAIN_CLEAR} from '../../support/jobs/plain-clear.ts';
import type {MariadbConnection} from '../../support/servers/mariadb.ts';
import type {ActSpec} from '../acts/act.ts';
import {isExecuted} from '../acts/act-world.ts';
import {type ActHistory, describeAct, pickJobs} from '../acts/play-acts.ts';
import {actHistories} from '../acts/simulate-acts.ts';
import {JOB_CLASSES} from '../classes.ts';
import {SECOND} from '../clock.ts';
import {PAUSES, type WorldEvent} from '../events.ts';
import type {Entry, Gearmand} from '../gearmand.ts';
import {openingOf, stamp} from '../play.ts';
import {waitUntilAlike, waitUntilConnected} from './compare.ts';
import {isNotPlayed, playable} from './not-played.ts';
import {writeSiteFile} from './play-real.ts';
import {RealParts} from './real-parts.ts';
import {FIRST_ID} from './real-payload.ts';
import {STATUS_IDS} from './real-site.ts';
import {RecordedWorld} from './recorded-world.ts';
import {contextInHistory, hostInHistory} from './take-observation.ts';
import {Disagreement} from './wait-for.ts';

const TIMEOUT = {timeoutSeconds: 5};

export interface RealActReport {
  seed: number;
  histories: number;
  events: number;
  acts: Map<string, number>;
  outcomes: Map<string, number>;
  findings: {seed: number; text: string; story: readonly string[]}[];
  seconds: number;
}

/** Plays histories with acts on real parts, each from the seed after the last one's. */
export async function simulateRealActs(
  mariadb: MariadbConnection,
  options: {seed: number; histories: number; untilMs?: number},
): Promise<RealActReport> {
  const {seed, untilMs = Number.POSITIVE_INFINITY} = options;
  const began = Date.now();
  const report: RealActReport = {
    ...{seed, histories: 0, events: 0, acts: new Map(), outcomes: new Map(), findings: [], seconds: 0},
  };
  let next = 0;
  const playNext = async () => {
    while (next < options.histories && Date.now() < untilMs) {
      const of = seed + next++;
      const [history] = fc.sample(actHistories, {seed: of, numRuns: 1});
      const player = await ActPlayer.create(history!, mariadb, report);
      for (const text of await player.play()) report.findings.push({seed: of, text, story: player.story});
    }
  };
  await Promise.all([playNext(), playNext()]);
  report.seconds = (Date.now() - began) / 1000;
  return report;
}

export function realActSummaryOf({
  seed,
  histories,
  events,
  acts,
  outcomes,
  findings,
  seconds,
}: RealActReport) {
  const list = (map: Map<string, number>) =>
    [...map].sort((a, b) => b[1] - a[1]).map(([name, count]) => `  ${String(count).padStart(8)}  ${name}`);
  return [
    `acts on real servers, seed ${seed}: ${histories} histories, ${events} events, ${seconds.toFixed(1)} s`,
    'acts, by kind:',
    ...list(acts),
    'what they reported:',
    ...list(outcomes),
    `harm, or something else than in the model: ${findings.length}`,
    ...findings.flatMap(({seed: at, text, story}) => [
      '',
      `seed ${at}`,
      ...story.map((line) => `    ${line}`),
      `    ${text}`,
    ]),
  ].join('\n');
}

/** What an act may have done: the jobs that it named, and what became of each as it says. */
interface Done {
  named: ReadonlySet<number>;
  /** Jobs whose kill was reported as done. */
  killed: readonly number[];
  /** It may also take out jobs without a row. */
  withoutRow: boolean;
}

class ActPlayer {
  readonly story: string[];
  private readonly harms: string[] = [];
  private readonly siteFile: string;

  private constructor(
    private readonly history: ActHistory,
    private readonly world: RecordedWorld,
    private readonly parts: RealParts,
    private readonly report: RealActReport,
  ) {
    this.story = openingOf(history.history);
    this.siteFile = writeSiteFile(parts);
  }

  static async create(
    {history, acts}: ActHistory,
    mariadb: MariadbConnection,
    report: RealActReport,
  ): Promise<ActPlayer> {
    const {setup} = playable(history.setup);
    // A limit of retries is tried in test/integration/queue/probe.test.ts; here each look at the order counts one.
    // In which order a durable queue comes back is not known.
    const servers = setup.servers.map((server) => ({...server, retryLimit: 0, durable: false}));
    const played = {...history, setup: {...setup, servers}};
    const world = new RecordedWorld(played.setup);
    const parts = await RealParts.create(world, mariadb);
    return new ActPlayer({history: played, acts}, world, parts, report);
  }

  /** What was not as it should be, in sentences. */
  async play(): Promise<string[]> {
    const {history, acts} = this.history;
    const {absent = []} = history as {absent?: readonly string[]};
    this.report.histories += 1;
    try {
      await waitUntilAlike(this.parts);
      for (const [index, event] of history.events.entries()) {
        for (const spec of acts) if (isDue(spec, index)) await this.act(spec);
        await this.happen(absent.includes(event.kind) ? {...event, kind: 'workerActs'} : event);
      }
      await this.checkOrder();
    } catch (error) {
      if (!(error instanceof Disagreement)) throw new Error(this.story.join('\n'), {cause: error});
      this.harms.push(error.message);
    } finally {
      await this.parts.close();
    }
    return this.harms;
  }

  private async happen(event: WorldEvent): Promise<void> {
    const {world, report} = this;
    const {kind: drawn, a, b, pause} = event;
    const passed = PAUSES[pause]!;
    world.advance(passed);
    const kind = isNotPlayed(event, world) ? 'timePasses' : drawn;
    const said = world.happen(kind, a, b);
    report.events += 1;
    if (said !== null || passed > 0) this.story.push(`${stamp(world, passed)} ${said ?? 'Time passes.'}`);
    await this.follow();
    await waitUntilAlike(this.parts);
  }

  /** The real parts do what the model did. */
  private async follow(): Promise<void> {
    await this.parts.writeFiles();
    for (const operation of this.world.take()) await this.parts.do(operation);
  }

  private async act(spec: ActSpec): Promise<void> {
    const {world, report} = this;
    // The lock of another atomctl would be waited for in vain.
    if (world.probes.length > 0) return;
    count(report.acts, spec.kind);
    this.story.push(`${stamp(world, 0)} An operator runs ${describeAct(spec)}.`);
    const before = new Map([...world.own.rows].map(([id, row]) => [id, row.status]));
    const waiting = this.waitingIds();
    const done = await this.run(spec);
    await this.learn(spec, done, {before, waiting});
    await waitUntilAlike(this.parts);
    await this.checkOrder();
  }

  private async run(spec: ActSpec): Promise<Done> {
    const {parts, siteFile} = this;
    const context = contextInHistory(parts, siteFile, spec.oneServer);
    try {
      const [queue, plain] = await Promise.all([queueSources(context), context.database()]);
      const sources = {
        ...queue,
        host: hostInHistory(parts, queue.host, {}),
        database: this.withArrival(plain, spec),
      };
      return await this.runWith(spec, sources);
    } catch (error) {
      if (!(error instanceof AtomctlError)) throw error;
      this.say(`${spec.kind}: refused as a whole`, error.message);
      return {named: new Set(), killed: [], withoutRow: false};
    } finally {
      await context.dispose();
    }
  }

  private async runWith(
    spec: ActSpec,
    sources: Awaited<ReturnType<typeof queueSources>> & {database: Database},
  ): Promise<Done> {
    const {world, parts} = this;
    const signal = new AbortController().signal;
    const wait = async () => {
      world.advance(10 * SECOND);
      await this.follow();
      await waitUntilAlike(parts);
    };
    const by = 'alice@archive';
    const worker = spec.restartWorker ? this.control() : null;
    const mayInterrupt = spec.interrupt === 'all' ? ('all' as const) : new Set<number>();
    const ids = pickJobs(world, spec);
    const realIds = ids.map((id) => FIRST_ID + id);
    const common = {...sources, by, reason: null, culture: 'en', signal, force: spec.force};
    if (spec.kind === 'kill') {
      const how = {deleteRows: spec.deleteRows, worker, mayInterrupt, wait, firstSeen: new Map()};
      const {killed, interrupted} = await killJobs({...common, ...how, ids: realIds}, null);
      for (const {id, action, gearman, message} of killed)
        this.say(`kill: ${action}`, `${id - FIRST_ID}: ${action}, Gearman: ${gearman}. ${message}`);
      this.checkInterrupted(new Set([...ids, ...interrupted.map((id) => id - FIRST_ID)]));
      const done = killed.filter(
        ({action, gearman}) => /marked|deleted/.test(action) && gearman !== 'remains',
      );
      return {named: new Set(ids), killed: done.map(({id}) => id - FIRST_ID), withoutRow: false};
    }
    if (spec.kind === 'mark') {
      const how = {as: spec.as, recheck: {wait, firstSeen: new Map()}};
      const {marked} = await markJobs({...common, ...how, ids: realIds}, null);
      for (const {id, action, message} of marked)
        this.say(`mark: ${action}`, `${id - FIRST_ID}: ${action}. ${message}`);
      return {named: new Set(ids), killed: [], withoutRow: false};
    }
    if (spec.kind === 'fix') {
      const site = {
        access: {...sources, stuckAfterSeconds: 86_400, clock: async () => ({aheadMs: 0, reason: ''})},
        database: async () => sources.database,
        liveToAct: () => liveStatesToAct(sources, {wait, firstSeen: new Map()}),
      } as unknown as SiteEvidence;
      const plans = [LOST_JOBS, FINISHED_JOBS].map(async (fix) => ({
        fix,
        plan: await fix.plan(site, new Set(fix.checks)),
      }));
      const fixes = (await Promise.all(plans)).flatMap(({fix, plan}) => (plan ? [{fix, ...plan}] : []));
      const fixed = await applyFixes({fixes, site, by, signal});
      for (const {id, count: times, message} of fixed) if (times > 0) this.say(`fix: ${id}`, message);
      const truly = [...world.own.rows.keys()].filter((id) =>
        ['lost', 'finished'].some((state) => world.truth(id).has(state as 'lost')),
      );
      return {named: new Set(truly), killed: [], withoutRow: false};
    }
    const {filter, matches} = filterOf(spec, world);
    const plan = await planClear({database: sources.database, filter, inactive: spec.filter === 'inactive'});
    const result = await clearSite({
      ...PLAIN_CLEAR,
      ...{plan, worker, mayInterrupt, database: sources.database},
      batchSize: spec.batchSize,
      queue: spec.keepQueue ? null : sources,
      allQueued: spec.allQueued && !spec.keepQueue,
    });
    const {cleared, queueRemoved, interruptedJobs, problems} = result;
    this.say('clear', `${cleared} cleared, ${queueRemoved} out of Gearman. ${problems.join(' ')}`);
    this.checkInterrupted(new Set([...matches, ...interruptedJobs.map((id) => id - FIRST_ID)]));
    return {named: new Set(matches), killed: [], withoutRow: spec.allQueued};
  }

  private readonly stopped: number[] = [];

  /** All workers of the site stop and start, as units whose journals cannot be read. */
  private control(): WorkerControl {
    const {world} = this;
    return {
      workersOf: async (ids, executing) => ({
        stop: async () => {
          for (const each of world.workers.filter(({site}) => site === 'own')) {
            if (each.execution?.entry.payload.site === 'own') this.stopped.push(each.execution.jobId);
            world.endWorker(each, true);
          }
          await this.follow();
          // The rows and keys of the jobs that were killed before are read when the act is over.
          await waitUntilConnected(this.parts);
        },
        start: async () => {
          if (world.startWorker('own', 'here') === null)
            throw new AtomctlError('FAILED', 'No server takes its connection.');
          await this.follow();
        },
        interrupts: executing.filter(({id}) => !ids.has(id)),
      }),
    };
  }

  private checkInterrupted(named: ReadonlySet<number>): void {
    for (const id of this.stopped.splice(0)) {
      // A row that was ended by hand: see known-limits.ts.
      if (!named.has(id) && this.world.own.rows.get(id)?.status === 'running')
        this.harms.push(`Job ${id} was interrupted and not named.`);
    }
  }

  /** While the act changes rows, a web request submits a job. */
  private withArrival(database: Database, {kind, picks}: ActSpec): Database {
    // The second transaction of a clear deletes rows while the others' jobs are held.
    let left = kind === 'clear' ? 2 : picks[0]! % 3;
    const {world} = this;
    return new Proxy(database, {
      get: (target, name) => {
        const value = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        if (name !== 'transaction') return value.bind(target);
        return async (...of: unknown[]) => {
          left -= 1;
          if (left === 0) {
            const said = world.happen('request', this.waitingKind() ?? picks[0]!, 0);
            if (said !== null) this.story.push(`  ${said}`);
            await this.follow();
          }
          return value.apply(target, of);
        };
      },
    });
  }

  /** The class of a job that waits, by its place in JOB_CLASSES. */
  private waitingKind(): number | undefined {
    const waiting = this.world.servers
      .flatMap((server) => server.entries())
      .filter(({holder, ignored, payload}) => holder === null && !ignored && payload.site === 'own');
    const row = this.world.own.rows.get(waiting.at(-1)?.payload.jobId ?? 0);
    return row && JOB_CLASSES.indexOf(row.job);
  }

  private say(outcome: string, text: string): void {
    count(this.report.outcomes, outcome);
    this.story.push(`  ${text}`);
  }

  /** Reads what became of rows and jobs, says what harm was done, and lets the model know the rest. */
  private async learn(
    spec: ActSpec,
    {named, killed, withoutRow}: Done,
    {before, waiting}: {before: ReadonlyMap<number, string>; waiting: readonly number[]},
  ): Promise<void> {
    const {world, parts, harms} = this;
    const rows = await parts.own.rows();
    for (const id of before.keys()) {
      const row = world.own.rows.get(id);
      if (!row) continue;
      const real = rows.get(id);
      const status =
        real &&
        (['running', 'completed', 'error'] as const).find((each) => STATUS_IDS[each] === real.status_id);
      if (status === row.status) continue;
      if (!named.has(id))
        harms.push(`Row ${id} changed from ${row.status} to ${status ?? 'nothing'}, and was not named.`);
      if (status && !spec.force && before.get(id) === 'running' && isExecuted(world, id))
        harms.push(`Row ${id} became ${status} while a worker executes its job.`);
      if (status) world.own.save(id, status);
      else world.own.rows.delete(id);
    }
    for (const server of world.servers)
      if (server.up) await this.learnQueue(server, {named, killed, withoutRow});
    // These operations have happened.
    world.take();
    for (const id of killed) {
      // One that was submitted twice is taken out once: see known-limits.ts.
      const isLeft = waiting.filter((each) => each === id).length === 1 && this.waitingIds().includes(id);
      if (isLeft) harms.push(`Job ${id} was reported as killed, and Gearman still has it.`);
    }
  }

  /** The site's jobs that Gearman has in the model, each as often as it has it. */
  private waitingIds(): number[] {
    return this.world.servers
      .flatMap((server) => server.entries())
      .flatMap(({payload, ignored}) => (payload.site === 'own' && !ignored ? payload.jobId : []));
  }

  private async learnQueue(server: Gearmand, {named, killed, withoutRow}: Done): Promise<void> {
    const {world, parts, harms} = this;
    const real = parts.gearmand(server).connection!;
    const entries = server.entries();
    const keys = entries.map((entry) => parts.realJob(entry).key);
    const presences = await real.statusOfUniqueKeys(keys);
    const mayGo = ({payload, ignored}: Entry) =>
      ignored ||
      (payload.site === 'own' && named.has(payload.jobId)) ||
      (withoutRow && !world.own.rows.has(payload.jobId));
    const gone = entries.filter((_, index) => !presences[index]!.known);
    for (const entry of gone)
      if (!mayGo(entry))
        harms.push(`Job ${entry.payload.jobId} (${entry.function}) left the queue, and was not named.`);
    server.forget(gone);
    // Cancelled entries stay until a worker polls.
    const handles = (await real.jobs()).filter(({ignored}) => ignored).map(({handle}) => handle);
    const waiting = (await real.statusOfHandles(handles)).filter(({known}) => known).length;
    const ignored = server.entries().filter((entry) => entry.ignored).length;
    const candidates = server
      .entries()
      .filter(
        (entry) => !entry.ignored && entry.payload.site === 'own' && killed.includes(entry.payload.jobId),
      );
    for (const entry of candidates.slice(0, Math.max(0, waiting - ignored))) server.cancel(entry);
  }

  /** The jobs of each function wait in the order of the model. Cancelled ones leave, as a worker polls. */
  private async checkOrder(): Promise<void> {
    const {world, parts, harms} = this;
    if (world.probes.length > 0) return;
    for (const server of world.servers) {
      if (!server.up) continue;
      for (const {function: name} of server.status()) {
        const {waitingIds, giveBack} = await this.takeAll(server, name);
        const expected = server.probe([name]).map(({payload}) => payload.jobId);
        if (waitingIds.join() !== expected.join())
          harms.push(
            `${name} of ${server.address} has ${waitingIds.join(', ')} waiting; expected: ${expected.join(', ')}.`,
          );
        await giveBack();
      }
    }
    await waitUntilAlike(parts);
  }

  private async takeAll(server: Gearmand, name: string) {
    const {address} = this.parts.gearmand(server).connection!;
    const real = this.parts.realFunction(name);
    const holders: WorkerConnection[] = [];
    const waitingIds: number[] = [];
    for (;;) {
      const holder = await connectWorker(address, {...TIMEOUT, clientId: 'order'});
      holders.push(holder);
      const job = await holder.grab([real]);
      if (job === null) break;
      waitingIds.push(Number(JSON.parse(`${job.payload}`).id) - FIRST_ID);
    }
    const giveBack = async () => {
      for (const holder of holders) {
        await holder.giveBack();
        holder.close();
      }
      await sleep(0);
    };
    return {waitingIds, giveBack};
  }
}

/** A history takes seconds, so that its acts are run again and again, from the first jobs on. */
function isDue({at}: ActSpec, index: number): boolean {
  return index >= 4 && (index - at) % 5 === 0;
}

/** The filter of a clear, and the ids that it means at this moment. */
function filterOf({filter, picks}: ActSpec, {own}: RecordedWorld): {filter: JobFilter; matches: number[]} {
  const rows = [...own.rows.values()];
  const names = [...new Set(rows.map(({job}) => job.name))];
  const name = names[(picks[0] ?? 0) % Math.max(names.length, 1)] ?? 'none';
  const chosen = picks.map((pick) => rows[pick % Math.max(rows.length, 1)]?.id ?? 99);
  const ids = (fits: (row: (typeof rows)[number]) => boolean) => rows.filter(fits).map(({id}) => id);
  switch (filter) {
    case 'everything':
      return {filter: {}, matches: ids(() => true)};
    case 'inactive':
      return {filter: {}, matches: ids(({status}) => status !== 'running')};
    case 'running':
      return {filter: {statuses: ['running']}, matches: ids(({status}) => status === 'running')};
    case 'ended':
      return {filter: {statuses: ['error']}, matches: ids(({status}) => status === 'error')};
    case 'name':
      return {filter: {names: [name]}, matches: ids(({job}) => job.name === name)};
    case 'ids':
      return {filter: {ids: chosen.map((id) => FIRST_ID + id)}, matches: chosen};
  }
}

function count(map: Map<string, number>, name: string): void {
  map.set(name, (map.get(name) ?? 0) + 1);
}
