import {Args} from '@oclif/core';
import {showHelp} from '../cli/help/show-help.ts';
import {PlainCommand} from '../cli/plain-command.ts';

export default class Help extends PlainCommand {
  static changes = false;
  static override summary = 'Show the help of a command or a topic.';
  static override description =
    'The topics are exit-codes, filters, environment, formats and live-states. Without an argument, it shows the list of commands. It is the same as --help. With --help-all, it shows the complete help of a command.';
  static override usage = '<%= command.id %> [COMMAND|TOPIC]';
  static override examples = [
    '<%= config.bin %> <%= command.id %> jobs:kill',
    '<%= config.bin %> <%= command.id %> queue',
    '<%= config.bin %> <%= command.id %> filters',
  ];
  static override args = {command: Args.string({description: 'A command or a topic.', ignoreStdin: true})};

  async run(): Promise<void> {
    const {args} = await this.parse(Help);
    await showHelp(args.command === undefined ? [] : [args.command], this.config);
  }
}
