import type {Job} from '../../../src/jobs/model/job.ts';

/** A job of which a test cares for some properties only. */
export function aJob(some: Partial<Job> = {}): Job {
  return {
    id: 1,
    name: 'arFindingAidJob',
    status: 'running',
    live: null,
    likely: null,
    liveReason: null,
    startedAt: null,
    begunAt: null,
    finishedAt: null,
    durationSeconds: null,
    waitedSeconds: null,
    user: null,
    userId: null,
    objectId: null,
    objectType: null,
    objectSlug: null,
    downloadPath: null,
    notes: [],
    ...some,
  };
}
