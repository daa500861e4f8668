import {ERROR_NOTE_TYPE_ID} from '../model/job.ts';
import {actOfEnd, isOfLostRetry, isOfRetried} from '../model/own-notes.ts';

/** What the notes of one job say about its end. */
export class JobNotes {
  /** Whether atomctl ended the row, and not its worker. */
  sayEndedByAtomctl = false;
  /** Why the job failed; null if no note says so. */
  message: string | null = null;
  #rank = [-1, -1, -1];

  /** @param id notes are numbered in the order in which they were written */
  add(id: number, typeId: number | null, content: string): void {
    if (actOfEnd(content) !== null || isOfLostRetry(content)) this.sayEndedByAtomctl = true;
    if (isOfRetried(content)) return;
    // Older versions do not mark error notes. Of an exception, the notes behind it have its file and line.
    const rank = [Number(typeId === ERROR_NOTE_TYPE_ID), Number(content.startsWith('Exception: ')), id];
    if (!isHigher(rank, this.#rank)) return;
    this.#rank = rank;
    this.message = content;
  }

  get isEmpty(): boolean {
    return this.message === null && !this.sayEndedByAtomctl;
  }
}

function isHigher(one: readonly number[], other: readonly number[]): boolean {
  const at = one.findIndex((value, index) => value !== other[index]);
  return at !== -1 && one[at]! > other[at]!;
}
