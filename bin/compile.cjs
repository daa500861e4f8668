#!/usr/bin/env node
'use strict';
/**
 * Keeps beside each module of dist what this machine's V8 makes of it, for bin/run.cjs. Runs at the end of a build,
 * and where atomctl is installed. A start without it is slower, and does the same.
 */
const {existsSync, readFileSync, readdirSync, renameSync, writeFileSync} = require('node:fs');
const {join} = require('node:path');
const {setFlagsFromString} = require('node:v8');
const {Script} = require('node:vm');

/** As in bin/run.cjs. */
const HEAD = '(function (exports, require, module, __filename, __dirname) {';
const TAIL = '\n})';

const dist = join(__dirname, '../dist');
const names = existsSync(dist) ? readdirSync(dist, {recursive: true}) : [];
for (const name of names.filter((name) => name.endsWith('.cjs'))) {
  const path = join(dist, name);
  // All functions at once. V8 keeps the flags with the rest and compares them: back to what a start has.
  setFlagsFromString('--no-lazy');
  const script = new Script(`${HEAD}${readFileSync(path, 'latin1')}${TAIL}`, {filename: path});
  setFlagsFromString('--lazy');
  writeFileSync(`${path}.new`, script.createCachedData());
  renameSync(`${path}.new`, `${path}.v8`);
}
