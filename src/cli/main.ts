import './debug.ts';
import {readFileSync} from 'node:fs';
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
  await execute({
    args: joinTopic(await putCommandFirst(argv)),
    loadOptions: {root, pjson, userPlugins: false, devPlugins: false},
  });
}
