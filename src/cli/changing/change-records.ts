import type {Fixed} from '../../doctor/mend.ts';
import type {ClearPlan} from '../../jobs/clear.ts';
import type {SiteCleared} from '../../jobs/clear-site.ts';
import type {Killed} from '../../jobs/kill.ts';
import type {Change} from './audit.ts';

/** A record for each job that was killed, marked or deleted. What was refused changed nothing. */
export function killRecords(killed: readonly Killed[], reason: string | undefined): Change[] {
  return killed
    .filter(({action, gearman}) => action !== 'refused' || gearman === 'removed' || gearman === 'cancelled')
    .map(({id, was, action, gearman, message}) => ({
      what: {job: id, was, reason},
      result: {action, gearman, message},
    }));
}

/** One record for all that was cleared together. */
export function clearRecords(
  {filter, total}: ClearPlan,
  cleared: SiteCleared,
  exported: string | null,
): Change[] {
  const {byStatus, queueRemoved, downloadsDeleted, interrupted, failure} = cleared;
  return [
    {
      what: {filter, jobs: total},
      result: {
        cleared: cleared.cleared,
        byStatus,
        queueRemoved,
        downloadsDeleted,
        exported,
        interrupted,
        error: failure && {code: failure.code, message: failure.message},
      },
    },
  ];
}

/** A record for each remedy. */
export function mendRecords(fixed: readonly Fixed[]): Change[] {
  return fixed.map(({id, count, message, error}) => ({what: {remedy: id}, result: {count, message, error}}));
}
