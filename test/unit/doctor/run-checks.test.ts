import {expect, it} from 'vitest';
import {createSiteTime} from '../../../src/atom/site-time.ts';
import {collectSiteEvidence, type SiteAccess, type SiteEvidence} from '../../../src/doctor/evidence.ts';
import {type Finding, overallStatus} from '../../../src/doctor/finding.ts';
import {applyFixes, LOST_JOBS, planFixes, whyNothing} from '../../../src/doctor/fix.ts';
import {CHECK_IDS, runChecks} from '../../../src/doctor/run-checks.ts';
import {AtomctlError, usageError} from '../../../src/errors.ts';
import {BY_HAND} from '../../../src/host-commands.ts';
import {NO_WAIT, quietFacts} from '../../support/quiet-host.ts';

const refused = new AtomctlError('DATABASE_UNREACHABLE', 'Nobody answers.', {hint: 'Start it.'});
const noSystemd = new AtomctlError('SYSTEMD_UNAVAILABLE', 'systemd does not run on this machine.');

/** A site of which nothing can be reached. */
const UNREACHABLE: SiteAccess = {
  database: async () => {
    throw refused;
  },
  databaseConfig: async () => {
    throw refused;
  },
  servers: async () => [
    {
      address: {host: 'gearman.example', port: 4730},
      error: new AtomctlError(
        'GEARMAN_UNREACHABLE',
        'Gearman server gearman.example:4730 cannot be reached.',
      ),
    },
  ],
  manager: {
    services: async () => {
      throw noSystemd;
    },
  } as unknown as SiteAccess['manager'],
  commands: BY_HAND,
  readLimit: async () => {
    throw noSystemd;
  },
  time: createSiteTime('UTC', process.env),
  now: () => new Date(0),
  ...quietFacts(null),
  recheck: {wait: NO_WAIT, firstSeen: new Map()},
  prefixOrigin: 'not found',
  otherPrefixes: [],
  foreignPrefixes: async () => new Set(),
  zoneOrigin: 'settings.yml',
  clock: async () => ({uncertaintyMs: 0, reason: 'It was observed.', aheadMs: 0}),
  systemOffsetMs: async () => null,
  root: '/no/atom',
  prefix: null,
  workerTypes: {},
  rootOfOtherDatabase: async () => false,
  searchServers: async () => [],
  account: async () => null,
  timeoutSeconds: 1,
  downloads: null,
  stuckAfterSeconds: 3600,
};

it('names what cannot be reached, and skips what depends on it', async () => {
  const findings = await runChecks(collectSiteEvidence(UNREACHABLE));
  const reported = findings.filter(({state}) => state !== 'skipped').map(({id, state}) => `${id}: ${state}`);
  expect(reported).toEqual([
    'database: critical',
    'gearman-servers: critical',
    'stale-cache: ok',
    'clock: ok',
  ]);
  const examined = findings.filter(({state}) => state !== 'skipped').map(({id, state}) => `${id}: ${state}`);
  expect(examined).toEqual([
    'database: critical',
    'gearman-servers: critical',
    'stale-cache: ok',
    'clock: ok',
  ]);
  expect(findings).toHaveLength(CHECK_IDS.length);
  expect(findings[0]).toEqual({
    id: 'database',
    state: 'critical',
    title: 'Database server',
    evidence: 'Nobody answers.',
    consequence: expect.any(String),
    remedy: 'Start it.',
  });
  const reasons = new Map(findings.map(({id, evidence}) => [id, evidence]));
  expect(reasons.get('lost-jobs')).toBe('The database cannot be reached.');
  expect(reasons.get('job-classes')).toBe('No Gearman server answers.');
  expect(reasons.get('gearmand-queue')).toBe('No Gearman server of this site runs on this host.');
  expect(reasons.get('worker-unit')).toBe('systemd does not run on this machine.');
});

it('makes only the checks that were chosen', async () => {
  const only = await runChecks(collectSiteEvidence(UNREACHABLE), {
    only: ['orphans', 'schema'],
    skip: ['schema'],
  });
  expect(only).toEqual([expect.objectContaining({id: 'orphans'})]);
});

it.each([
  [['lost-jobs', 'orphans'], 'Nobody answers.'],
  [['job-classes', 'idle-workers'], 'Gearman server gearman.example:4730 cannot be reached.'],
])(
  'of %s alone, the first says what could not be reached, and the other is skipped',
  async (only, message) => {
    const findings = await runChecks(collectSiteEvidence(UNREACHABLE), {only});
    expect(findings).toEqual([
      expect.objectContaining({
        state: 'warning',
        evidence: message,
        consequence: 'This check was not possible.',
      }),
      expect.objectContaining({state: 'skipped'}),
    ]);
    expect(await planFixes(collectSiteEvidence(UNREACHABLE), findings)).toEqual([]);
  },
);

it('says of a fix that it could not reach the database', async () => {
  const {signal} = new AbortController();
  const site = collectSiteEvidence(UNREACHABLE);
  const steps = async function* (fresh: SiteEvidence) {
    await fresh.database();
    yield 1;
  };
  const fixes = [{fix: LOST_JOBS, plan: '1 lost job would be marked as an error.', steps}];
  expect(await applyFixes({fixes, site, by: 'me@host', signal})).toEqual([
    {
      id: 'lost-jobs',
      count: 0,
      message: '0 lost jobs marked as errors.',
      error: 'Nobody answers. Start it.',
    },
  ]);
});

it('leaves a wrong setting to be reported as a usage error', async () => {
  const access = {
    ...UNREACHABLE,
    database: async () => {
      throw usageError('The CA file is missing.');
    },
  };
  await expect(runChecks(collectSiteEvidence(access))).rejects.toThrow('The CA file is missing.');
});

it('takes a failure in the middle for a warning', async () => {
  const access = {
    ...UNREACHABLE,
    servers: async () => {
      throw new AtomctlError('GEARMAN_PROTOCOL', 'It speaks in tongues.', {hint: 'Ask again.'});
    },
  };
  const [finding] = await runChecks(collectSiteEvidence(access), {only: ['idle-workers']});
  expect(finding).toMatchObject({
    state: 'warning',
    evidence: 'It speaks in tongues.',
    consequence: 'This check was not possible.',
    remedy: 'Ask again.',
  });
});

it('has names for its checks that scripts can rely on', () => {
  expect(new Set(CHECK_IDS).size).toBe(CHECK_IDS.length);
  for (const id of CHECK_IDS) expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
});

it.each([
  [[], 'ok'],
  [['ok', 'skipped'], 'ok'],
  [['warning', 'ok'], 'warning'],
  [['warning', 'critical', 'skipped'], 'critical'],
] as const)('%s comes to %s', (states, status) => {
  expect(overallStatus(states.map((state) => ({state}) as Finding))).toBe(status);
});

it('says which checks were not possible instead of that there is nothing to fix', async () => {
  const found = (id: string, change: Partial<Finding> = {}): Finding => ({
    ...{id, state: 'ok', title: id, evidence: 'Well.', consequence: null, remedy: null},
    ...change,
  });
  expect(whyNothing([found('lost-jobs'), found('clock', {state: 'skipped'})])).toBe('Nothing to fix.');
  expect(whyNothing([found('lost-jobs', {state: 'skipped'}), found('orphans')])).toBe(
    'The check lost-jobs was not possible, so nothing was fixed.',
  );
  const site = collectSiteEvidence(UNREACHABLE);
  expect(whyNothing(await runChecks(site, {only: ['database', 'lost-jobs', 'orphans']}))).toBe(
    'The checks lost-jobs, orphans were not possible, so nothing was fixed.',
  );
  // Without the check of the connection, the failure is the finding of each.
  const alone = await runChecks(collectSiteEvidence(UNREACHABLE), {only: ['orphans']});
  expect([alone[0]!.state, whyNothing(alone)]).toEqual([
    'warning',
    'The check orphans was not possible, so nothing was fixed.',
  ]);
});

it('says of a silent Gearman server what happens to its jobs if it ended, and if it did not', async () => {
  const [found] = await runChecks(collectSiteEvidence(UNREACHABLE), {only: ['gearman-servers']});
  expect(found!.consequence).toMatch(/ended and kept its queue in memory .* are gone\. .* still has them\.$/);
  expect(found!.consequence).not.toContain('lost');
});
