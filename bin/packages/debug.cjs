'use strict';
/** oclif's debug lines print the arguments whole, which may hold a password. src/cli/debug.ts has atomctl's own. */
module.exports = () => () => {};
