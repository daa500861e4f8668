import type {Job} from '../jobs/job.ts';
import {renderJobOverview} from './job-details.ts';
import {renderDeleted, renderOutcome} from './outcome.ts';
import type {Screen} from './screen.ts';

/** What stands before the log that is to follow. */
export function renderFollowed(job: Job, screen: Screen): string {
  return renderJobOverview({...job, lastActivityAt: null}, screen);
}

/** What stands after the log. */
export function renderFollowEnd(job: Job, end: 'finished' | 'lost' | 'deleted', screen: Screen): string {
  return `\n${end === 'deleted' ? renderDeleted(job.id) : renderOutcome(job, screen)}`;
}
