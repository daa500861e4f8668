import {describe, expect, it} from 'vitest';
import {createSiteTime} from '../../../../src/atom/site-time.ts';
import {hasFilter, jobFilter} from '../../../../src/cli/flags/filter-flags.ts';

const vancouver = async () => createSiteTime('America/Vancouver', process.env);
/** The second two o'clock of the night in which the clocks go back. */
const NOW = new Date('2025-11-02T10:00:00Z');

describe('jobFilter', () => {
  it('adds the short forms to the statuses, and does not need the zone if no time is given', async () => {
    const noZone = () => Promise.reject(new Error('asked for the zone'));
    await expect(
      jobFilter(
        {status: ['unknown'], running: true, completed: true, failed: true, user: ['-', 'a'], id: [1]},
        noZone,
        NOW,
      ),
    ).resolves.toEqual({
      ids: [1],
      statuses: ['unknown', 'running', 'completed', 'error'],
      names: undefined,
      users: [null, 'a'],
      live: undefined,
    });
  });

  it.each([
    ['1h', '2025-11-02 01:00:00'],
    // One o'clock occurs twice in that night.
    ['2h', '2025-11-02 01:00:00'],
    ['3h', '2025-11-02 00:00:00'],
    ['1d', '2025-11-01 03:00:00'],
  ])(
    'counts an age of %s on the clock of the site, over the night on which it went back',
    async (age, wall) => {
      expect((await jobFilter({'older-than': age}, vancouver, NOW)).olderThan).toBe(wall);
    },
  );

  it('does not count a job of ten minutes as older than an hour, in the hour that comes twice', async () => {
    const now = new Date('2025-11-02T01:40:00-08:00');
    const {olderThan} = await jobFilter({'older-than': '1h'}, vancouver, now);
    expect(olderThan).toBe('2025-11-02 01:00:00');
    expect((await jobFilter({'older-than': '5m'}, vancouver, now)).olderThan).toBe('2025-11-02 01:35:00');
  });

  it("reads since and until as the site's wall clock, an offset converted", async () => {
    const filter = await jobFilter({since: '2025-03-09', until: '2025-03-09T10:30Z'}, vancouver, NOW);
    expect([filter.since, filter.until]).toEqual(['2025-03-09 00:00:00', '2025-03-09 03:30:00']);
  });

  it.each([{since: 'x'}, {until: '2025-13-01'}, {'older-than': '1y'}])(
    'refuses %o and names its flag',
    async (flags) => {
      await expect(jobFilter(flags, vancouver, NOW)).rejects.toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining(`(--${Object.keys(flags)[0]})`),
      });
    },
  );
});

it('hasFilter is true if a filter flag is given', () => {
  for (const flags of [{}, {running: false, name: []}]) expect(hasFilter(flags)).toBe(false);
  for (const flags of [{running: true}, {user: ['-']}, {since: '2025-01-01'}, {live: ['lost' as const]}])
    expect(hasFilter(flags)).toBe(true);
});
