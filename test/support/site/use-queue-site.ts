import {afterAll, afterEach} from 'vitest';
import {type GearmanProcess, startGearmand} from '../servers/gearmand.ts';
import type {WorkerProcess} from '../workers/worker.ts';
import {createQueueSite, emptyQueueSite, type QueueSite} from './queue-site.ts';

/**
 * A gearmand and a site for all tests of a file. After each test the queue is empty, and the workers that the test added to
 * `workers` are gone; after the last one, all is.
 */
export async function useQueueSite(): Promise<{
  gearmand: GearmanProcess;
  at: QueueSite;
  workers: WorkerProcess[];
}> {
  const gearmand = await startGearmand();
  const at = await createQueueSite(gearmand);
  const workers: WorkerProcess[] = [];
  afterEach(() => emptyQueueSite(at, workers));
  afterAll(async () => {
    await at.drop();
    await gearmand.kill();
  });
  return {gearmand, at, workers};
}
