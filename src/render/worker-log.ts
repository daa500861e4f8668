import type {SiteTime} from '../atom/site-time.ts';
import type {JournalEntry} from '../systemd/journal.ts';
import {sanitizeLine} from './sanitize.ts';

/** One line of the worker's journal, at the site's wall clock; the unit is named where several are shown. */
export function renderJournalEntry(
  {at, unit, pid, message}: JournalEntry,
  time: SiteTime,
  several: boolean,
): string {
  const words = [time.toWall(at), several ? unit : null, pid === null ? null : `[${pid}]`, message];
  return `${words.flatMap((word) => (word === null ? [] : [sanitizeLine(word)])).join(' ')}\n`;
}

/** An entry as JSON shows it: the time as ISO 8601 with the site's offset. */
export function logEntryDocument({at, unit, pid, message}: JournalEntry, time: SiteTime): object {
  return {at: time.toIso(time.toWall(at)), unit, pid, message};
}
