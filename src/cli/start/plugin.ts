import type {Command, Interfaces} from '@oclif/core';
import packageJson from '../../../package.json' with {type: 'json'};
import {COMMANDS} from './command-table.ts';

const PACKAGE = packageJson as unknown as Interfaces.PJSON;

/** A command and what help and completion say about it. */
type Manifest = {commands: Record<string, Command.Cached>};

/**
 * atomctl for oclif, which then searches no directory for commands.
 * @param root the directory of package.json
 * @param running the one command that runs; null if help or completion needs all, with their flags and texts, which
 * take a while to read
 */
export async function atomctlPlugin(root: string, running: string | null): Promise<Interfaces.Plugin> {
  const ids = Object.keys(COMMANDS);
  const commands =
    running === null ? await describedCommands() : ids.filter((id) => id === running).map(undescribed);
  return {
    _base: '',
    alias: PACKAGE.name,
    commandIDs: ids,
    commands: commands.map((command) => ({...command, load: () => loadCommand(command.id)})),
    commandsDir: undefined,
    findCommand: loadCommand,
    hasManifest: running === null,
    hooks: {},
    isRoot: true,
    load: async () => {},
    moduleType: 'module',
    name: PACKAGE.name,
    options: {root},
    pjson: PACKAGE,
    root,
    topics: Object.entries(TOPICS).map(([name, topic]) => ({...topic, name})),
    type: 'core',
    valid: true,
    version: PACKAGE.version,
  };
}

const TOPICS: Record<string, {description: string}> = packageJson.oclif.topics;

/** Whether a command or a topic has this name. */
export function isKnown(name: string): boolean {
  return Object.hasOwn(COMMANDS, name) || Object.hasOwn(TOPICS, name);
}

async function describedCommands(): Promise<Command.Cached[]> {
  const {default: manifest} = await import('../../../oclif.manifest.json', {with: {type: 'json'}});
  return Object.values((manifest as unknown as Manifest).commands);
}

function undescribed(id: string): Command.Cached {
  return {id, aliases: [], args: {}, flags: {}, hasDynamicHelp: false, hidden: false, hiddenAliases: []};
}

async function loadCommand(id: string): Promise<Command.Class> {
  const {default: command} = await COMMANDS[id]!();
  command.id = id;
  return command;
}
