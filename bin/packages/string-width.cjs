// As a CommonJS module, whose default is itself.
module.exports = require('string-width').default;
