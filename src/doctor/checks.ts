import type {Check} from './check.ts';
import {DATABASE_CHECKS} from './database-checks.ts';
import {DOWNLOAD_CHECKS} from './download-checks.ts';
import {GEARMAN_CHECKS} from './gearman-checks.ts';
import {GEARMAND_CHECKS} from './gearmand-checks.ts';
import {HISTORY_CHECKS} from './history-checks.ts';
import {ORPHAN_CHECKS} from './orphan-checks.ts';
import {RUNNING_JOB_CHECKS} from './running-job-checks.ts';
import {SITE_CHECKS} from './site-checks.ts';
import {WORKER_UNIT_CHECKS} from './worker-unit-checks.ts';

/** All that the doctor looks at, in the order in which it tells: first what the rest depends on. */
export const CHECKS: readonly Check[] = [
  ...DATABASE_CHECKS,
  ...GEARMAN_CHECKS,
  ...GEARMAND_CHECKS,
  ...SITE_CHECKS,
  ...WORKER_UNIT_CHECKS,
  ...RUNNING_JOB_CHECKS,
  ...HISTORY_CHECKS,
  ...ORPHAN_CHECKS,
  ...DOWNLOAD_CHECKS,
];

export const CHECK_IDS = CHECKS.map(({id}) => id);
