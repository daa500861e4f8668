'use strict';
/** Starts atomctl in the executable, which has no package around it; bin/run.cjs is the start of the package. */
const {dirname} = require('node:path');
const {main} = require('../src/cli/start/main.ts');

main(process.argv.slice(2), dirname(process.execPath));
