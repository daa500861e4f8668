import './debug.ts';
import {execute, settings} from '@oclif/core';
import {joinTopic} from './command-line.ts';
import {COMMANDS} from './commands.ts';
import {putCommandFirst} from './flags/leading-flags.ts';
import {atomctlPlugin, isKnown} from './plugin.ts';

export {COMMANDS};

/**
 * Runs the command that the arguments name, and sets the process's exit status.
 * @param root the directory of package.json
 */
export async function main(argv: readonly string[], root: string): Promise<void> {
  process.title = 'atomctl';
  settings.enableAutoTranspile = false;
  // No file of the user's with colours for help.
  process.env.ATOMCTL_DISABLE_THEME = 'true';
  const args = joinTopic(await putCommandFirst(argv));
  const [name = '--help'] = args;
  const help = asksForHelp(args);
  const plugin = await atomctlPlugin(root, needsDescriptions(name, help));
  if (!isKnown(name) && name !== '--version' && !(help && name.startsWith('-'))) {
    const {commandNotFound} = await import('./command-not-found.ts');
    return commandNotFound({id: name, argv: args, commands: plugin.commands});
  }
  const loadOptions = {root, pjson: plugin.pjson, plugins: new Map([[plugin.name, plugin]])};
  await execute({args, loadOptions});
}

const DESCRIBING = new Set(['help', 'completion', 'completion:answer', 'man']);

function needsDescriptions(name: string, help: boolean): boolean {
  return name !== '--version' && (help || DESCRIBING.has(name) || !Object.hasOwn(COMMANDS, name));
}

/** As oclif sees it. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.length === 0 || args.slice(0, end === -1 ? args.length : end).includes('--help');
}
