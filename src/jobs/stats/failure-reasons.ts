import {actOfEnd} from '../model/own-notes.ts';

/** Jobs that failed with the same message. */
export interface FailureReason {
  /** The message without its numbers and names; null for jobs without an error note. */
  reason: string | null;
  count: number;
  /** The newest of these jobs that was read. */
  exampleId: number;
}

/** Sites have some dozens; a plugin may write a new message for each job. Those after so many are one group. */
const MOST_REASONS = 1000;
export const OTHER_REASONS = 'Other messages';

/** Groups failed jobs by their messages. Memory grows with the groups, up to a limit. */
export class FailureReasons {
  readonly #groups = new Map<string | null, FailureReason>();

  add(message: string | null, id: number): void {
    const reason = message === null ? null : reasonOf(message);
    const isNew = !this.#groups.has(reason) && this.#groups.size >= MOST_REASONS;
    const key = isNew ? OTHER_REASONS : reason;
    const group = this.#groups.get(key) ?? {reason: key, count: 0, exampleId: id};
    this.#groups.set(key, group);
    group.count += 1;
    group.exampleId = Math.max(group.exampleId, id);
  }

  /** The most frequent first. */
  list(): FailureReason[] {
    return [...this.#groups.values()].sort(
      (one, other) => other.count - one.count || ((one.reason ?? '') < (other.reason ?? '') ? -1 : 1),
    );
  }
}

const LONGEST_REASON = 200;

/** What differs from job to job, and what stands for it. */
const VARYING: readonly [RegExp, string][] = [
  [/\bhttps?:\/\/[^\s"')]+/g, '…'],
  [/"[^"]*"|„[^“”]*[“”]|“[^”]*”|«[^»]*»|`[^`]*`|(?<![\p{L}\p{N}])'[^']*'(?![\p{L}\p{N}])/gu, '"…"'],
  [/[^\s"']+@[^\s"']+\.[^\s"',;)]+/g, '…'],
  [/(?<![\p{L}\p{N}])(?:\.{1,2}|~)?(?:\/[^\s/:,;"')\]]+)+\/?/gu, '…'],
  [/(?<![\p{L}\p{N}])[\p{L}\p{N}_][\p{L}\p{N}_.-]*\.(?:csv|xml|zip|pdf|rtf|txt|skos|rdf|php|tmp)\b/giu, '…'],
  [/\b(?=[a-f]*\d)[0-9a-f]{8,}\b/gi, 'N'],
  [/(?<![\p{L}\p{N}_[])\d+(?:[.,:-]\d+)*/gu, 'N'],
];

/** The first line of a message, without its numbers, quoted names, paths, files, addresses. */
export function reasonOf(message: string): string {
  const line = message.trim().split(/[\r\n]/, 1)[0]!;
  const own = actOfEnd(line);
  if (own !== null) return own;
  const reason = VARYING.reduce((text, [pattern, stands]) => text.replace(pattern, stands), line);
  return reason.length > LONGEST_REASON ? `${reason.slice(0, LONGEST_REASON - 1)}…` : reason;
}
