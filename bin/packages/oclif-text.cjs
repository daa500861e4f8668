'use strict';
/** What oclif lays out errors with: a file of its own, which other starts do not load. */
exports.ejs = require('ejs');
exports.stringWidth = require('string-width').default;
exports.widestLine = require('widest-line');
exports.wrapAnsi = require('wrap-ansi');
