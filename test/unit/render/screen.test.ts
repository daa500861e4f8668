import {expect, it} from 'vitest';
import {paint, screenOf} from '../../../src/render/screen.ts';

const TERMINAL = {isTTY: true, columns: 100};

it.each([
  ['a terminal has colour', TERMINAL, false, {}, true],
  ['a pipe has none', {}, false, {}, false],
  ['--no-color', TERMINAL, true, {}, false],
  ['NO_COLOR', TERMINAL, false, {NO_COLOR: '1'}, false],
  ['an empty NO_COLOR means nothing', TERMINAL, false, {NO_COLOR: ''}, true],
  ['FORCE_COLOR in a pipe', {}, false, {FORCE_COLOR: '1'}, true],
  ['FORCE_COLOR=0', TERMINAL, false, {FORCE_COLOR: '0'}, false],
  ['--no-color wins over FORCE_COLOR', {}, true, {FORCE_COLOR: '1'}, false],
  ['a dumb terminal', TERMINAL, false, {TERM: 'dumb'}, false],
])('%s', (_, stream, noColor, env, color) => {
  const screen = screenOf(stream, {noColor, env});
  expect(screen.color).toBe(color);
  expect(paint(screen, 'red', 'x')).toBe(color ? '\u001b[31mx\u001b[39m' : 'x');
});

it('has the width of a terminal, and no limit in a pipe', () => {
  expect(screenOf(TERMINAL, {noColor: false, env: {}}).width).toBe(100);
  expect(screenOf({}, {noColor: false, env: {}}).width).toBe(Number.POSITIVE_INFINITY);
});
