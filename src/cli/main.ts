import './debug.ts';
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {execute, settings} from '@oclif/core';
import {joinTopic} from './command-line.ts';
import {putCommandFirst} from './flags/leading-flags.ts';

/**
 * Runs the command that the arguments name, and sets the process's exit status. oclif is told what it would look
 * for otherwise, at every start: where the package is, what is in its package.json, that there are no plugins and no
 * colours of the user's own for its help.
 * @param root the directory of package.json
 */
export async function main(argv: readonly string[], root: string): Promise<void> {
  process.title = 'atomctl';
  settings.enableAutoTranspile = false;
  process.env.ATOMCTL_DISABLE_THEME = 'true';
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const args = joinTopic(await putCommandFirst(argv));
  const manifest = readsAllFlags(args, root) ? root : join(root, 'dist/start');
  await execute({args, loadOptions: {root: manifest, pjson, userPlugins: false, devPlugins: false}});
}

const TELLING_OF_COMMANDS = new Set(['help', 'completion', 'completion:answer', 'man']);

/**
 * Whether a manifest with the flags of all commands is called for, which is long to parse: for help and completion,
 * and where no command has the name that was typed. All others are found in one without.
 */
function readsAllFlags(args: readonly string[], root: string): boolean {
  const [name = ''] = args;
  if (name === '--version') return false;
  if (TELLING_OF_COMMANDS.has(name) || args.includes('--help')) return true;
  return !existsSync(join(root, 'dist/commands', ...`${name}.cjs`.split(':')));
}
