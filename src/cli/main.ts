import './debug.ts';
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {execute, settings} from '@oclif/core';
import {joinTopic} from './command-line.ts';
import {putCommandFirst} from './flags/leading-flags.ts';

const ROOT = new URL('../../', import.meta.url);

/**
 * Runs the command that the arguments name, and sets the process's exit status. oclif is told what it would look
 * for otherwise, at every start: where the package is, what is in its package.json, that there are no plugins and no
 * colours of the user's own for its help.
 */
export async function main(argv: readonly string[]): Promise<void> {
  process.title = 'atomctl';
  settings.enableAutoTranspile = false;
  process.env.ATOMCTL_DISABLE_THEME = 'true';
  const pjson = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'));
  await execute({
    args: joinTopic(await putCommandFirst(argv)),
    loadOptions: {root: fileURLToPath(ROOT), pjson, userPlugins: false, devPlugins: false},
  });
}
