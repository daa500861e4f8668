import type {ClearOptions} from '../../../src/jobs/clear/clear-rows.ts';

/** A clear of rows alone that nobody hurries, watches or interrupts. */
export const PLAIN_CLEAR: Omit<ClearOptions, 'database' | 'plan'> = {
  downloads: null,
  batchSize: null,
  pauseSeconds: 0,
  replicas: null,
  signal: new AbortController().signal,
  onProgress: () => {},
  checkLock: async () => {},
};
