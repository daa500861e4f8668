import type {JobDetails} from '../model/job.ts';
import {parseLogLines} from '../model/log.ts';

/** As AtoM counts in its messages: `Imported 12 of 900 rows`, `(12 of 900)`. */
const COUNTED = /\b(\d{1,9}) of (\d{1,9})\b/g;

/**
 * The last "N of M" in the log since the job last began, otherwise in its notes, the newest first; null if there is none.
 * Texts in other languages say it in other words.
 */
export function progressOf({
  log,
  notes,
}: Pick<JobDetails, 'log' | 'notes'>): {done: number; total: number} | null {
  const lines = parseLogLines(log);
  const start = lines.findLastIndex(({time, message}) => time !== null && message === 'Job started.');
  const texts = [
    ...notes.map(({text}) => text),
    ...lines
      .slice(Math.max(0, start))
      .filter(({message}) => !message.startsWith('Parameters: '))
      .map(({message}) => message),
  ];
  for (const text of texts.reverse()) {
    const [, done, total] = [...text.matchAll(COUNTED)].findLast(([, n, m]) => Number(n) <= Number(m)) ?? [];
    if (Number(total) > 0) return {done: Number(done), total: Number(total)};
  }
  return null;
}
