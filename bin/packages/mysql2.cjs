'use strict';
/** One connection. The package's main module also evaluates pools, clusters and promises. */
exports.createConnection = require('../../node_modules/mysql2/lib/create_connection.js');
exports.authPlugins = require('../../node_modules/mysql2/lib/auth_plugins/index.js');
