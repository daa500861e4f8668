import {AtomctlError} from '../errors.ts';
import {collectJournal, type JournalEntry} from '../systemd/journal.ts';
import type {Scope} from '../systemd/service-manager.ts';
import type {UnitState} from '../systemd/unit-state.ts';
import {isReload, type StartLimit, startLimit} from './start-limit.ts';

/** Where a unit stands with systemd's start limit; from its state alone where the journal cannot be read. */
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

/** What systemd said of the unit since boot, where the count starts, and of its own reloads after that. */
async function eventsOf(unit: UnitState, scope: Scope, since: Date): Promise<JournalEntry[]> {
  const query = {scope, eventsOnly: true, thisBoot: true};
  const events = await collectJournal({...query, units: [unit.name], since});
  const last = events.at(-1);
  if (unit.active !== 'failed' || last === undefined) return events;
  // Reloads are logged for no unit: only those after the last event matter.
  const reloads = await collectJournal({...query, units: [], since: last.at});
  return [...events, ...reloads.filter(({at, message}) => at > last.at && isReload(message))];
}
