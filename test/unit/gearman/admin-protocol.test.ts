import {describe, expect, it} from 'vitest';
import {
  type AdminCommand,
  cancelJob,
  dropFunction,
  showJobs,
  showUniqueJobs,
  status,
  version,
  workers,
} from '../../../src/gearman/admin-protocol.ts';
import {NotGearman, Refusal} from '../../../src/gearman/failure.ts';

/** Feeds an answer byte by byte, as the worst network does, and checks that only the last byte ends it. */
function answer<T>(command: AdminCommand<T>, text: string): T {
  const bytes = Buffer.from(text);
  for (let end = 1; end < bytes.length; end += 1) {
    expect(command.framing(bytes.subarray(0, end)), `after ${end} bytes`).toBeUndefined();
  }
  const result = command.framing(bytes);
  expect(result).toBeDefined();
  return result as T;
}

describe('status', () => {
  it('reads the rows of gearmand, also counters below 0', () => {
    const text = 'a-arFileImportJob\t3\t1\t2\nodd name\t1\t-1\t0\nb\t2\t4294967295\t1\nc\t1\t5\t1\n.\n';
    expect(answer(status, text)).toEqual([
      {function: 'a-arFileImportJob', total: 3, running: 1, workers: 2},
      {function: 'odd name', total: 1, running: 0, workers: 0},
      {function: 'b', total: 2, running: 0, workers: 1},
      {function: 'c', total: 1, running: 1, workers: 1},
    ]);
  });

  it('reads an empty list', () => {
    expect(answer(status, '.\n')).toEqual([]);
  });

  it.each([
    ['before other rows', 'a\nb\t1\t0\t1\nf\t1\t0\t1\n.\n'],
    ['after other rows', 'f\t1\t0\t1\na\nb\t1\t0\t1\n.\n'],
    ['alone on its lines', 'f\t1\t0\t1\n\n\n\t1\t0\t1\n.\n'],
    ['that begins with a dot', '.\nb\t1\t0\t1\nf\t1\t0\t1\n.\n'],
  ])('leaves out a name with a line break, and no part of it becomes a row: %s', (_, text) => {
    expect(status.framing(Buffer.from(text))).toEqual([{function: 'f', total: 1, running: 0, workers: 1}]);
  });

  it('leaves the only row out if its name has a line break', () => {
    expect(status.framing(Buffer.from('a\nb\t1\t0\t1\n.\n'))).toEqual([]);
  });

  it('reads names with a line separator or a carriage return as they are', () => {
    const names = answer(status, 'a\u2028b\t1\t0\t1\nc\rd\t0\t0\t1\nERR x\t0\t0\t1\n.\n');
    expect(names.map((row) => row.function)).toEqual(['a\u2028b', 'c\rd', 'ERR x']);
  });

  it('waits for the end of a list that begins with a name with a line break', () => {
    const text = 'a\nb\t1\t0\t1\nf\t1\t0\t1\n';
    expect(status.framing(Buffer.from(text))).toBeUndefined();
  });
});

describe('workers', () => {
  it('splits at the last colon, because ids may contain spaces and colons', () => {
    const text = [
      '37 127.0.0.1 - :',
      '38 ::1 pid_12_ab : f g',
      '39 10.0.0.1 a b : c : f',
      '6 127.0.0.1 - : ',
      '.',
      '',
    ].join('\n');
    expect(answer(workers, text)).toEqual([
      {fd: 37, ip: '127.0.0.1', id: '-', functions: []},
      {fd: 38, ip: '::1', id: 'pid_12_ab', functions: ['f', 'g']},
      {fd: 39, ip: '10.0.0.1', id: 'a b : c', functions: ['f']},
      {fd: 6, ip: '127.0.0.1', id: '-', functions: []},
    ]);
  });

  it('leaves out what comes after a line break in a name', () => {
    const text = '38 ::1 pid_12_ab : f a\nb g\n39 ::1 pid_13_ab : h\n.\n';
    expect(answer(workers, text).map(({functions}) => functions)).toEqual([['f', 'a'], ['h']]);
  });
});

describe('version', () => {
  it.each([
    ['OK 1.1.20\n', 'gearmand', '1.1.20'],
    ['OK 1.1.20+ds\r\n', 'gearmand', '1.1.20+ds'],
    ['v1.130.1\n', 'perl', '1.130.1'],
    ['1.130.0\n', 'perl', '1.130.0'],
    ['OK gearman-java\n', 'unknown', 'gearman-java'],
  ])('tells the server from %j', (text, implementation, number) => {
    expect(answer(version, text)).toEqual({implementation, version: number});
  });
});

describe('show jobs and show unique jobs', () => {
  it('reads the four columns', () => {
    expect(answer(showJobs, 'H:vm:1\t0\t0\t1\nH:vm:2\t3\t1\t0\n.\n')).toEqual([
      {handle: 'H:vm:1', retries: 0, ignored: false, durable: true},
      {handle: 'H:vm:2', retries: 3, ignored: true, durable: false},
    ]);
  });

  it('reads keys as they are', () => {
    expect(answer(showUniqueJobs, 'a b\nü\n.\n')).toEqual(['a b', 'ü']);
  });
});

describe('commands that do something', () => {
  it.each([
    [cancelJob('H:1'), 'OK\r\n', true],
    [cancelJob('H:1'), 'ERR UNKNOWN_JOB\r\n', false],
    [dropFunction('f'), 'OK\r\n', true],
    [dropFunction('f'), 'ERR function not found\r\n', false],
    [dropFunction('f'), 'ERR there are still connected workers or executing clients\r\n', false],
  ])('%o reads %j as %s', (command, text, expected) => {
    expect(answer(command, text)).toBe(expected);
  });
});

describe('answers of something else', () => {
  it.each([
    [showJobs, 'ERR UNKNOWN_COMMAND Unknown+server+command\r\n', 'UNKNOWN_COMMAND'],
    [status, 'ERR unknown_command \r\n', 'unknown_command'],
    [cancelJob('x'), 'ERR UNKNOWN_COMMAND Unknown+server+commandcancel\r\n', 'UNKNOWN_COMMAND'],
    [dropFunction('x'), 'ERR unknown_command \r\n', 'unknown_command'],
    [version, 'ERR unknown_command \r\n', 'unknown_command'],
  ])('reads an ERR line, which has no dot after it, as a refusal: %o %j', (command, text, code) => {
    const read = () => command.framing(Buffer.from(text));
    expect(read).toThrow(Refusal);
    expect(read).toThrow(code);
  });

  it.each([
    ['an HTTP server', 'HTTP/1.1 400 Bad Request\r\n'],
    ["an SSH server's greeting", 'SSH-2.0-OpenSSH_9.2\r\n'],
    ["MariaDB's greeting", 'Y\0\0\0\n10.11.6-MariaDB'],
    ['a TLS alert', '\x15\x03\x01\0\x02\x02'],
    ['a row that is not one', 'f\tmany\t0\t0\n'],
    ['several lines that are not rows', 'one\ntwo\nthree\n'],
  ])('recognises %s at once, without waiting for more', (_name, text) => {
    expect(() => status.framing(Buffer.from(text, 'latin1'))).toThrow(NotGearman);
  });

  it('recognises an HTTP server by its answer to version', () => {
    expect(() => version.framing(Buffer.from('HTTP/1.1 400 Bad Request\r\nA: b\r\n\r\n'))).toThrow(
      NotGearman,
    );
  });
});
