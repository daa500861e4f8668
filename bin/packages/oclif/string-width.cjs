'use strict';
module.exports = (...args) => require('../oclif-text.cjs').stringWidth(...args);
