#!/usr/bin/env node
'use strict';
/** Starts atomctl, or says that Node.js is too old. In a syntax that old ones can parse, too. */
const needed = require('../package.json').engines.node.replace('>=', '');

function isOlder(version, other) {
  const [major, minor] = version.split('.').map(Number);
  const [otherMajor, otherMinor] = other.split('.').map(Number);
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}

if (isOlder(process.versions.node, needed)) {
  process.stderr.write(
    `atomctl needs Node.js ${needed} or later, and this is ${process.versions.node}: get one from https://nodejs.org/en/download.\n`,
  );
  process.exitCode = 2;
} else {
  const {dirname} = require('node:path');
  require('../dist/start/main.cjs').main(process.argv.slice(2), dirname(__dirname));
}
