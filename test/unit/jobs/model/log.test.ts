import {describe, expect, test} from 'vitest';
import {
  isCut,
  isFinished,
  LOG_CAP,
  lastActivity,
  ownParameters,
  parametersOf,
  parametersTextOf,
  parseLogLines,
  startCount,
} from '../../../../src/jobs/model/log.ts';

function line(time: string, message: string, name = 'arFindingAidJob'): string {
  return `[info] [2026-03-04 ${time}] Job 7 "${name}": ${message}\n`;
}

const JOB = {id: 7, name: 'arFindingAidJob'};

const WHOLE =
  line('10:00:00', 'Job started.') +
  line('10:00:00', 'Parameters: {"id":7,"name":"a \\": Parameters: b","10":1.50}') +
  line('10:00:05', 'First line\nsecond line') +
  line('10:00:09', 'Job finished.');

describe('parseLogLines', () => {
  test('takes each line apart and keeps what continues a message', () => {
    expect(parseLogLines(WHOLE).slice(2)).toEqual([
      {level: 'info', time: '2026-03-04 10:00:05', message: 'First line'},
      {level: null, time: null, message: 'second line'},
      {level: 'info', time: '2026-03-04 10:00:09', message: 'Job finished.'},
    ]);
    expect(parseLogLines('')).toEqual([]);
  });

  test('reads a dated line without a job too', () => {
    expect(parseLogLines('[error] [2026-03-04 10:00:00] Out of memory\r\n')).toEqual([
      {level: 'error', time: '2026-03-04 10:00:00', message: 'Out of memory'},
    ]);
  });
});

describe('parameters', () => {
  test('keep their text, from which the unique key is made', () => {
    expect(parametersTextOf(WHOLE, JOB)).toBe('{"id":7,"name":"a \\": Parameters: b","10":1.50}');
    expect(parametersOf(WHOLE, JOB)).toEqual({id: 7, name: 'a ": Parameters: b', 10: 1.5});
  });

  test("are those of the line that begins with the job's own id and name (T6)", () => {
    const name = 'Report": Parameters: {"id":1}';
    const log = line('10:00:00', 'Job started.', name) + line('10:00:00', 'Parameters: {"id":7}', name);
    expect(parametersTextOf(log, {id: 7, name})).toBe('{"id":7}');
    expect(parametersTextOf(log, JOB)).toBeNull();
    expect(parametersTextOf(WHOLE, {...JOB, id: 77})).toBeNull();
  });

  test('are null before the start and if the log was cut within them', () => {
    expect(parametersOf(line('10:00:00', 'Job started.'), JOB)).toBeNull();
    expect(parametersTextOf('', JOB)).toBeNull();
    expect(parametersOf(line('10:00:00', 'Parameters: {"id":7,"na'), JOB)).toBeNull();
  });

  test("are not taken from a message's second line or from a name", () => {
    expect(parametersTextOf(line('10:00:00', 'Job started.', 'Parameters: {}'), JOB)).toBeNull();
  });
});

describe("logged parameters are the row's own", () => {
  test.each([
    [true, '{"name":"x","id":"7"}'],
    [true, '{"id":7}'],
    [true, '{"id":8,"id":"7"}'],
    [true, '{"name":"x","id":"8'],
    [false, '{"name":"x","id":"8"}'],
    [false, '{"id":{"id":"7"}}'],
    [false, '{"id":["7"]}'],
    [false, '{"id":7.5}'],
    [false, '{"name":"x"}'],
    [false, 'null'],
    [false, '[7]'],
  ])('%s: %s', (isOwn, text) => {
    expect(ownParameters(text, 7)).toBe(isOwn ? text : null);
  });
});

describe('lastActivity', () => {
  test('is the last dated line, whatever follows it', () => {
    expect(lastActivity(`${WHOLE}Trace:\n#0 main\n`)).toBe('2026-03-04 10:00:09');
    expect(lastActivity('no date here')).toBeNull();
  });

  test('is null if the log reached its cap, counted in characters or in bytes of the column', () => {
    const filler = (text: string, bytes: number) =>
      WHOLE + text.repeat((bytes - WHOLE.length) / Buffer.byteLength(text));
    expect(isCut(filler('x', LOG_CAP - 3))).toBe(false);
    expect(isCut(filler('x', LOG_CAP))).toBe(true);
    expect(lastActivity(filler('x', LOG_CAP))).toBeNull();
    expect(isCut(filler('é', 65_534))).toBe(true);
    expect(isCut(filler('é', 60_000))).toBe(false);
  });
});

test('a job that was handed out again has started twice, and has finished when its last run has', () => {
  const again = WHOLE + line('11:00:00', 'Job started.');
  expect([startCount(WHOLE), startCount(again)]).toEqual([1, 2]);
  expect([isFinished(WHOLE), isFinished(again), isFinished('')]).toEqual([true, false, false]);
  expect(isFinished(again + line('11:00:01', 'Job finished.'))).toBe(true);
});
