import {describe, expect, it} from 'vitest';
import {createSiteTime} from '../../../src/atom/site-time.ts';
import {parseAge, parseWhen} from '../../../src/atom/when.ts';

const vancouver = createSiteTime('America/Vancouver', process.env);
const NOW = new Date('2026-11-26T14:05:00-08:00');

function wallOf(text: string, now = NOW, time = vancouver): string {
  return parseWhen(text, {origin: '--since', time, now}).wall;
}

describe('WHEN', () => {
  it.each([
    ['2026-11-23', '2026-11-23 00:00:00'],
    ['2026-11-23T14:30', '2026-11-23 14:30:00'],
    ['2026-11-23 14:30:05', '2026-11-23 14:30:05'],
    [' 2026-11-23t14:30:05.75 ', '2026-11-23 14:30:05'],
    ['2026-11-23T14:30Z', '2026-11-23 06:30:00'],
    ['2026-11-23T14:30:00+01:00', '2026-11-23 05:30:00'],
    ['2026-11-23T14:30:00+0100', '2026-11-23 05:30:00'],
    ['2026-07-01T00:00:00-07', '2026-07-01 00:00:00'],
    ['2026-11-23T02:42:45-08:00', '2026-11-23 02:42:45'],
    ['2026-03-08T02:30', '2026-03-08 02:30:00'],
    ['2026-10', '2026-10-01 00:00:00'],
    ['today', '2026-11-26 00:00:00'],
    ['Yesterday', '2026-11-25 00:00:00'],
    ['now', '2026-11-26 14:05:00'],
    ['90m', '2026-11-26 12:35:00'],
    ['2h ago', '2026-11-26 12:05:00'],
    ['2 hours ago', '2026-11-26 12:05:00'],
    ['-1h', '2026-11-26 13:05:00'],
    ['7d', '2026-11-19 14:05:00'],
    ['1 week ago', '2026-11-19 14:05:00'],
  ])('%s', (text, wall) => {
    expect(wallOf(text)).toBe(wall);
  });

  it.each([
    'tomorrow',
    'soon',
    '90M',
    '1y ago',
    'ago',
    '2026-13',
    '2026-13-01',
    '2026-02-30',
    '23.11.2026',
    '2026-11-23Z',
    '2026-11-23T25:00',
    '2026-11-23T10',
    '2026-11-23T10:00+99:00',
    '',
  ])('refuses %j', (text) => {
    expect(() => wallOf(text)).toThrow(`"${text}" (--since) is not a valid date or time.`);
  });

  it.each([
    [
      'today, shortly after midnight UTC, is the day of the site',
      'today',
      '2026-11-25T17:00:00-08:00',
      '2026-11-25 00:00:00',
    ],
    ['today on the day of 23 hours', 'today', '2026-03-08T23:30:00-07:00', '2026-03-08 00:00:00'],
    [
      'yesterday, early after the day of 23 hours',
      'yesterday',
      '2026-03-09T00:30:00-07:00',
      '2026-03-08 00:00:00',
    ],
    [
      'yesterday, late after the day of 25 hours',
      'yesterday',
      '2025-11-03T23:30:00-08:00',
      '2025-11-02 00:00:00',
    ],
    ['yesterday on the first of a month', 'yesterday', '2026-03-01T10:00:00-08:00', '2026-02-28 00:00:00'],
    ['an age over the hour that was skipped', '2h', '2026-03-08T04:00:00-07:00', '2026-03-08 01:00:00'],
    ['an age over the hour that came twice', '3h', '2025-11-02T03:00:00-08:00', '2025-11-02 01:00:00'],
    ['a day is 24 hours as an age', '1d', '2025-11-02T12:00:00-08:00', '2025-11-01 13:00:00'],
    [
      'now, the second time that the clock shows it',
      'now',
      '2025-11-02T01:40:00-08:00',
      '2025-11-02 01:40:00',
    ],
    // A stored time in that hour means its second pass: all of it is later.
    ['now, the first time', 'now', '2025-11-02T01:40:00-07:00', '2025-11-02 01:00:00'],
    [
      'an offset in the first pass',
      '2025-11-02T01:30:00-07:00',
      '2026-01-01T00:00:00Z',
      '2025-11-02 01:00:00',
    ],
    [
      'an offset in the second pass',
      '2025-11-02T01:30:00-08:00',
      '2026-01-01T00:00:00Z',
      '2025-11-02 01:30:00',
    ],
  ])('%s', (_, text, now, wall) => {
    expect(wallOf(text, new Date(now))).toBe(wall);
  });

  it('begins a day at midnight also where the clock skipped it, and by the calendar where it skipped a day', () => {
    const saoPaulo = createSiteTime('America/Sao_Paulo', process.env);
    expect(wallOf('today', new Date('2018-11-04T12:00:00-02:00'), saoPaulo)).toBe('2018-11-04 00:00:00');
    const apia = createSiteTime('Pacific/Apia', process.env);
    expect(wallOf('yesterday', new Date('2011-12-31T10:00:00+14:00'), apia)).toBe('2011-12-30 00:00:00');
  });

  it('is an instant too: of a time that came twice the first, so that nothing is left out from it on', () => {
    const msOf = (text: string, now = NOW) => parseWhen(text, {origin: '--since', time: vancouver, now}).ms;
    expect(msOf('2025-11-02 01:30')).toBe(Date.parse('2025-11-02T01:30:00-07:00'));
    expect(msOf('10m', new Date('2025-11-02T01:40:00-07:00'))).toBe(Date.parse('2025-11-02T01:30:00-07:00'));
  });
});

describe('AGE', () => {
  it.each([
    ['45s', 45],
    ['30m', 1800],
    ['12h', 43_200],
    ['90d', 7_776_000],
    ['90 days', 7_776_000],
    ['2w', 1_209_600],
    [' 0d ', 0],
  ])('%s', (text, seconds) => {
    expect(parseAge(text, '--older-than')).toBe(seconds);
  });

  it.each(['90', 'd', '-1d', '1.5h', '1y', '3 months', '1h30m', '1h ago', '999999999d', ''])(
    'refuses %j',
    (text) => {
      expect(() => parseAge(text, '--older-than')).toThrow(`Invalid age "${text}" (--older-than).`);
    },
  );
});
