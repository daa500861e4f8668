#!/usr/bin/env node
'use strict';
/**
 * Keeps beside each module of dist what this machine's V8 makes of it, for bin/run.cjs. Runs at the end of a build,
 * and where atomctl is installed. A start without it is slower, and does the same.
 *
 * Of the modules that every start loads it keeps the functions that starts have called, since taking back all would
 * take twice as long; of the others it keeps all.
 */
const {spawnSync} = require('node:child_process');
const {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} = require('node:fs');
const {tmpdir} = require('node:os');
const {join} = require('node:path');
const {setFlagsFromString} = require('node:v8');
const vm = require('node:vm');
const {setTheScene} = require('./rehearsal.cjs');

/** As in bin/run.cjs. */
const HEAD = '(function (exports, require, module, __filename, __dirname) {';
const TAIL = '\n})';

const STARTS = [['--version'], ['queue:status'], ['jobs:list'], ['jobs:show', '1']];
const LONGEST_START_MS = 20_000;

/** @param script of the module in the file `path` */
function keep(path, script) {
  writeFileSync(`${path}.new`, script.createCachedData());
  renameSync(`${path}.new`, `${path}.v8`);
}

function compile(dist) {
  const names = existsSync(dist) ? readdirSync(dist, {recursive: true}) : [];
  const paths = names.filter((name) => name.endsWith('.cjs')).map((name) => join(dist, name));
  for (const path of paths) rmSync(`${path}.v8`, {force: true});
  if (paths.length === 0) return;
  rehearseStarts();
  for (const path of paths) if (!existsSync(`${path}.v8`)) keep(path, compileWhole(path));
}

/** An installation does not fail for want of a place to rehearse: all is compiled whole then. */
function rehearseStarts() {
  let site;
  try {
    site = mkdtempSync(join(tmpdir(), 'atomctl-rehearsal-'));
  } catch {
    return;
  }
  for (const words of STARTS) {
    spawnSync(process.execPath, [__filename, ...words], {
      cwd: site,
      env: {},
      stdio: 'ignore',
      timeout: LONGEST_START_MS,
    });
  }
  rmSync(site, {recursive: true, force: true});
}

function compileWhole(path) {
  // V8 keeps the flags with the rest and compares them: back to what a start has.
  setFlagsFromString('--no-lazy');
  const script = new vm.Script(`${HEAD}${readFileSync(path, 'latin1')}${TAIL}`, {filename: path});
  setFlagsFromString('--lazy');
  return script;
}

/** Is a start with these words, in this process, and keeps what it has compiled. */
function start(words) {
  const scripts = new Map();
  vm.Script = class extends vm.Script {
    constructor(code, options) {
      super(code, options);
      scripts.set(options.filename, this);
    }
  };
  process.once('exit', () => {
    for (const [path, script] of scripts) keep(path, script);
  });
  setTheScene(() => {
    process.argv.splice(1, process.argv.length, join(__dirname, 'run.cjs'), ...words);
    require('./run.cjs');
  });
}

const words = process.argv.slice(2);
if (words.length > 0) start(words);
else compile(join(__dirname, '../dist'));
