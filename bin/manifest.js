#!/usr/bin/env node
/**
 * Writes oclif.manifest.json, from which every start reads the commands and their flags, out of the build.
 * With `--check` it writes nothing and exits 1 where the committed one is stale, since that hides commands.
 */
import {readFile, writeFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import {Plugin} from '@oclif/core';

const root = fileURLToPath(new URL('..', import.meta.url));
const file = new URL('../oclif.manifest.json', import.meta.url);

const plugin = new Plugin({
  root,
  ignoreManifest: true,
  errorOnManifestCreate: true,
  respectNoCacheDefault: true,
});
await plugin.load();
// oclif finds them in the order in which a file system happens to list them.
const commands = Object.fromEntries(
  Object.entries(plugin.manifest.commands).sort(([a], [b]) => (a < b ? -1 : 1)),
);
const manifest = `${JSON.stringify({...plugin.manifest, commands}, null, 2)}\n`;

if (!process.argv.includes('--check')) {
  await writeFile(file, manifest);
} else if ((await readFile(file, 'utf8').catch(() => '')) !== manifest) {
  console.error('oclif.manifest.json does not match the commands. Run "npm run build && npm run manifest".');
  process.exitCode = 1;
}
