'use strict';
module.exports = (...args) => require('../oclif-text.cjs').widestLine(...args);
