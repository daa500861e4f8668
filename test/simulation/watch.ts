import type {LiveEvidence, RowEvidence} from '../../src/jobs/live/evidence.ts';
import {ABILITIES, classesOf} from './classes.ts';
import type {TrueState, World} from './world.ts';

/** A claim that rests on there being no other job: by count, or by a process's file. */
const BY_COUNT = /can only be this one/;
const BY_FILE = /on this host imports its file/;

/** What was true while a site was observed, of each row that said Running in the first read. */
export class Watch {
  /** What was true of a row at some moment. */
  readonly truths = new Map<number, Set<TrueState>>();
  /** Classes of jobs that ran and that no row shows (World.strays). */
  private readonly strayClasses = new Set<string>();
  /** Rows whose file such a job imported. */
  private readonly strayFiles = new Set<number>();
  /** Rows that were executed, and not only by a worker that had not logged its first line. */
  private readonly atWork = new Set<number>();

  constructor(ids: Iterable<number>) {
    for (const id of ids) this.truths.set(id, new Set());
  }

  /** Called at the beginning, and after each thing that happens. */
  note(world: World): void {
    const strays = world.strays();
    for (const name of strays.classes) this.strayClasses.add(name);
    for (const [id, truths] of this.truths) {
      for (const state of world.truth(id)) truths.add(state);
      const upload = world.own.rows.get(id)?.upload;
      if (upload && strays.files.has(upload)) this.strayFiles.add(id);
      if (world.isAtWork(id)) this.atWork.add(id);
    }
  }

  /**
   * Whether a wrong claim is one of the limits that docs/faults.md names. Each is about the row itself: a job that
   * nothing shows and that counts, or a process, cannot tell from this row's, although every server answered.
   */
  isLimit(id: number, {state, reason}: {state: string; reason: string}, seen: Claimed): boolean {
    if (BY_COUNT.test(reason)) return this.isLimitOfCount(id, seen);
    if (BY_FILE.test(reason)) return this.strayFiles.has(id) && !seen.row.finished;
    // A finished job that was handed out again, in the moment before its worker logs, if gearmand forgot it in that moment
    // and the processes cannot be read.
    const unseen = seen.evidence.host !== null && seen.evidence.host.processes.unreadable !== null;
    return state === 'finished' && unseen && this.truths.get(id)!.has('executing') && !this.atWork.has(id);
  }

  private isLimitOfCount(id: number, {row, evidence}: Claimed): boolean {
    const {servers, host, unchanged} = evidence;
    const allAnswered = servers.every(({error, probing}) => error === null && !probing);
    const allAsked = host !== null && host.serversNotAsked.length === 0;
    // What never began, has finished or waits is not what runs, and that shows.
    const mayRun = row.begun !== null && !row.finished && !this.truths.get(id)!.has('queued');
    const classes = sharedClasses(row, evidence.rows);
    return (
      allAnswered &&
      allAsked &&
      unchanged &&
      mayRun &&
      [...this.strayClasses].some((name) => classes.has(name))
    );
  }
}

interface Claimed {
  row: RowEvidence;
  evidence: LiveEvidence;
}

/** Classes whose jobs may be the row's, or a row's that shares a class with it, and so on: they are counted together. */
function sharedClasses(row: RowEvidence, rows: readonly RowEvidence[]): Set<string> {
  const classes = new Set(classesOf(row.name) ?? ABILITIES);
  // The key of the others shows where their jobs are.
  const counted = rows.filter(({key, keyAsked}) => key !== 'exact' || !keyAsked);
  for (let before = 0; before < classes.size; ) {
    before = classes.size;
    for (const {name} of counted) {
      const theirs = classesOf(name) ?? ABILITIES;
      if (theirs.some((each) => classes.has(each))) for (const each of theirs) classes.add(each);
    }
  }
  return classes;
}
