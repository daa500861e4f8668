#!/usr/bin/env node
/**
 * Writes man/atomctl.1, the manual page, out of the manifest and the build. With `--check` it writes nothing and
 * exits 1 where the committed one is stale.
 */
import {execFileSync} from 'node:child_process';
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';

const file = new URL('../man/atomctl.1', import.meta.url);
const atomctl = fileURLToPath(new URL('run.cjs', import.meta.url));
const page = execFileSync(process.execPath, [atomctl, 'man'], {encoding: 'utf8'});

if (!process.argv.includes('--check')) {
  await mkdir(new URL('.', file), {recursive: true});
  await writeFile(file, page);
} else if ((await readFile(file, 'utf8').catch(() => '')) !== page) {
  console.error('man/atomctl.1 does not match the commands. Run "npm run build && npm run manifest".');
  process.exitCode = 1;
}
