import {noJobs} from './count.ts';
import {Durations} from './durations.ts';
import {EvenDays} from './even-days.ts';
import type {StatusCounts} from './job.ts';
import {type JobClock, wallTime} from './load-jobs.ts';
import type {JobStats, NameStats, UserStats} from './stats.ts';
import {JOB_STATUSES, STATUSES, statusFromTermId} from './status.ts';

/** A job as the statement of jobStats selects it. */
export type StatsRow = readonly [
  name: string | null,
  statusId: number | null,
  createdAt: string | null,
  completedAt: string | null,
  userId: number | null,
];

interface NameTally {
  counts: StatusCounts;
  durations: Durations;
  /** Start of the oldest running job; null where none runs. */
  oldestRunning: string | null;
}

/** Adds up jobs one by one. */
export class Tally {
  readonly #now: Date;
  readonly #clock: EvenDays;
  readonly #names = new Map<string, NameTally>();
  readonly #days = new Map<string, StatusCounts>();
  readonly #users = new Map<number | null, StatusCounts>();

  constructor({time, now}: JobClock) {
    this.#now = now;
    this.#clock = new EvenDays(time);
  }

  get userIds(): number[] {
    return [...this.#users.keys()].filter((id) => id !== null);
  }

  add([jobName, statusId, createdAt, completedAt, userId]: StatsRow): void {
    const status = statusFromTermId(statusId);
    const startedAt = wallTime(createdAt);
    const name = entry(this.#names, jobName ?? '', newName);
    name.counts[status]++;
    entry(this.#users, userId, noJobs)[status]++;
    if (startedAt === null) return;
    entry(this.#days, startedAt.slice(0, 10), noJobs)[status]++;
    if (!STATUSES[status].finished) name.oldestRunning = earlier(name.oldestRunning, startedAt);
    else if (completedAt !== null) {
      const seconds = this.#clock.toEpochSeconds(completedAt) - this.#clock.toEpochSeconds(startedAt);
      if (!Number.isNaN(seconds)) name.durations.add(seconds);
    }
  }

  /** The figures of all that was added. @param usernames by user id; a user who is gone by now counts as none */
  stats(usernames: ReadonlyMap<number, string>): JobStats {
    const names = [...this.#names].map(([name, tally]) => this.#nameStats(name, tally));
    const counts = noJobs();
    for (const status of JOB_STATUSES) {
      for (const name of names) counts[status] += name.counts[status];
    }
    const ages = names.map((name) => name.oldestRunningSeconds).filter((age) => age !== null);
    return {
      total: sum(counts),
      counts,
      oldestRunningSeconds: ages.length === 0 ? null : Math.max(...ages),
      names: names.sort(byTotal(({name}) => name)),
      days: [...this.#days]
        .map(([day, ofDay]) => ({day, counts: ofDay}))
        .sort((one, other) => (one.day < other.day ? -1 : 1)),
      users: this.#userStats(usernames).sort(byTotal(({user}) => user ?? '')),
    };
  }

  #nameStats(name: string, {counts, durations, oldestRunning}: NameTally): NameStats {
    const ended = counts.completed + counts.error;
    return {
      name,
      total: sum(counts),
      counts,
      failedShare: ended === 0 ? null : counts.error / ended,
      durationSeconds: durations.summary(),
      oldestRunningSeconds: oldestRunning === null ? null : this.#age(oldestRunning),
    };
  }

  #age(startedAt: string): number {
    const seconds = Math.floor(this.#now.getTime() / 1000 - this.#clock.toEpochSeconds(startedAt));
    return Math.max(0, seconds);
  }

  #userStats(usernames: ReadonlyMap<number, string>): UserStats[] {
    return [...this.#users].map(([userId, counts]) => ({
      user: userId === null ? null : (usernames.get(userId) ?? null),
      userId,
      total: sum(counts),
      counts,
    }));
  }
}

function newName(): NameTally {
  return {counts: noJobs(), durations: new Durations(), oldestRunning: null};
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

/** Wall-clock texts sort as the times do. */
function earlier(one: string | null, other: string): string {
  return one === null || other < one ? other : one;
}

function sum(counts: StatusCounts): number {
  return JOB_STATUSES.reduce((total, status) => total + counts[status], 0);
}

/** The larger total first; equal ones by their text. */
function byTotal<Row extends {total: number}>(text: (row: Row) => string) {
  return (one: Row, other: Row) => other.total - one.total || (text(one) < text(other) ? -1 : 1);
}
