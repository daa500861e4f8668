import {Args, Command, loadHelpClass} from '@oclif/core';

export default class Help extends Command {
  static override summary = 'Show the help of a command or a topic.';
  static override description = 'Without an argument, the list of commands. The same as --help.';
  static override usage = '<%= command.id %> [COMMAND]';
  static override examples = [
    '<%= config.bin %> <%= command.id %> jobs:kill',
    '<%= config.bin %> <%= command.id %> queue',
  ];
  static override args = {command: Args.string({description: 'A command or a topic.', ignoreStdin: true})};

  async run(): Promise<void> {
    const {args} = await this.parse(Help);
    const {command: id} = args;
    if (id !== undefined && !this.config.findCommand(id) && !this.config.findTopic(id)) {
      await this.config.runHook('command_not_found', {id});
    }
    const HelpClass = await loadHelpClass(this.config);
    await new HelpClass(this.config, this.config.pjson.oclif.helpOptions).showHelp(
      id === undefined ? [] : [id],
    );
  }
}
