import {describe, expect, test} from 'vitest';
import {
  bodyScreen,
  changedLines,
  cutLine,
  drawFrame,
  type Frame,
  renderFrame,
} from '../../../src/render/watch-frame.ts';

const plainScreen = {isTTY: true, width: 40, color: false};
const frame: Frame = {
  title: 'atomctl jobs:list, every 2 s',
  at: '2026-11-23 02:42:45',
  notices: [],
  body: 'ID  STATUS\n 1  running\n 2  completed\n',
  plain: 'ID  STATUS\n 1  running\n 2  completed\n',
  before: null,
};

describe('what changed', () => {
  const table = 'ID  DURATION  STATUS\n 2  12m 3s    running\n 1  45s       completed\n';

  test.each<[name: string, before: string | null, now: string, changed: boolean[]]>([
    ['nothing in the first frame', null, table, []],
    ['nothing', table, table, [false, false, false]],
    ['a duration that counts up', table, table.replace('12m 3s', '12m 5s'), [false, false, false]],
    ['columns that grew', table, table.replaceAll('  ', '   '), [false, false, false]],
    ['a status', table, table.replace('running', 'error  '), [false, true, false]],
    ['a new line on top moves the others', 'ID\n 1 a\n', 'ID\n 2 b\n 1 a\n', [false, true, false]],
  ])('%s', (_name, before, now, changed) => {
    expect(changedLines(before, now)).toEqual(changed);
  });
});

describe('a frame', () => {
  test('has a title, warnings and marks, with and without colour', async () => {
    const changed = {
      ...frame,
      notices: ['gone\u001b[2J'],
      before: frame.plain.replace('completed', 'running'),
    };
    expect(await renderFrame(changed, plainScreen, 24)).toEqual([
      'atomctl jobs:list, every 2 s, 2026-11-…',
      '! gone\\x1b[2J',
      '',
      '  ID  STATUS',
      '   1  running',
      '*  2  completed',
    ]);
    const colored = await renderFrame(changed, {...plainScreen, color: true, width: 80}, 24);
    expect(colored.at(-1)).toBe('\u001b[1m*\u001b[22m \u001b[1m 2  completed\u001b[22m');
    expect(colored[1]).toBe('\u001b[33m! gone\\x1b[2J\u001b[39m');
  });

  test('is cut to the height, and says how much is missing', async () => {
    expect(await renderFrame(frame, plainScreen, 4)).toEqual([
      expect.stringMatching(/^atomctl/),
      '',
      '  ID  STATUS',
      '  … 2 more lines',
    ]);
    expect(await renderFrame(frame, plainScreen, 5)).toHaveLength(5);
  });

  test('leaves the last column free at any width', async () => {
    const {default: stringWidth} = await import('string-width');
    for (const width of [1, 2, 3, 10, 33, 80]) {
      const body = `${'日本語 text '.repeat(9)}\n`;
      const lines = await renderFrame(
        {...frame, body, plain: body},
        {...plainScreen, width, color: true},
        24,
      );
      expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(Math.max(1, width - 1));
    }
    expect([80, 1].map((width) => bodyScreen({...plainScreen, width}).width)).toEqual([77, 1]);
  });

  test('is one write: cursor home, each line erased to its end, and everything below erased', () => {
    expect(drawFrame(['a', 'b'], 3)).toBe(
      '\u001b[?2026h\u001b[Ha\u001b[K\r\nb\u001b[K\r\n\u001b[J\u001b[?2026l',
    );
    // A line break on the last row would scroll the screen.
    expect(drawFrame(['a', 'b'], 2)).toBe('\u001b[?2026h\u001b[Ha\u001b[K\r\nb\u001b[K\u001b[?2026l');
  });
});

test.each([
  ['plain text', 5, 'plai…'],
  ['fits', 4, 'fits'],
  ['\u001b[31mred text\u001b[39m', 4, '\u001b[31mred…\u001b[39m'],
  ['日本語', 4, '日…'],
  ['👩‍👩‍👧 family', 4, '👩‍👩‍👧 …'],
])('%j cut to %i', async (line, width, expected) => {
  const {default: stringWidth} = await import('string-width');
  expect(cutLine(line, width, stringWidth)).toBe(expected);
});
