import {execFileSync} from 'node:child_process';
import {describe, expect, it} from 'vitest';
import {createSiteTime} from '../../../src/atom/site-time.ts';
import {phpIsInstalled} from '../../support/php/installed-php.ts';

const vancouver = createSiteTime('America/Vancouver', process.env);

describe('a wall-clock time', () => {
  it.each([
    ['in winter', '2026-11-23 02:42:45', '2026-11-23T02:42:45-08:00'],
    ['in summer', '2026-07-01 00:00:00', '2026-07-01T00:00:00-07:00'],
    ['in the gap', '2026-03-08 02:30:00', '2026-03-08T03:30:00-07:00'],
    ['in the repeated hour: its second time', '2025-11-02 01:30:00', '2025-11-02T01:30:00-08:00'],
    ['behind the overlap', '2025-11-02 02:00:00', '2025-11-02T02:00:00-08:00'],
  ])('%s', (_, wall, iso) => {
    expect(vancouver.toIso(wall)).toBe(iso);
    expect(vancouver.toEpochMs(wall)).toBe(Date.parse(iso));
  });

  it.each([
    ['in the repeated hour, the first', '2025-11-02 01:30:00', '2025-11-02T01:30:00-07:00'],
    ['in an hour that came once, the same', '2026-11-23 02:42:45', '2026-11-23T02:42:45-08:00'],
    ['before the overlap, the same', '2025-11-02 00:59:59', '2025-11-02T00:59:59-07:00'],
  ])('at its earliest: %s', (_, wall, iso) => {
    expect(vancouver.toEarliestMs(wall)).toBe(Date.parse(iso));
    expect(vancouver.toEarliestMs('0000-00-00 00:00:00')).toBeNaN();
  });

  it('comes back from its instant', () => {
    for (const wall of [
      '2026-11-23 02:42:45',
      '2026-03-08 03:00:00',
      '2025-11-02 01:30:00',
      '1999-12-31 23:59:59',
    ]) {
      expect(vancouver.toWall(new Date(vancouver.toEpochMs(wall)))).toBe(wall);
    }
    expect(vancouver.toWall(new Date('2026-11-23T10:42:45.999Z'))).toBe('2026-11-23 02:42:45');
  });

  it.each([
    [
      'in the first pass, at its begin',
      'America/Vancouver',
      '2025-11-02T01:40:00-07:00',
      '2025-11-02 01:00:00',
    ],
    ['in the second pass, itself', 'America/Vancouver', '2025-11-02T01:40:00-08:00', '2025-11-02 01:40:00'],
    [
      'before the repeated hour, itself',
      'America/Vancouver',
      '2025-11-02T00:59:59-07:00',
      '2025-11-02 00:59:59',
    ],
    [
      'in a repeated half hour, at its begin',
      'Australia/Lord_Howe',
      '2026-04-05T01:45:00+11:00',
      '2026-04-05 01:30:00',
    ],
    ['at a skipped hour, behind it', 'America/Vancouver', '2026-03-08T10:00:00Z', '2026-03-08 03:00:00'],
  ])('bounds what is surely earlier: %s', (_, zone, instant, wall) => {
    const time = createSiteTime(zone, process.env);
    expect(time.wallBefore(new Date(instant))).toBe(wall);
    expect(time.toEpochMs(wall)).toBeGreaterThanOrEqual(Date.parse(instant));
  });

  it('goes by its own zone', async () => {
    const kolkata = createSiteTime('Asia/Kolkata', process.env);
    expect(kolkata.zone).toBe('Asia/Kolkata');
    expect(kolkata.toIso('2026-01-01 00:00:00')).toBe('2026-01-01T00:00:00+05:30');
    expect(createSiteTime('UTC', process.env).toIso('2026-01-01 00:00:00')).toBe('2026-01-01T00:00:00+00:00');
  });

  it.each([
    '0000-00-00 00:00:00',
    '2026-02-30 00:00:00',
    '2026-01-01',
    '2026-01-01 24:00:00',
    '',
    'soon',
    '2026-01-01 00:00:00[UTC]',
  ])('%j is none', (wall) => {
    expect(vancouver.toIso(wall)).toBeNull();
    expect(vancouver.toEpochMs(wall)).toBeNaN();
  });
});

it('is what PHP makes of the same wall-clock text', async ({skip}) => {
  skip(!phpIsInstalled(), 'php is not installed');
  const zones = [
    'America/Vancouver',
    'Europe/London',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
    'America/Sao_Paulo',
    // Changed its clock a minute past midnight; left out a whole day.
    'America/St_Johns',
    'Pacific/Apia',
  ];
  const walls = [
    '2024-03-31 01:30:00',
    '2025-10-05 02:10:00',

    '2026-03-08 02:30:00',
    '2018-11-04 00:15:00',
    '2026-06-30 23:59:59',
    '2011-03-13 00:00:30',
    '2011-03-13 00:01:30',
    '2011-12-30 10:20:00',
  ];
  // No time that a zone has twice: PHP takes the second in London, and the first everywhere else.
  const program = `foreach (json_decode($argv[1]) as [$zone, $wall]) {
    $times[] = (new DateTime($wall, new DateTimeZone($zone)))->format('c');
  }
  echo json_encode($times);`;
  const pairs = zones.flatMap((zone) => walls.map((wall) => [zone, wall] as const));
  const expected = JSON.parse(
    execFileSync('php', ['-n', '-r', program, '--', JSON.stringify(pairs)], {encoding: 'utf8'}),
  );
  const times = await Promise.all(
    pairs.map(async ([zone, wall]) => createSiteTime(zone, process.env).toIso(wall)),
  );
  expect(times).toEqual(expected);
});
