'use strict';
/** oclif makes a spinner at every start on a terminal. atomctl never shows it. */
exports.dots2 = {frames: ['-'], interval: 100};
exports.line = exports.dots2;
