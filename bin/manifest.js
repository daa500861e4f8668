#!/usr/bin/env node
/**
 * Writes oclif.manifest.json, what help and completion say about each command, out of the build. With `--check` it
 * writes nothing and exits 1 if the committed one is stale.
 */
import {readFile, writeFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import {Plugin} from '@oclif/core';

const root = fileURLToPath(new URL('..', import.meta.url));
const file = new URL('../oclif.manifest.json', import.meta.url);

const pjson = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
pjson.oclif.commands = {strategy: 'explicit', target: './bin/commands.js'};

const plugin = new Plugin({
  root,
  pjson,
  isRoot: true,
  ignoreManifest: true,
  errorOnManifestCreate: true,
  respectNoCacheDefault: true,
});
await plugin.load();

/**
 * In help a command's own flags come first, then the job filters, then what every command has; in each group those with a letter,
 * since oclif aligns the others with the first.
 */
const LAST_GROUPS = ['FILTER', 'SITE', 'GLOBAL'];

function inOrderOfHelp(flags) {
  const group = ({helpGroup}) => (helpGroup === undefined ? -2 : LAST_GROUPS.indexOf(helpGroup));
  const rank = (flag) => 2 * group(flag) + (flag.char === undefined ? 1 : 0);
  return Object.fromEntries(Object.entries(flags).sort(([, one], [, other]) => rank(one) - rank(other)));
}

const commands = Object.fromEntries(
  Object.entries(plugin.manifest.commands)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, command]) => [id, {...command, flags: inOrderOfHelp(command.flags)}]),
);
const manifest = `${JSON.stringify({...plugin.manifest, commands}, null, 2)}\n`;

if (!process.argv.includes('--check')) {
  await writeFile(file, manifest);
} else if ((await readFile(file, 'utf8').catch(() => '')) !== manifest) {
  console.error('oclif.manifest.json does not match the commands. Run "npm run build && npm run manifest".');
  process.exitCode = 1;
}
