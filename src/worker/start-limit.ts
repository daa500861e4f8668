import {formatDuration} from '../duration.ts';
import {AtomctlError} from '../errors.ts';
import {collectJournal, type JournalEntry} from '../systemd/journal.ts';
import type {Scope} from '../systemd/systemctl.ts';
import type {UnitState} from '../systemd/unit-state.ts';

/**
 * How far a unit is from systemd's start limit. systemd counts starts, by hand or automatic, and forgets them when
 * the interval that began with the first is over, at `reset-failed`, at `daemon-reload` and at boot. It does not
 * show its count, so this rests on the journal.
 */
export interface StartLimit {
  /** 0 if there is no limit. */
  burst: number;
  intervalSeconds: number;
  /** At most this many starts are counted now: resets leave no trace. null if the journal cannot be read. */
  startsUsed: number | null;
  /** systemd refuses to start it. */
  hit: boolean;
  /** Until systemd would start it again by itself or by hand; null if not hit or not known. */
  secondsLeft: number | null;
}

/** systemd's id of the event "a unit was started" (SD_MESSAGE_UNIT_STARTED). */
const STARTED = '39f53479d3a045ac8e11786248231fbf';
const REFUSED = 'Start request repeated too quickly';

/**
 * Computes how far a unit is from the limit, from systemd's messages about it since boot.
 * @param events of this unit, and systemd's notices of reloads, oldest first; null if not readable
 */
export function startLimit(unit: UnitState, events: readonly JournalEntry[] | null, now: Date): StartLimit {
  const {burst, intervalSeconds} = unit.startLimit;
  const unlimited = burst === 0 || intervalSeconds === 0;
  const limit = {burst: unlimited ? 0 : burst, intervalSeconds};
  if (unlimited) return {...limit, startsUsed: 0, hit: false, secondsLeft: null};
  if (events === null) {
    return {...limit, startsUsed: null, hit: hitWithoutJournal(unit), secondsLeft: null};
  }

  const {starts, refused} = readEvents(events);
  const age = (at: number) => (now.getTime() - at) / 1000;
  const isRecent = (at: number) => age(at) < intervalSeconds;
  // If a start was refused, the interval began with the first of the last `burst` that were not, whatever was
  // reset before.
  const secondsLeft = intervalSeconds - age(starts.at(-burst) ?? now.getTime());
  const hit = unit.active === 'failed' && refused && secondsLeft > 0;
  return {
    ...limit,
    startsUsed: Math.min(burst, Math.max(starts.filter(isRecent).length, runsSince(unit, isRecent))),
    hit,
    secondsLeft: hit && starts.length >= burst ? Math.ceil(secondsLeft) : null,
  };
}

/** 1 if the unit runs since a recent start, which may not be in the journal yet; 0 if it does not. */
function runsSince({active, since}: UnitState, isRecent: (at: number) => boolean): number {
  return active === 'active' && since !== null && isRecent(since.getTime()) ? 1 : 0;
}

/** The moments at which the unit was started, and whether the last try was refused and nothing has been reset since. */
function readEvents(events: readonly JournalEntry[]): {starts: number[]; refused: boolean} {
  const starts: number[] = [];
  let refused = false;
  for (const {at, message, messageId} of events) {
    if (messageId === STARTED) starts.push(at.getTime());
    if (messageId === STARTED || isReload(message)) refused = false;
    else if (message.includes(REFUSED)) refused = true;
  }
  return {starts, refused};
}

/** Whether systemd says that it reads its unit files again, which makes it forget the starts that it counted. */
export function isReload(message: string): boolean {
  return /^Reloading\b/.test(message);
}

/** A crash loop ends with the result of the crash, not with `start-limit-hit`; then the restarts show it. */
function hitWithoutJournal({active, result, restarts, startLimit: {burst}}: UnitState): boolean {
  return active === 'failed' && (result === 'start-limit-hit' || restarts >= burst);
}

/** `3 starts in 1d`. */
export function limitText({burst, intervalSeconds}: StartLimit): string {
  return `${burst} starts in ${formatDuration(intervalSeconds)}`;
}

/** How far a unit is from systemd's start limit; from its state alone if the journal cannot be read. */
export async function readStartLimit(unit: UnitState, scope: Scope, now: Date): Promise<StartLimit> {
  const {burst, intervalSeconds} = unit.startLimit;
  if (burst === 0 || intervalSeconds === 0) return startLimit(unit, [], now);
  try {
    const events = await eventsOf(unit, scope, new Date(now.getTime() - intervalSeconds * 1000));
    return startLimit(unit, events, now);
  } catch (error) {
    if (error instanceof AtomctlError) return startLimit(unit, null, now);
    throw error;
  }
}

/** systemd's messages about the unit since boot, when the count starts, and about its own reloads after that. */
async function eventsOf(unit: UnitState, scope: Scope, since: Date): Promise<JournalEntry[]> {
  const query = {scope, eventsOnly: true, thisBoot: true};
  const events = await collectJournal({...query, units: [unit.name], since});
  const last = events.at(-1);
  if (unit.active !== 'failed' || last === undefined) return events;
  // Reloads are logged for no unit: only those after the last event matter.
  const reloads = await collectJournal({...query, units: [], since: last.at});
  return [...events, ...reloads.filter(({at, message}) => at > last.at && isReload(message))];
}
