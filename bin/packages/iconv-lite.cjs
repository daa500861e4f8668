'use strict';
/**
 * What mysql2 needs of iconv-lite: one decoder. mysql2 takes the server's greeting for CESU-8, of which ASCII is the
 * same as UTF-8, and decodes UTF-8, which every session of atomctl speaks, without iconv-lite. The package's tables
 * are 500 kB.
 */
const {StringDecoder} = require('node:string_decoder');

exports.getDecoder = () => new StringDecoder('utf8');
