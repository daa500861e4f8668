'use strict';
/**
 * Loads dist's modules from the executable's assets. Nothing can be required from a disk there, so this is a `require`
 * for them: a path relative to dist, or a module of Node.js.
 */
const {posix} = require('node:path');
const {Script} = require('node:vm');

/** What a module of CommonJS is compiled as. */
exports.wrap = (text) => `(function (exports, require, module) {${text}\n})`;

/**
 * A function from the path of a module in dist to what it exports.
 * @param read from that path to the module's wrapped text and, if there is one, its code cache
 * @param compiled is called with the path and the script of each module that was loaded
 */
exports.moduleLoader = (read, compiled) => {
  const loaded = new Map();
  const load = (path) => {
    if (loaded.has(path)) return loaded.get(path).exports;
    const module = {exports: {}};
    loaded.set(path, module);
    const {text, cachedData} = read(path);
    const script = new Script(text, {filename: path, cachedData});
    compiled(path, script);
    const required = (id) => (id.startsWith('.') ? load(posix.join(posix.dirname(path), id)) : require(id));
    script.runInThisContext()(module.exports, required, module);
    return module.exports;
  };
  return load;
};
