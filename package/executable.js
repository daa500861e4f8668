#!/usr/bin/env node
/**
 * Makes build/atomctl: one file with Node.js, all of atomctl and its code cache, by Node's documented means (single
 * executable applications). The runtime that will read the code cache makes it, and the two cannot be parted.
 */
import {execFile} from 'node:child_process';
import {chmod, copyFile, mkdir, readdir, readFile, rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {COMPONENT, fetchRuntime} from './runtime.js';

const run = promisify(execFile);

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Where it is made, with the licences and the bill of materials of what is bundled. */
export const BUILD = join(ROOT, 'build');
export const EXECUTABLE = join(BUILD, 'atomctl');

const POSTJECT = join(ROOT, 'node_modules/.bin/postject');
/** What Node.js looks for in itself. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** @throws NoRuntime */
export async function makeExecutable() {
  const runtime = await fetchRuntime();
  const node = join(runtime, 'node');
  await mkdir(BUILD, {recursive: true});
  const main = join(BUILD, 'atomctl.cjs');
  await run(process.execPath, [join(ROOT, 'bin/build.js'), '--one-file', main]);
  const blob = join(BUILD, 'atomctl.blob');
  await writeFile(join(BUILD, 'sea.json'), JSON.stringify(await configuration(main, blob)));
  await run(node, ['--experimental-sea-config', join(BUILD, 'sea.json')]);
  // Renamed into place: one that runs stays as it is.
  const making = `${EXECUTABLE}.new`;
  await copyFile(node, making);
  await chmod(making, 0o755);
  await run(POSTJECT, [making, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', FUSE]);
  await rename(making, EXECUTABLE);
  await copyFile(join(runtime, 'LICENSE'), join(BUILD, 'node-licence.txt'));
  await addRuntime(join(BUILD, 'sbom.json'));
}

/** Adds Node.js to the bill of materials. */
async function addRuntime(file) {
  const bom = JSON.parse(await readFile(file, 'utf8'));
  bom.components.push(COMPONENT);
  await writeFile(file, `${JSON.stringify(bom, null, 2)}\n`);
}

async function configuration(main, output) {
  const completions = (await readdir(join(ROOT, 'completions'))).map((name) => `completions/${name}`);
  return {
    main,
    output,
    disableExperimentalSEAWarning: true,
    useCodeCache: true,
    // NODE_OPTIONS is meant for other programs: their options may not be there in this Node.js.
    execArgvExtension: 'none',
    assets: Object.fromEntries(completions.map((path) => [path, join(ROOT, path)])),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await makeExecutable();
