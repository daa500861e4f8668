'use strict';
/** oclif asks at every start, for one word of --version. */
exports.isWsl = false;
