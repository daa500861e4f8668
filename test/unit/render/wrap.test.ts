import {describe, expect, test} from 'vitest';
import {wrap, wrapSentences} from '../../../src/render/wrap.ts';

describe('a text that is wrapped', () => {
  test('is broken at its spaces only, so that what is too wide can be copied', () => {
    const path = '/srv/atom/apps/qubit/config/gearman.yml';
    expect(wrap(`  Change ${path} and restart.`, 20)).toEqual(['  Change', `  ${path}`, '  and restart.']);
    expect(wrap('', 20)).toEqual(['']);
  });

  test.each(['atomctl worker:run', 'atomctl jobs:kill 12 --force', 'kill 30561 30573'])(
    'keeps whole: %s',
    (command) => {
      expect(wrap(`Start it again: ${command}, or not.`, 33)).toEqual(
        expect.arrayContaining([expect.stringContaining(command)]),
      );
    },
  );

  test('is as wide as without its colours', () => {
    expect(wrap('\u001b[31mrefused\u001b[39m. It runs.', 17)).toEqual([
      '\u001b[31mrefused\u001b[39m. It runs.',
    ]);
  });
});

describe('sentences', () => {
  test('are wrapped where one is wider than the screen, with a hanging indent', () => {
    expect(wrapSentences('12: marked.\n13: refused. A worker executes it.\n', 21)).toBe(
      '12: marked.\n13: refused. A worker\n  executes it.\n',
    );
  });

  test('stay one line each in a pipe', () => {
    const text = `13: refused. ${'It is executed. '.repeat(40)}\n`;
    expect(wrapSentences(text, Number.POSITIVE_INFINITY)).toBe(text);
  });
});
