import {describe, expect, it} from 'vitest';
import {createSiteTime} from '../../../../src/atom/site-time.ts';
import {type FilterFlags, hasFilter, jobFilter} from '../../../../src/cli/flags/filter-flags.ts';
import type {Database} from '../../../../src/mysql/database.ts';

const vancouver = createSiteTime('America/Vancouver', process.env);
/** The second two o'clock of the night in which the clocks go back. */
const NOW = new Date('2025-11-02T10:00:00Z');

/** The filter of flags that need no database. */
function filterOf(flags: FilterFlags, now = NOW) {
  const database = () => Promise.reject(new Error('asked for the database'));
  return jobFilter(flags, {time: async () => vancouver, now: () => now, database}, {notice: () => {}});
}

describe('jobFilter', () => {
  it('adds the short forms to the statuses, and asks for neither zone nor database if no value needs them', async () => {
    const unasked = () => Promise.reject(new Error('asked'));
    const flags = {status: ['unknown' as const], running: true, completed: true, failed: true, id: [1]};
    const context = {time: unasked, now: () => NOW, database: unasked};
    await expect(jobFilter(flags, context, {notice: () => {}})).resolves.toEqual({
      ids: [1],
      statuses: ['unknown', 'running', 'completed', 'error'],
    });
  });

  it('takes the values of one parameter as alternatives', async () => {
    const {params} = await filterOf({param: ['a=1', 'b=x=y, z', 'a=2', 'c=']});
    expect(params).toEqual([
      {key: 'a', values: ['1', '2']},
      {key: 'b', values: ['x=y, z']},
      {key: 'c', values: ['']},
    ]);
  });

  it.each([{name: ['']}, {name: ['a', ' , ']}, {user: ['']}, {object: [',']}, {download: ''}, {grep: ' '}])(
    'refuses %o, which a script leaves if its variable is not set',
    async (flags) => {
      await expect(filterOf(flags)).rejects.toMatchObject({
        code: 'USAGE',
        message: `--${Object.keys(flags)[0]} has no value.`,
      });
    },
  );

  it('lists what there is in one line, however hostile, and not more than twenty', async () => {
    const names = ['a\u001b[31m\nb', ...Array.from({length: 20}, (_, index) => `n${index}`)];
    const query = async (sql: string) => (sql.includes('GROUP BY') ? names.map((name) => ({name})) : []);
    const context = {
      time: async () => vancouver,
      now: () => NOW,
      database: async () => ({query}) as unknown as Database,
    };
    const notices: string[] = [];
    await jobFilter({name: ['\u202ex']}, context, {notice: (text) => notices.push(text)});
    expect(notices).toEqual([
      `No job has the name "\\u202ex" or has this text in its name. Names: a\\x1b[31m b, ${names.slice(1, 20).join(', ')} and more.`,
    ]);
  });

  it.each(['x', '=1', ''])('refuses --param %j', async (text) => {
    await expect(filterOf({param: [text]})).rejects.toThrow(`"${text}" (--param) is not KEY=VALUE.`);
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
      expect((await filterOf({'older-than': age})).olderThan).toBe(wall);
    },
  );

  it('does not count a job of ten minutes as older than an hour, in the hour that comes twice', async () => {
    const now = new Date('2025-11-02T01:40:00-08:00');
    const {olderThan} = await filterOf({'older-than': '1h'}, now);
    expect(olderThan).toBe('2025-11-02 01:00:00');
    expect((await filterOf({'older-than': '5m'}, now)).olderThan).toBe('2025-11-02 01:35:00');
  });

  it("reads since and until as the site's wall clock, an offset converted", async () => {
    const filter = await filterOf({since: '2025-03-09', until: '2025-03-09T10:30Z'});
    expect([filter.since, filter.until]).toEqual(['2025-03-09 00:00:00', '2025-03-09 03:30:00']);
  });

  it.each([{since: 'x'}, {until: '2025-13-01'}, {'older-than': '1y'}])(
    'refuses %o and names its flag',
    async (flags) => {
      await expect(filterOf(flags)).rejects.toMatchObject({
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
