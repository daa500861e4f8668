'use strict';
/** oclif requires at every start what it lays out text with. atomctl lays out its help and its errors itself. */
module.exports = () => {
  throw new Error('This package is not part of atomctl.');
};
module.exports.render = module.exports;
