'use strict';
/** The start of the executable, whose assets are dist's modules; bin/run.cjs is the start of the npm package. */
const {dirname} = require('node:path');
const {getAsset, getRawAsset} = require('node:sea');
const {moduleLoader} = require('./modules.cjs');

function read(path) {
  return {text: getAsset(path, 'utf8'), cachedData: Buffer.from(getRawAsset(`${path}.cache`))};
}

/** Taken now: the first module that is loaded removes it. */
const {DEBUG} = process.env;

/** A code cache that does not fit costs only time: see that it does. */
function report(path, {cachedDataRejected}) {
  if (cachedDataRejected && DEBUG) process.stderr.write(`The code cache of ${path} does not fit.\n`);
}

moduleLoader(read, report)('start/main.cjs').main(process.argv.slice(2), dirname(process.execPath));
