import {Args} from '@oclif/core';
import {packageFile} from '../cli/package-file.ts';
import {PlainCommand} from '../cli/plain-command.ts';
import {processIO} from '../cli/terminal/io.ts';

/** Files in completions/, named as each shell expects. */
const SCRIPTS = {bash: 'atomctl.bash', zsh: '_atomctl', fish: 'atomctl.fish'};

export default class Completion extends PlainCommand {
  static changes = false;
  static override summary = 'Print the completion script for a shell.';
  static override usage = '<%= command.id %> bash|zsh|fish';
  static override description =
    `Completes commands, flags, help topics and values: statuses, columns, job names, users, sites, units, timezones, and the ids of the jobs that the command can act on. The values of the site come from its database and its Gearman servers; if a server does not answer, its values are not offered. Completion runs no other program, and does not use an installation that is not trusted. For the current shell only: source <(atomctl completion bash).

Exit status: 0 printed, 2 unknown shell.`;
  static override examples = [
    {
      description: 'Install it for bash, for all users',
      command:
        '<%= config.bin %> <%= command.id %> bash > /usr/share/bash-completion/completions/<%= config.bin %>',
    },
    {
      description: 'Install it for zsh, for all users',
      command:
        '<%= config.bin %> <%= command.id %> zsh > /usr/local/share/zsh/site-functions/_<%= config.bin %>',
    },
    {
      description: 'Install it for fish, for your user',
      command: '<%= config.bin %> <%= command.id %> fish > ~/.config/fish/completions/<%= config.bin %>.fish',
    },
  ];
  static override args = {
    shell: Args.string({
      description: 'The shell.',
      options: Object.keys(SCRIPTS),
      required: true,
      ignoreStdin: true,
    }),
  };

  async run(): Promise<void> {
    const {args} = await this.parse(Completion);
    const script = SCRIPTS[args.shell as keyof typeof SCRIPTS];
    processIO.stdout.write(await packageFile(this.config.root, `completions/${script}`));
  }
}
