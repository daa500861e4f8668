import type {Act} from './acts.ts';
import type {Observation, Row, SceneJob} from './scene.ts';
import type {Fault, Ran} from './strike.ts';

/** What was seen before, between and after the two runs of a command. */
export interface Seen {
  act: Act;
  jobs: readonly SceneJob[];
  fault: Fault;
  /** Functions whose jobs the command held when the fault struck. */
  held: readonly string[];
  before: Observation;
  first: Ran;
  after: Observation;
  hadWorker: boolean;
  /** The second run, or the third if the second refused until the log has been silent for long enough. */
  second: Ran;
  hadToWait: boolean;
  end: Observation;
  /** Ids by function, as a worker got them in the end. */
  drained: ReadonlyMap<string, readonly number[]>;
}

export interface Judged {
  /** What broke an invariant; none if all held. */
  broken: string[];
  /** What is known not to hold at this point, and happened. */
  exceptions: Exception[];
}

export type Exception = 'order' | 'worker stopped' | 'quiet time';

const TERM = {completed: 184, error: 185} as const;
const RUNNING = 183;

export function judge(seen: Seen): Judged {
  const judgement = new Judgement(seen);
  judgement.judge();
  return {broken: judgement.broken, exceptions: judgement.exceptions};
}

class Judgement {
  readonly broken: string[] = [];
  readonly exceptions: Exception[] = [];
  readonly #seen: Seen;
  readonly #named: SceneJob[];
  readonly #others: SceneJob[];

  constructor(seen: Seen) {
    this.#seen = seen;
    this.#named = seen.jobs.filter(({label}) => label in seen.act.named);
    this.#others = seen.jobs.filter(({label}) => !(label in seen.act.named));
  }

  judge(): void {
    const {first, after, end, second} = this.#seen;
    this.#othersAreUntouched('the first run', after);
    this.#firstRunSaysWhatItDid();
    if (first.signal === 'SIGINT') this.#nothingIsTouched('it ended by the signal');
    this.#othersAreUntouched('the second run', end);
    if (this.#seen.hadToWait) this.exceptions.push('quiet time');
    this.#allIsDone(end, second);
    this.#orderIsKept();
    this.#workerIsBack();
  }

  #break(text: string): void {
    this.broken.push(text);
  }

  #othersAreUntouched(when: string, seen: Observation): void {
    for (const job of this.#others) {
      if (this.#isTouched(job, seen)) this.#break(`${when} touched ${job.label}, which was not named`);
    }
  }

  #nothingIsTouched(although: string): void {
    for (const job of this.#named)
      if (this.#isTouched(job, this.#seen.after))
        this.#break(`${job.label} was touched, although ${although}`);
  }

  #isTouched(job: SceneJob, {rows, queue}: Observation): boolean {
    const {before} = this.#seen;
    if (job.handle !== null && before.queue.has(job.handle) !== queue.has(job.handle)) return true;
    return job.hasRow && textOf(before.rows.get(job.id)) !== textOf(rows.get(job.id));
  }

  #isDone(job: SceneJob, {rows, queue}: Observation): boolean {
    return this.#rowIsDone(job, rows) && !this.#isQueued(job, queue);
  }

  #rowIsDone(job: SceneJob, rows: Observation['rows']): boolean {
    const to = this.#seen.act.named[job.label]!;
    const row = rows.get(job.id);
    return to === 'gone' ? row === undefined : row?.status_id === TERM[to] && row.completed_at !== null;
  }

  #isQueued({handle}: SceneJob, queue: Observation['queue']): boolean {
    return handle !== null && queue.has(handle);
  }

  #firstRunSaysWhatItDid(): void {
    const {act, first, after} = this.#seen;
    if (first.signal !== null) return;
    if (first.json === null) {
      this.#break(`no JSON: ${first.code} ${first.stdout}${first.stderr}`);
      return;
    }
    if (first.code === 0) {
      for (const job of this.#named)
        if (!this.#isDone(job, after)) this.#break(`exit 0, but ${job.label} is not done`);
    }
    if (first.json.error !== undefined) {
      this.#nothingIsTouched(`only an error was reported: ${first.json.error.message}`);
      return;
    }
    if (act.kind === 'kill' || act.kind === 'mark')
      this.#entriesAreTrue(first.json[act.kind === 'kill' ? 'killed' : 'marked']);
    if (act.kind === 'clear') this.#countsAreTrue();
    if (act.kind === 'fix') this.#fixesAreTrue();
    if (act.kind === 'retry') this.#retryIsTrue();
  }

  #entriesAreTrue(entries: readonly {id: number; action: string; gearman?: string; message: string}[]): void {
    const {after} = this.#seen;
    for (const job of this.#named) {
      const entry = entries.find(({id}) => id === job.id);
      if (entry === undefined) this.#break(`${job.label} is not in the output`);
      else if (entry.action === 'marked' || entry.action === 'deleted') {
        if (!this.#isDone(job, after))
          this.#break(`${job.label} was reported as ${entry.action}, and is not`);
      } else if (entry.action === 'refused' && this.#isTouched(job, after))
        this.#break(`${job.label} was reported as refused, and was touched: ${entry.message}`);
    }
  }

  #countsAreTrue(): void {
    const {before, first, after} = this.#seen;
    const {cleared, queueRemoved, warnings = []} = first.json;
    const gone = before.rows.size - after.rows.size;
    if (cleared !== gone) this.#break(`${cleared} rows were reported as cleared, ${gone} are gone`);
    const out = before.queue.size - after.queue.size;
    // An answer that was lost leaves open whether its job went.
    if (queueRemoved > out || (queueRemoved < out && this.#seen.fault !== 'Gearman lost'))
      this.#break(`${queueRemoved} were reported as out of Gearman, ${out} are`);
    for (const job of this.#named) {
      const disagree =
        this.#rowIsDone(job, after.rows) === this.#isQueued(job, after.queue) && job.handle !== null;
      if (disagree && job.hasRow && first.code === 0)
        this.#break(`row and queue of ${job.label} disagree, and exit 0`);
      if (disagree && job.hasRow && warnings.length === 0 && first.code !== 130)
        this.#break(`row and queue of ${job.label} disagree, and nothing says so`);
    }
  }

  #fixesAreTrue(): void {
    const {before, first, after} = this.#seen;
    const orphans = before.orphans - after.orphans;
    const done = orphans + this.#named.filter((job) => this.#isDone(job, after)).length;
    const fixes = first.json.fixed as {count: number; error: string | null}[];
    const fixed = fixes.reduce((sum, {count}) => sum + count, 0);
    // An answer to COMMIT that was lost leaves open whether it was carried out; the error says so.
    const isKnown = fixes.every(({error}) => error === null);
    if (fixed > done || (fixed < done && isKnown))
      this.#break(`${fixed} were reported as fixed, ${done} are`);
  }

  /** Rows and waiting jobs that the command made: those of a retry. */
  #made({rows, queue}: Observation): {rows: Row[]; waiting: number} {
    const {before} = this.#seen;
    return {
      rows: [...rows.values()].filter(({id}) => !before.rows.has(id)),
      waiting: [...queue].filter((handle) => !before.queue.has(handle)).length,
    };
  }

  #retryIsTrue(): void {
    const {first, after} = this.#seen;
    const {rows, waiting} = this.#made(after);
    const [{action, newId, message}] = first.json.retried;
    const says = `${action} was reported (${message}), and ${waiting} waits with rows ${JSON.stringify(rows)}`;
    const isMade = rows.length === 1 && rows[0]!.id === newId;
    if (action === 'submitted' && !(isMade && waiting === 1 && rows[0]!.status_id === RUNNING))
      this.#break(says);
    if (action === 'refused' && rows.length + waiting > 0) this.#break(says);
    // That the row could not be corrected, or that it is not known whether it was made, is said.
    const isOpen = /still says Running|is not known/.test(message);
    if (action === 'failed' && !isOpen && !(isMade && waiting === 0 && rows[0]!.status_id === TERM.error))
      this.#break(says);
  }

  /** One new job waits, once, and every other new row is an error. */
  #retryIsDone(end: Observation, second: Ran): void {
    const {rows, waiting} = this.#made(end);
    const running = rows.filter(({status_id: status}) => status === RUNNING).map(({id}) => id);
    const taken = [...this.#seen.drained.values()].flat().filter((id) => rows.some((row) => row.id === id));
    const isDone = waiting === 1 && taken.length === 1 && running.every((id) => id === taken[0]);
    if (!isDone)
      this.#break(
        `${waiting} retries wait (${taken}), with rows ${JSON.stringify(rows)}: ${second.stdout}${second.stderr}`,
      );
  }

  #allIsDone(end: Observation, second: Ran): void {
    if (this.#seen.act.kind === 'retry') this.#retryIsDone(end, second);
    for (const job of this.#named) {
      const isQueued = this.#isQueued(job, end.queue);
      if (isQueued || (job.hasRow && !this.#rowIsDone(job, end.rows))) {
        const what = isQueued ? 'in the queue' : 'not done';
        this.#break(
          `after the second run ${job.label} is ${what}: ${second.code} ${second.stdout}${second.stderr}`,
        );
      }
      const notes = end.rows.get(job.id)?.notes ?? 0;
      // A retry that was broken off is named by a note, and so is the next.
      if (notes > (this.#seen.act.kind === 'retry' ? 2 : 1)) this.#break(`${job.label} has ${notes} notes`);
    }
    if (![0, 1, 4, 5].includes(second.code ?? -1))
      this.#break(`the second run ended with ${second.code}: ${second.stdout}${second.stderr}`);
    if (end.orphans > 0) this.#break(`${end.orphans} objects without a job are left`);
  }

  #orderIsKept(): void {
    const {drained, held, fault, end} = this.#seen;
    const made = new Set(this.#made(end).rows.map(({id}) => id));
    for (const [name, all] of drained) {
      const ids = all.filter((id) => !made.has(id));
      const wanted = this.#others
        .filter((job) => job.function === name && job.handle !== null)
        .map(({id}) => id);
      const left = ids.filter((id) => wanted.includes(id));
      if (ids.length !== wanted.length || left.toSorted(byNumber).join() !== wanted.toSorted(byNumber).join())
        this.#break(`a worker got ${ids} of ${name}, not ${wanted}`);
      else if (left.join() !== wanted.join()) {
        const mayDiffer = (fault === 'SIGKILL' || fault === 'Gearman lost') && held.includes(name);
        if (mayDiffer) this.exceptions.push('order');
        else this.#break(`a worker got ${ids} of ${name}, not ${wanted}`);
      }
    }
  }

  #workerIsBack(): void {
    const {act, fault, hadWorker} = this.#seen;
    if (!act.worker || hadWorker) return;
    if (fault === 'SIGKILL') this.exceptions.push('worker stopped');
    else this.#break('the worker stayed stopped');
  }
}

function textOf(row: Row | undefined): string {
  return JSON.stringify(row) ?? '';
}

function byNumber(one: number, other: number): number {
  return one - other;
}
