import {Args, loadHelpClass} from '@oclif/core';
import {helpTopics} from '../cli/help/help-topics.ts';
import {processIO} from '../cli/io.ts';
import {PlainCommand} from '../cli/plain-command.ts';
import {renderHelpTopic} from '../render/help-topic.ts';

export default class Help extends PlainCommand {
  static changes = false;
  static override summary = 'Show the help of a command or a topic: exit-codes, filters, environment.';
  static override description = 'Without an argument, the list of commands. The same as --help.';
  static override usage = '<%= command.id %> [COMMAND]';
  static override examples = [
    '<%= config.bin %> <%= command.id %> jobs:kill',
    '<%= config.bin %> <%= command.id %> queue',
    '<%= config.bin %> <%= command.id %> filters',
  ];
  static override args = {command: Args.string({description: 'A command or a topic.', ignoreStdin: true})};

  async run(): Promise<void> {
    const {args} = await this.parse(Help);
    const {command: id} = args;
    const topic = helpTopics(this.config.commands)[id ?? ''];
    if (topic !== undefined) {
      const {stdout} = processIO;
      stdout.write(renderHelpTopic(topic, stdout.columns || Number.POSITIVE_INFINITY));
      return;
    }
    if (id !== undefined && !this.config.findCommand(id) && !this.config.findTopic(id)) {
      const {commandNotFound} = await import('../cli/command-not-found.ts');
      commandNotFound({id, argv: this.argv, commands: this.config.commands});
    }
    const HelpClass = await loadHelpClass(this.config);
    await new HelpClass(this.config, this.config.pjson.oclif.helpOptions).showHelp(
      id === undefined ? [] : [id],
    );
  }
}
