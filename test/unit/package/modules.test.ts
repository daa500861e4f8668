import {createRequire} from 'node:module';
import {basename} from 'node:path';
import {Script} from 'node:vm';
import {expect, it} from 'vitest';

interface Modules {
  wrap(text: string): string;
  moduleLoader(
    read: (path: string) => {text: string; cachedData?: Buffer},
    compiled: (path: string, script: Script) => void,
  ): (path: string) => unknown;
}

const {moduleLoader, wrap}: Modules = createRequire(import.meta.url)('../../../package/modules.cjs');

/** What the first of these modules exports, and the paths and scripts of those that were loaded, in their order. */
function load(texts: Record<string, string>, caches: Record<string, Buffer> = {}) {
  const scripts = new Map<string, Script>();
  const read = (path: string) => ({text: wrap(texts[path]!), cachedData: caches[path]});
  const loader = moduleLoader(read, (path, script) => scripts.set(path, script));
  return {exports: loader(Object.keys(texts)[0]!), scripts};
}

it('finds a module beside the one that requires it, and one of Node.js', () => {
  const {exports, scripts} = load({
    'start/main.cjs':
      "module.exports = [require('../common/a.cjs'), require('./b.cjs'), require('node:path').basename]",
    'common/a.cjs': 'exports.name = "a"',
    'start/b.cjs': 'exports.name = "b"',
  });
  expect(exports).toEqual([{name: 'a'}, {name: 'b'}, basename]);
  expect([...scripts.keys()]).toEqual(['start/main.cjs', 'common/a.cjs', 'start/b.cjs']);
});

it('loads a module once, also one that requires its own user', () => {
  const {exports, scripts} = load({
    'a.cjs': "exports.early = 1; exports.b = require('./b.cjs'); exports.again = require('./b.cjs')",
    'b.cjs': "exports.early = require('./a.cjs').early",
  });
  expect(exports).toEqual({early: 1, b: {early: 1}, again: {early: 1}});
  expect(scripts.size).toBe(2);
});

it('takes a code cache that fits', () => {
  const texts = {'a.cjs': 'exports.sum = (a, b) => a + b; exports.three = exports.sum(1, 2)'};
  const cache = load(texts).scripts.get('a.cjs')!.createCachedData();
  const {scripts} = load(texts, {'a.cjs': cache});
  expect(scripts.get('a.cjs')!.cachedDataRejected).toBe(false);
});

it('does without a code cache of another text', () => {
  const cachedData = new Script('another(text)').createCachedData();
  const {exports, scripts} = load({'a.cjs': 'exports.four = 2 + 2'}, {'a.cjs': cachedData});
  expect(scripts.get('a.cjs')!.cachedDataRejected).toBe(true);
  expect(exports).toEqual({four: 4});
});
