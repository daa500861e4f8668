import {execFileSync} from 'node:child_process';
import {describe, expect, test} from 'vitest';
import {bashReplacement, readShellLine} from '../../../../src/cli/help/shell-line.ts';

describe('readShellLine', () => {
  test.each([
    ['atomctl jobs:list', ['atomctl', 'jobs:list'], ''],
    ['atomctl ', ['atomctl', ''], ''],
    [String.raw`a  CSV\ export`, ['a', 'CSV export'], ''],
    [`a 'CSV ex`, ['a', 'CSV ex'], "'"],
    [String.raw`a "a \"b\" \c $(x)`, ['a', String.raw`a "b" \c $(x)`], '"'],
    [`a --name='x y' "" b`, ['a', '--name=x y', '', 'b'], ''],
    ['a b>out', ['a', 'b', '>', 'out'], ''],
    ['a b > ', ['a', 'b', '>', ''], ''],
    [`a '>' x\\`, ['a', '>', 'x'], ''],
  ])('%s', (line, words, quote) => {
    expect(readShellLine(line)).toMatchObject({words, quote});
  });
});

describe('bashReplacement', () => {
  // readline replaces what follows the opening quote, or the last ":" or "=".
  test.each([
    ['a CSV', 'CSV', 'CSV export', String.raw`CSV\ export`],
    [String.raw`a CSV\ e`, String.raw`CSV\ e`, 'CSV export', String.raw`CSV\ export`],
    [`a 'CSV e`, 'CSV e', "CSV e'x", String.raw`CSV e'\''x`],
    [`a "CSV`, 'CSV', 'CSV $x', String.raw`CSV \$x`],
    ['a jobs:l', 'l', 'jobs:list', 'list'],
    ['a --name=C', 'C', '--name=C D', String.raw`C\ D`],
    [`a --name='C`, 'C', '--name=C D', 'C D'],
    ['a ', '', 'Überlieferung', 'Überlieferung'],
    ['a x', 'y', 'xy', null],
  ])('%s', (line, replaced, word, expected) => {
    expect(bashReplacement(word, readShellLine(line), replaced)).toBe(expected);
  });

  test.each(['', "'", '"'])('after the quote %s bash reads any name as it is', (quote) => {
    const names = [
      'a b',
      `it's`,
      'say "x"',
      '$(id)',
      '`id`',
      '$HOME',
      'a;b|c&d',
      'x\\y',
      '*?[a]',
      '#no',
      '~',
      'é ü',
    ];
    const typed = names.map((name) => {
      const end = bashReplacement(name, readShellLine(`atomctl ${quote}`), '')!;
      return `${quote}${end}${quote}`;
    });
    const script = `printf '%s\\n' ${typed.join(' ')}`;
    const read = execFileSync('bash', ['--norc', '-c', script], {encoding: 'utf8'});
    expect(read.trimEnd().split('\n')).toEqual(names);
  });
});
