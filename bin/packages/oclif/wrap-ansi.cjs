'use strict';
module.exports = (...args) => require('../oclif-text.cjs').wrapAnsi(...args);
