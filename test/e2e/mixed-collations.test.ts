import {expect, test} from 'vitest';
import {runAtomctl} from '../support/sandbox.ts';
import {insertLost, submitJobs} from '../support/site/queue-site.ts';
import {useQueueSite} from '../support/site/use-queue-site.ts';
import {insertAllKinds} from '../support/site/whole-site.ts';

const {at} = await useQueueSite();

test.each(['utf8mb4_general_ci', 'utf8mb4_unicode_520_ci'])(
  'tables that differ in their collations, as after an upgrade: every command reads them (%s)',
  async (collation) => {
    const tables = await at.site.query<{name: string}>(
      "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND (TABLE_NAME LIKE '%\\_i18n' OR TABLE_NAME IN ('slug', 'user'))",
    );
    for (const {name} of tables)
      await at.site.query(`ALTER TABLE \`${name}\` CONVERT TO CHARACTER SET utf8mb4 COLLATE ${collation}`);
    const {error} = await insertAllKinds(at.site);
    const lost = await insertLost(at.site);
    const [queued] = await submitJobs(at, 1);
    const commands: [status: number, ...args: (string | number)[]][] = [
      [0, 'jobs:list', '--grep', 'e', '--user', 'alice'],
      [0, 'jobs:list', '--json'],
      [0, 'jobs:show', error],
      [0, 'jobs:why', queued!],
      [0, 'jobs:stats'],
      [0, 'jobs:export-csv'],
      [5, 'jobs:retry', lost, '--dry-run'],
      [0, 'jobs:mark', lost, '--as', 'error', '--force', '--yes'],
      [0, 'jobs:kill', queued!, '--yes'],
      [0, 'report', '-'],
      [1, 'doctor'],
      [0, 'jobs:clear', '--yes', '--grep', 'e'],
    ];
    for (const [status, ...args] of commands) {
      const {code, stderr, stdout} = await runAtomctl(args.map(String), {env: at.site.env});
      expect([args[0], code, stderr]).toEqual([args[0], status, expect.not.stringMatching(/collation/i)]);
      expect(stdout).not.toMatch(/illegal mix|COLLATION/i);
    }
  },
);
