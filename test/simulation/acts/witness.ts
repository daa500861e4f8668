import {isSerial} from '../../../src/atom/job-classes.ts';
import type {Connection, Entry, Gearmand} from '../gearmand.ts';
import type {ActWorld} from './act-world.ts';
import type {LimitName} from './known-limits.ts';

/** What an act did that it must not do. */
export interface Harm {
  /** What happened, without what is particular to one history. */
  group: string;
  text: string;
  /** Why it is accepted; null if it is not. */
  limit: LimitName | null;
}

/** A job whose kill was reported as done. */
interface KilledJob {
  /** Jobs of its id that Gearman had besides the one that the kill took out. */
  others: ReadonlySet<Entry>;
  /** A web request had not submitted it yet, so that the one that was taken out was an operator's. */
  pending: boolean;
  /** Its row had ended. */
  ended: boolean;
  by: string;
}

export const ACT_CONNECTION = 'atomctl-act';

/** Knows the order in which jobs came, who was handed which, and what was reported as killed; and says what harms a job. */
export class Witness {
  readonly harms: Harm[] = [];
  /** When each job was handed to a worker, the last time. */
  readonly handedMs = new Map<number, number>();
  /** What the history does at this moment. */
  happening = '';
  private readonly places = new WeakMap<Entry, number>();
  private next = 0;
  /** Jobs with a lower place waited when the newest act began. */
  private actPlace = 0;
  /** Jobs from this place on came when an act had asked which queues it must hold. */
  private holdingPlace = Number.POSITIVE_INFINITY;
  /** Jobs from this place on came while jobs were given back. */
  private givingPlace = Number.POSITIVE_INFINITY;
  /** The places at which jobs came, whatever became of them then. */
  private readonly came = new WeakMap<Entry, number>();
  /** Those of jobs that an operator submitted. */
  private readonly byHand = new WeakMap<Entry, number>();
  /** An act holds or held jobs by one connection, or was killed: the order is not kept. */
  private disorder: LimitName | null = null;
  private arrivals: LimitName | null = null;
  private readonly killed = new Map<number, KilledJob>();

  constructor(private readonly world: ActWorld) {}

  harm(group: string, text: string, limit: LimitName | null = null): void {
    this.harms.push({group: `${limit ?? 'harm'}: ${group}`, text, limit});
  }

  /** The place that the next job gets. */
  get nextPlace(): number {
    return this.next;
  }

  /** It did not exist before. */
  cameSince(entry: Entry, place: number): boolean {
    return (this.came.get(entry) ?? -1) >= place;
  }

  submittedByHandSince(entry: Entry, place: number): boolean {
    return (this.byHand.get(entry) ?? -1) >= place;
  }

  actBegins(): void {
    this.actPlace = this.next;
    this.givingPlace = Number.POSITIVE_INFINITY;
    this.disorder = null;
    this.arrivals = null;
    this.holdingPlace = Number.POSITIVE_INFINITY;
  }

  /** What comes from now on is not held. */
  holds(): void {
    this.holdingPlace = this.next;
  }

  cameWhileHeld(entry: Entry): boolean {
    return this.placeOf(entry) >= this.holdingPlace;
  }

  /** From now on an act gives back what it holds. */
  givesBack(): void {
    this.givingPlace = Math.min(this.givingPlace, this.next);
  }

  orderIsLost(limit: LimitName): void {
    this.disorder = limit;
  }

  /** The kill of a job was reported as done: from now on it must not run. */
  killReported(id: number, {taken, ...kill}: {taken: boolean; ended: boolean; by: string}): void {
    const pending = taken && this.world.submissions.some(({payload}) => payload.jobId === id);
    this.killed.set(id, {...kill, pending, others: new Set(this.entriesOf(id))});
  }

  /** An operator wants a job to run that was killed. */
  wantedAgain(id: number): void {
    this.killed.delete(id);
  }

  entriesOf(id: number): Entry[] {
    return this.world.servers
      .flatMap((server) => server.entries())
      .filter(({payload, ignored}) => payload.site === 'own' && payload.jobId === id && !ignored);
  }

  arrived(entry: Entry): void {
    const isNew = !this.places.has(entry);
    if (isNew) {
      this.came.set(entry, this.next);
      this.places.set(entry, this.next++);
    }
    if (isNew && this.happening === 'submitAgain') this.byHand.set(entry, this.placeOf(entry));
    if (this.happening === 'submitAgain' && entry.payload.site === 'own')
      this.wantedAgain(entry.payload.jobId);
  }

  /** Jobs of a worker that ended, or of a probe that is not an act's, came back at the end of their queues. */
  returned(server: Gearmand, connection: Connection, held: readonly Entry[]): void {
    if (connection.id.startsWith(ACT_CONNECTION)) return;
    this.queuedAgain(server, held);
  }

  queuedAgain(server: Gearmand, entries: readonly Entry[]): void {
    for (const entry of server.entries()) if (entries.includes(entry)) this.places.set(entry, this.next++);
  }

  restarted(server: Gearmand): void {
    // A durable queue is back, and is held only when it has been taken again.
    this.held = new Set([...this.held].filter((entry) => !server.entries().includes(entry)));
    this.queuedAgain(server, server.entries());
  }

  /** Jobs that a hold keeps while its command runs. */
  held: ReadonlySet<Entry> = new Set();

  handedOut(server: Gearmand, entry: Entry): void {
    this.checkOrder(server, entry);
    if (this.held.has(entry))
      this.harm(
        'a job that is held starts while the command runs',
        `A worker is handed job ${entry.payload.jobId} while the command of queue:hold runs.`,
      );
    const {site, jobId} = entry.payload;
    if (site !== 'own') return;
    this.handedMs.set(jobId, this.world.clock.nowMs);
    const kill = this.killed.get(jobId);
    // A job without a row fails at once (arBaseJob::run).
    if (kill && this.world.row(jobId))
      this.harm(
        'a killed job runs',
        `${kill.by} reported job ${jobId} as killed, and a worker is handed it by ${server.address}.`,
        kill.ended ? 'ended by hand' : kill.others.has(entry) || kill.pending ? 'submitted twice' : null,
      );
  }

  /** A worker was handed a job while one that came before it is held by an act, or waits behind it because of one. */
  private checkOrder(server: Gearmand, entry: Entry): void {
    const place = this.placeOf(entry);
    const passed = server
      .entries()
      .find(
        (other) =>
          other.function === entry.function &&
          !other.ignored &&
          (other.holder === null || other.holder.id.startsWith(ACT_CONNECTION)) &&
          this.placeOf(other) < place,
      );
    if (!passed) return;
    const serial = isSerial(entry.function.slice(entry.function.lastIndexOf('-') + 1));
    const late = place >= this.actPlace;
    const held = passed.holder !== null;
    const what = `a ${serial ? 'serial ' : ''}job is handed out before an older one that ${held ? 'is held' : 'waited'}${late ? ', and came later' : ''}`;
    const limit =
      this.disorder ??
      (held
        ? serial
          ? 'serial worker became free'
          : 'taken while held'
        : late
          ? this.limitOfArrival(place)
          : null);
    this.harm(
      what,
      `A worker is handed job ${entry.payload.jobId} (${entry.function}) before job ${passed.payload.jobId}.`,
      limit,
    );
  }

  /** At the end of an act the jobs that waited at its beginning wait in the same order. */
  checkQueues(): void {
    for (const server of this.world.servers) {
      for (const {function: name} of server.status()) {
        const waiting = server.waitingIn(name).filter(({ignored}) => !ignored);
        for (const [index, entry] of waiting.entries()) {
          const before = waiting[index - 1];
          if (!before || this.placeOf(before) <= this.placeOf(entry)) continue;
          const late = this.placeOf(before) >= this.actPlace;
          this.harm(
            `the order of waiting jobs changed${late ? ' for one that came later' : ''}`,
            `Job ${entry.payload.jobId} waits behind job ${before.payload.jobId} (${name}), which came after it.`,
            this.disorder ?? (late ? this.limitOfArrival(this.placeOf(before)) : null),
          );
          // Once for each disorder.
          this.queuedAgain(server, server.entries());
          break;
        }
      }
    }
  }

  /** What comes while jobs are held is not held too. */
  arrivalsStay(limit: LimitName = 'arrived where retries are limited'): void {
    this.arrivals = limit;
  }

  private limitOfArrival(place: number): LimitName | null {
    return this.arrivals ?? (place >= this.givingPlace ? 'arrived while given back' : null);
  }

  /** These of a function are given back before its others. */
  putFirst(server: Gearmand, entries: readonly Entry[]): void {
    const first = new Set(entries);
    const others = server.entries().filter((entry) => !first.has(entry) && entry.holder !== null);
    const names = new Set(entries.map((entry) => entry.function));
    for (const entry of [...entries, ...others])
      if (names.has(entry.function) && entry.holder?.id.startsWith(ACT_CONNECTION))
        this.places.set(entry, this.next++);
  }

  placeOf(entry: Entry): number {
    return this.places.get(entry) ?? -1;
  }
}
