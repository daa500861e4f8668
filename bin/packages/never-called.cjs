'use strict';
/** Stands for parts of packages that a start requires and that atomctl never calls. */
module.exports = () => {
  throw new Error('This part of a package is not in atomctl.');
};
module.exports.render = module.exports;
