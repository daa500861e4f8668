'use strict';
exports.render = (...args) => require('../oclif-text.cjs').ejs.render(...args);
