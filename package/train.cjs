'use strict';
/**
 * Makes the code caches of dist's modules, with the functions that the given commands run. The Node.js that will read
 * them has to run this: see training.ts.
 *
 *     node package/train.cjs DIRECTORY COMMAND...     for example "jobs:list --limit 20"
 *
 * DIRECTORY receives each module as it is compiled, and its cache beside it.
 */
const {mkdirSync, readdirSync, readFileSync, writeFileSync} = require('node:fs');
const {dirname, join} = require('node:path');
const {Script} = require('node:vm');
const {moduleLoader, wrap} = require('./modules.cjs');

const dist = join(__dirname, '../dist');
const [directory, ...commands] = process.argv.slice(2);
const scripts = new Map();

function read(path) {
  const text = readFileSync(join(dist, path), 'utf8');
  return {text: wrap(path.endsWith('.json') ? `module.exports = ${text}` : text)};
}

const load = moduleLoader(read, (path, script) => scripts.set(path, script));

async function train() {
  const {main} = load('start/main.cjs');
  for (const command of commands) {
    await main(command.split(' '), '/');
    // A site without a worker is no failure here.
    if (process.exitCode > 1) return;
  }
  const paths = readdirSync(dist, {recursive: true}).filter((path) => /\.cjs$|manifest\.json$/.test(path));
  for (const path of paths) write(path);
}

function write(path) {
  const {text} = read(path);
  const script = scripts.get(path) ?? new Script(text, {filename: path});
  const file = join(directory, path);
  mkdirSync(dirname(file), {recursive: true});
  writeFileSync(file, text);
  writeFileSync(`${file}.cache`, script.createCachedData());
}

train();
