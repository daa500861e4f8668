/** The notes that atomctl adds to jobs. They are read again, so their beginnings must stay as they are. */

/** Who changed a job, and when: user@host, and wall-clock time of the site. */
export interface NoteAuthor {
  by: string;
  nowWall: string;
}

interface Reasoned extends NoteAuthor {
  reason: string | null;
}

interface Ending extends Reasoned {
  /** The state that was seen. */
  was: string;
}

export const MARKS = {completed: 'completed', error: 'an error'} as const;

export function noteOfKill(ending: Ending): string {
  return `Killed with atomctl ${endOf(ending)}`;
}

export function noteOfMark(as: keyof typeof MARKS, ending: Ending): string {
  return `Marked as ${MARKS[as]} with atomctl ${endOf(ending)}`;
}

/** The note of doctor --fix. */
export function noteOfFix(as: keyof typeof MARKS, {by, nowWall}: NoteAuthor): string {
  const why = {completed: 'its log says "Job finished."', error: 'no Gearman server knew the job'}[as];
  return `Marked as ${MARKS[as]} by atomctl doctor for ${by} on ${nowWall}: ${why}.`;
}

/** The note of the new job. */
export function noteOfRetry(oldId: number, author: Reasoned): string {
  return `Retry of job ${oldId}, started with atomctl ${endOf(author)}`;
}

/** The note of the old job. */
export function noteOfRetried(newId: number, author: Reasoned): string {
  return `Started again as job ${newId} with atomctl ${endOf(author)}`;
}

/** The note of an earlier retry that was lost before it ran, if the job is retried once more. */
export function noteOfLostRetry(oldId: number, author: Reasoned): string {
  return `Lost; job ${oldId} was started again with atomctl ${endOf(author)}`;
}

function endOf({by, nowWall, was, reason}: Reasoned & Partial<Ending>): string {
  const state = was === undefined ? '' : `, while it was ${was}`;
  return `by ${by} on ${nowWall}${state}.${reason === null ? '' : ` Reason: ${reason}`}`;
}

const ACT = /^(?:Killed with atomctl|Marked as [a-z ]+ (?:with atomctl|by atomctl doctor))(?= )/;

/** How a note says that atomctl ended the row, without by whom: "Killed with atomctl". null of any other text. */
export function actOfEnd(text: string): string | null {
  return ACT.exec(text)?.[0] ?? null;
}

/** Patterns of LIKE for the same notes. */
export const LIKE_OF_END = ['Killed with atomctl %', 'Marked as % atomctl %'] as const;

/** The same for the notes of those who marked a job as completed, in the knowledge of its errors. */
export const LIKE_OF_COMPLETED = `Marked as ${MARKS.completed} % atomctl %`;

/** True of the note of a kill whose worker may have gone on. */
export function isOfExecutingKill(text: string): boolean {
  return /^Killed with atomctl .* while it was executing\./s.test(text);
}

export function isOfRetried(text: string): boolean {
  return /^Started again as job \d+ with atomctl /.test(text);
}

export function isOfLostRetry(text: string): boolean {
  return /^Lost; job \d+ was started again with atomctl /.test(text);
}

/** The job that a job with these notes repeats; null if none of them says so. */
export function retriedJob(notes: readonly {text: string}[]): number | null {
  for (const {text} of notes) {
    const [, id] = /^Retry of job ([1-9]\d{0,9}), started with atomctl /.exec(text) ?? [];
    if (id !== undefined) return Number(id);
  }
  return null;
}
