#!/usr/bin/env node
/**
 * Builds dist out of src: a module for each command, with all the code of our own that it may need, and one for each
 * package, loaded when it is first used. As they are installed, oclif and mysql2 alone are two hundred files; to
 * find, read and evaluate them took most of the time of a start, and so would three dozen small modules of our own
 * (see test/bench). test/e2e/start-up.test.ts says what a start may load.
 */
import {mkdir, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {dirname, join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';
import {LEFT_OUT, leanPackages} from './lean-packages.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

const SHARED = {
  absWorkingDir: root,
  outdir: dist,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.12',
  metafile: true,
  logLevel: 'warning',
};

/**
 * Modules of ours that exist once, built with the packages: debug.ts because the first to evaluate it takes DEBUG
 * away.
 */
const ONCE = {'./debug.ts': 'src/cli/debug.ts'};

/** Stands for the way from a module to the packages, which hangs on where the module goes. */
const PACKAGES = 'packages:';

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
        return {path: `${PACKAGES}${out}.js`, external: true};
      });
    },
  };
  const {outputFiles, metafile} = await build({
    ...SHARED,
    entryPoints: [...commands, 'src/cli/main.ts', 'src/cli/command-not-found.ts'],
    outbase: 'src',
    plugins: [apart],
    write: false,
  });
  for (const {path, text} of outputFiles) {
    const way = relative(dirname(path), join(dist, 'packages'));
    await mkdir(dirname(path), {recursive: true});
    await writeFile(path, text.replaceAll(`"${PACKAGES}`, `"${way}/`));
  }
  return {metafile};
}

function buildPackages(entryPoints) {
  return build({
    ...SHARED,
    entryPoints,
    plugins: [leanPackages],
    external: LEFT_OUT,
    banner: {
      js: "import {createRequire as requireFrom} from 'node:module'; const require = requireFrom(import.meta.url);",
    },
  });
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

/** Removes what an earlier build left. Not all of dist before it: atomctl may be running. */
async function removeAllBut(outputs) {
  for (const entry of await readdir(dist, {recursive: true, withFileTypes: true})) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !outputs.has(path)) await rm(path);
  }
}

const commands = (await readdir(join(root, 'src/commands'), {recursive: true}))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => `src/commands/${file}`);
const packages = new Map();
const builds = [await buildOwn(commands, packages), await buildPackages([...packages.values()])];
const files = builds.flatMap(({metafile}) => Object.keys(metafile.outputs));
await removeAllBut(new Set(files.map((path) => join(root, path))));
await writeFile(join(dist, 'licences.txt'), await licences(Object.keys(builds[1].metafile.inputs)));
