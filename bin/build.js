#!/usr/bin/env node
/**
 * Builds dist out of src: a module for each command, with all the code of our own that it may need, and one for each
 * package, loaded when it is first used. As they are installed, oclif and mysql2 alone are two hundred files; to
 * find, read and evaluate them took most of the time of a start, and so would three dozen small modules of our own
 * (see test/bench). test/e2e/start-up.test.ts says what a start may load.
 */
import {execFileSync} from 'node:child_process';
import {mkdir, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {dirname, join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build, transform} from 'esbuild';
import {LATER, LEFT_OUT, leanPackages} from './lean-packages.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

/** The names stay: they stand in the traces that DEBUG shows. */
const SHORT = {minifyWhitespace: true, minifySyntax: true};

const SHARED = {
  absWorkingDir: root,
  outdir: dist,
  bundle: true,
  format: 'cjs',
  outExtension: {'.js': '.cjs'},
  platform: 'node',
  target: 'node20.12',
  legalComments: 'none',
  // Late imports become late calls of require, since a script from V8's cache cannot import.
  supported: {'dynamic-import': false},
  metafile: true,
  write: false,
  logLevel: 'warning',
};

/**
 * Modules of ours that exist once, built with the packages: debug.ts because the first to evaluate it takes DEBUG
 * away.
 */
const ONCE = {'./debug.ts': 'src/cli/debug.ts'};

/** Stands for the way from a module to the packages, which hangs on where the module goes. */
const PACKAGES = 'packages:';

/**
 * A late import of a package. esbuild takes each for CommonJS as it came, since that is how a module of ours would see
 * it, and would hand out all that an ES module exports for its default.
 */
const FROM_PACKAGE = /require\("packages:([^"]+)"\)(?:, 1(?=\)))?/g;

/** Node's own modules, too, are loaded where they are first used: node:crypto alone takes four milliseconds. */
function requireBuiltinsLate(text) {
  const sources = new Map();
  const declared = text.replace(
    /^ *(?:var )?(import_\w+) = (?:__toESM\()?(require\("node:[^"]+"\))(?:, 1\))?;$/gm,
    (_, name, source) => {
      sources.set(name, source);
      return '';
    },
  );
  return declared.replace(/\b(import_\w+)(?:\.default)?(?=\.)/g, (use, name) => sources.get(name) ?? use);
}

/** Builds the modules of ours. `entryPoints` is told what is left to be built apart from them. */
async function buildOwn(commands, entryPoints) {
  const apart = {
    name: 'packages apart',
    setup({onResolve}) {
      onResolve({filter: /^[@a-z]|\/debug\.ts$/}, ({path, kind}) => {
        if (kind === 'entry-point' || path.startsWith('node:')) return undefined;
        const name = ONCE[path] ?? /^(@[^/]+\/)?[^/]+/.exec(path)[0];
        const out = name.replace(/^@|^src\/|\.ts$/g, '').replaceAll('/', '-');
        entryPoints.set(name, {in: name, out: `packages/${out}`});
        return {path: `${PACKAGES}${out}.cjs`, external: true};
      });
    },
  };
  const {outputFiles, metafile} = await build({
    ...SHARED,
    entryPoints: [...commands, 'src/cli/main.ts', 'src/cli/command-not-found.ts'],
    outbase: 'src',
    plugins: [apart],
  });
  for (const {path, text} of outputFiles) {
    const way = relative(dirname(path), join(dist, 'packages'));
    const late = requireBuiltinsLate(text).replaceAll(FROM_PACKAGE, `require("${way}/$1")`);
    await writeModule(path, (await transform(late, SHORT)).code);
  }
  return metafile;
}

async function buildPackages(entryPoints) {
  const {outputFiles, metafile} = await build({
    ...SHARED,
    ...SHORT,
    entryPoints: [...entryPoints, ...LATER],
    plugins: [leanPackages],
    external: LEFT_OUT,
  });
  for (const {path, text} of outputFiles) await writeModule(path, text);
  return metafile;
}

/** In ASCII, since bin/run.cjs reads a byte for a character. Only regular expressions hold any other. */
async function writeModule(path, code) {
  await mkdir(dirname(path), {recursive: true});
  await writeFile(path, code.replace(/[^\0-\x7f]/g, escapeCharacter), 'latin1');
}

function escapeCharacter(character) {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/**
 * The manifest without what only help and completion tell of. oclif looks for commands from the directory of its
 * manifest.
 */
async function startManifest() {
  const {commands, version} = JSON.parse(await readFile(join(root, 'oclif.manifest.json'), 'utf8'));
  const found = Object.entries(commands).map(([id, command]) => {
    const {description, examples, summary, usage, ...kept} = command;
    return [id, {...kept, args: {}, flags: {}, relativePath: ['..', '..', ...command.relativePath]}];
  });
  return JSON.stringify({commands: Object.fromEntries(found), version});
}

/** The licences of all packages of which something stands in dist. */
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

/** Removes what an earlier build left. Not all of dist before the build: atomctl may be running. */
async function removeFiles(isStale) {
  for (const entry of await readdir(dist, {recursive: true, withFileTypes: true})) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && isStale(path)) await rm(path);
  }
}

const commands = (await readdir(join(root, 'src/commands'), {recursive: true}))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => `src/commands/${file}`);
const packages = new Map();
await mkdir(dist, {recursive: true});
// V8 knows what belongs to a module by the module's length alone.
await removeFiles((path) => path.endsWith('.v8'));
const builds = [await buildOwn(commands, packages), await buildPackages([...packages.values()])];
const outputs = new Set(builds.flatMap(({outputs}) => Object.keys(outputs)).map((path) => join(root, path)));
await removeFiles((path) => !outputs.has(path));
await writeFile(join(dist, 'licences.txt'), await licences(Object.keys(builds[1].inputs)));
await mkdir(join(dist, 'start'), {recursive: true});
await writeFile(join(dist, 'start/oclif.manifest.json'), await startManifest());
execFileSync(process.execPath, [join(root, 'bin/compile.cjs')], {stdio: 'inherit'});
