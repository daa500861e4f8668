#!/usr/bin/env node
/**
 * Makes build/atomctl out of dist: one file with Node.js and dist's modules with their code caches, by Node's documented
 * means (single executable applications, and the cached data of node:vm). The runtime that will read the caches makes
 * them, and they cannot be parted.
 */
import {execFile} from 'node:child_process';
import {chmod, copyFile, mkdir, readdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {build} from 'esbuild';
import {COMPONENT, fetchRuntime} from './runtime.js';

const run = promisify(execFile);

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Where it is made, with the licences and the bill of materials of what is bundled. */
export const BUILD = join(ROOT, 'build');
export const EXECUTABLE = join(BUILD, 'atomctl');

const TYPESCRIPT = join(ROOT, 'test/support/typescript.mjs');
const POSTJECT = join(ROOT, 'node_modules/.bin/postject');
/** What Node.js looks for in itself. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** @throws NoRuntime */
export async function makeExecutable() {
  const runtime = await fetchRuntime();
  const node = join(runtime, 'node');
  await mkdir(BUILD, {recursive: true});
  const modules = join(BUILD, 'modules');
  await rm(modules, {recursive: true, force: true});
  await run(process.execPath, ['--import', TYPESCRIPT, join(ROOT, 'package/training.ts'), node, modules]);
  const main = join(BUILD, 'main.cjs');
  await build({entryPoints: [join(ROOT, 'package/main.cjs')], outfile: main, bundle: true, platform: 'node'});
  const blob = join(BUILD, 'atomctl.blob');
  await writeFile(join(BUILD, 'sea.json'), JSON.stringify(await configuration(main, modules, blob)));
  await run(node, ['--experimental-sea-config', join(BUILD, 'sea.json')]);
  // Renamed into place: one that runs stays as it is.
  const making = `${EXECUTABLE}.new`;
  await copyFile(node, making);
  await chmod(making, 0o755);
  await run(POSTJECT, [making, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', FUSE]);
  await rename(making, EXECUTABLE);
  await copyFile(join(runtime, 'LICENSE'), join(BUILD, 'node-licence.txt'));
  await copyFile(join(ROOT, 'dist/licences.txt'), join(BUILD, 'licences.txt'));
  await writeFile(join(BUILD, 'sbom.json'), await billOfMaterials());
}

/** The bill of materials of dist, and Node.js. */
async function billOfMaterials() {
  const bom = JSON.parse(await readFile(join(ROOT, 'dist/sbom.json'), 'utf8'));
  bom.components.push(COMPONENT);
  return `${JSON.stringify(bom, null, 2)}\n`;
}

async function configuration(main, modules, output) {
  const completions = (await filesIn(join(ROOT, 'completions'))).map((path) => [
    `completions/${path}`,
    join(ROOT, 'completions', path),
  ]);
  const own = (await filesIn(modules)).map((path) => [path, join(modules, path)]);
  return {
    main,
    output,
    disableExperimentalSEAWarning: true,
    useCodeCache: true,
    // NODE_OPTIONS is meant for other programs: their options may not be there in this Node.js.
    execArgvExtension: 'none',
    assets: Object.fromEntries([...own, ...completions]),
  };
}

async function filesIn(directory) {
  const entries = await readdir(directory, {recursive: true, withFileTypes: true});
  return entries
    .filter((entry) => entry.isFile())
    .map(({parentPath, name}) => relative(directory, join(parentPath, name)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await makeExecutable();
