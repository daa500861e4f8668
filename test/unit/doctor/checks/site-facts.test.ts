import {createHash} from 'node:crypto';
import {describe, expect, it} from 'vitest';
import {createSiteTime} from '../../../../src/atom/site-time.ts';
import {CLOCK_CHECKS} from '../../../../src/doctor/checks/clock.ts';
import {PREFIX_CHECKS} from '../../../../src/doctor/checks/prefixes.ts';
import type {Check, SiteAccess, SiteEvidence} from '../../../../src/doctor/evidence.ts';
import {NotAvailable} from '../../../../src/doctor/finding.ts';

const HOUR_MS = 3_600_000;
const md5 = (text: string) => createHash('md5').update(text).digest('hex');

describe('clock', () => {
  const check = (access: Partial<SiteAccess>, rows: {id: number; start: string}[] | null = []) => {
    const site = {
      access: {
        time: createSiteTime('America/Vancouver', process.env),
        now: () => new Date('2026-11-25T20:00:00Z'),
        zoneOrigin: '/atom/apps/qubit/config/settings.yml',
        clock: async () => ({uncertaintyMs: 0, aheadMs: 0, reason: 'It was observed.'}),
        systemOffsetMs: async () => -8 * HOUR_MS,
        ...access,
      },
      database: async () => {
        if (rows === null) throw new NotAvailable('The database cannot be reached.');
        return {query: async () => rows};
      },
    };
    return (CLOCK_CHECKS[0] as Check).run(site as unknown as SiteEvidence);
  };

  it('is ok if zone data agree and no start lies in the future, also without a database', async () => {
    const evidence = 'America/Vancouver (/atom/apps/qubit/config/settings.yml). It was observed.';
    expect(await check({})).toEqual({state: 'ok', evidence});
    expect(await check({}, null)).toEqual({state: 'ok', evidence});
    expect(await check({systemOffsetMs: async () => null})).toEqual({state: 'ok', evidence});
  });

  it('reports zone data of the system and of Node that differ', async () => {
    const unseen = {
      clock: async () => ({uncertaintyMs: 26 * HOUR_MS, aheadMs: null, reason: 'Not observed.'}),
    };
    const behind = {...unseen, systemOffsetMs: async () => -7 * HOUR_MS};
    expect(await check(behind)).toEqual({
      state: 'warning',
      evidence:
        'The zone data of this system and of Node differ by 1h for America/Vancouver now; PHP uses the data of the system, or its own.',
      consequence: expect.stringMatching(/^Ages and durations are wrong by 1h, /),
      remedy:
        'update the older one: the timezone data of the system (package tzdata) or Node; until then, if PHP uses the data of the system: --timezone Etc/GMT+7',
    });
    // A start in the future follows from them.
    const {remedy} = await check(behind, [{id: 7, start: '2026-11-25 12:59:00'}]);
    expect(remedy).not.toContain('default_timezone');
    const quarter = await check({...unseen, systemOffsetMs: async () => -7.75 * HOUR_MS});
    expect(quarter.remedy).not.toContain('--timezone');
  });

  it('says nothing of zone data if the journal shows that PHP has those of Node', async () => {
    expect((await check({systemOffsetMs: async () => -7 * HOUR_MS})).state).toBe('ok');
  });

  it('takes a start in the hour that comes twice for the reading that has come (T11)', async () => {
    const clock = {now: () => new Date('2026-11-01T09:10:00Z')};
    const start = '2026-11-01 01:40:00';
    const vancouver = {...clock, systemOffsetMs: async () => null};
    expect((await check(vancouver, [{id: 7, start}])).state).toBe('ok');
    expect((await check(vancouver, [{id: 7, start: '2026-11-01 02:40:00'}])).state).toBe('warning');
  });

  it("reports what the worker's journal shows", async () => {
    const observed = {uncertaintyMs: 26 * HOUR_MS, aheadMs: HOUR_MS, reason: 'The clocks differ by 1 hour.'};
    expect(await check({clock: async () => observed})).toMatchObject({
      state: 'warning',
      evidence: 'The clocks differ by 1 hour.',
    });
    const unsure = {...observed, aheadMs: null, reason: 'Not observed.'};
    expect(await check({clock: async () => unsure})).toMatchObject({
      state: 'ok',
      evidence: expect.stringContaining('Not observed.'),
    });
  });

  it('names jobs whose start lies in the future', async () => {
    const {state, evidence} = await check({}, [{id: 7, start: '2026-11-26 05:00:00'}]);
    expect([state, evidence]).toEqual([
      'warning',
      'In the timezone America/Vancouver it is 2026-11-25 12:00:00, but the start of job 7 (2026-11-26 05:00:00) is in the future.',
    ]);
  });

  it('C3: reports a zone that nothing names', async () => {
    expect(await check({zoneOrigin: 'default'})).toMatchObject({
      state: 'warning',
      evidence: 'No default_timezone was found, so atomctl assumes America/Vancouver.',
    });
  });
});

describe('other-prefixes', () => {
  const row = (name: string, total: number, running: number, workers: number) => ({
    function: name,
    total,
    running,
    workers,
  });
  const OWN = `${md5('own')}-arFindingAidJob`;
  const OLD = `${md5('old')}-arFindingAidJob`;
  const check = (functions: ReturnType<typeof row>[], access: Partial<SiteAccess> = {}) => {
    const site = {
      access: {
        prefix: md5('own'),
        prefixOrigin: '/atom',
        otherPrefixes: [],
        foreignPrefixes: async () => new Set([md5('neighbour')]),
        ...access,
      },
      answering: async () => [{address: 'h:4730', functions, connections: []}],
    };
    return (PREFIX_CHECKS[0] as Check).run(site as unknown as SiteEvidence);
  };

  it("is ok for this site's prefix, known ones, other programs and functions that are left over", async () => {
    const functions = [
      row(OWN, 3, 1, 1),
      row(`${md5('neighbour')}-arFileImportJob`, 9, 0, 0),
      row('normalize_v1.0', 5, 0, 0),
      row(`${md5('program')}-encode`, 5, 0, 0),
      row(OLD, 0, 0, 0),
    ];
    expect((await check(functions)).state).toBe('ok');
  });

  it('names idle workers of unknown sites without a warning', async () => {
    expect(await check([row(OLD, 0, 0, 1)])).toEqual({
      state: 'ok',
      evidence: `Workers of unknown sites are connected, without jobs: Prefix ${md5('old')}.`,
    });
  });

  it('warns of jobs under another prefix, and says if nobody takes them', async () => {
    const waiting = await check([row(OLD, 3, 1, 0), row(`${md5('old')}-arObjectMoveJob`, 1, 0, 0)]);
    expect(waiting).toMatchObject({
      state: 'warning',
      evidence: `Prefix ${md5('old')}: 3 jobs waiting, 1 running, without a worker.`,
      consequence: expect.stringContaining('No worker runs the jobs'),
    });
    const served = await check([row(OLD, 1, 1, 2), row('arFileImportJob', 1, 0, 1)], {
      otherPrefixes: [md5('old')],
    });
    expect(served.evidence).toBe(
      `Prefix ${md5('old')} (also of this site, from its cache or another environment): 0 jobs waiting, 1 running, with 2 workers. No prefix: 1 job waiting, 0 running, with 1 worker.`,
    );
    expect(served.consequence).not.toContain('No worker');
  });

  it("names the prefixes if this site's is not known", async () => {
    const unknown = {prefix: null, prefixOrigin: 'not found'};
    expect(await check([row(OLD, 0, 0, 1)], unknown)).toMatchObject({
      state: 'warning',
      remedy: 'Give --function-prefix auto, which uses the only prefix.',
    });
    expect(await check([row(OLD, 0, 0, 1), row(OWN, 0, 0, 1)], unknown)).toMatchObject({
      remedy: `Give the prefix of this site: --function-prefix ${md5('old')}`,
    });
    expect((await check([row(OLD, 1, 0, 1)], unknown)).remedy).toContain(`--function-prefix ${md5('old')}`);
  });
});
