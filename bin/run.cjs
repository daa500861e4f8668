#!/usr/bin/env node
'use strict';
/**
 * Starts atomctl: loads the modules of dist as Node's require would, but with what bin/compile.cjs kept of compiling
 * them, which is half of what a start takes otherwise.
 */
const {readFileSync} = require('node:fs');
const {dirname, join, resolve} = require('node:path');
const {Script} = require('node:vm');

/** As in bin/compile.cjs: V8 takes back what it kept of this text alone. */
const HEAD = '(function (exports, require, module, __filename, __dirname) {';
const TAIL = '\n})';

const root = dirname(__dirname);
const loaded = new Map();

function load(path) {
  const known = loaded.get(path);
  if (known !== undefined) return known.exports;
  const module = {exports: {}};
  loaded.set(path, module);
  const directory = dirname(path);
  const requireFrom = (name) => (/^[./]/.test(name) ? load(resolve(directory, name)) : require(name));
  const script = new Script(`${HEAD}${readFileSync(path, 'latin1')}${TAIL}`, {
    filename: path,
    cachedData: readCompiled(path),
  });
  script.runInThisContext()(module.exports, requireFrom, module, path, directory);
  return module.exports;
}

/** V8 refuses what another version of it has kept, and compiles anew. */
function readCompiled(path) {
  try {
    return readFileSync(`${path}.v8`);
  } catch {
    return undefined;
  }
}

load(join(root, 'dist/cli/main.cjs')).main(process.argv.slice(2), root);
