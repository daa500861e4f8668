import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.ts';
import {requireRoot, workerChoiceFlags, workerChoices} from '../../cli/worker/unit-flags.ts';
import {workerUser} from '../../cli/worker/worker-user.ts';
import {runForeground} from '../../worker/run-foreground.ts';
import {workerArguments} from '../../worker/unit-file.ts';

export default class WorkerRun extends BaseCommand<typeof WorkerRun> {
  static override changes = true;
  static override summary = 'Run the worker in the foreground.';
  static override description =
    `Runs php symfony jobs:worker in the AtoM root. Use it in a container or to find an error. Signals are sent on to the worker, and its exit status is returned: 111 means that the worker reached its own limit. If root runs this command, the worker runs as the owner of the AtoM root, without a terminal, with the environment that systemd would give and the variables ATOM_*. If root owns the AtoM root, it is refused.

Exit status: that of the worker; 128 plus the number of the signal if a signal ended it; 1 if PHP cannot be run, 2 usage error, 5 refused.`;
  static override examples = [
    {
      description: 'Run every job class of gearman.yml',
      command: '<%= config.bin %> <%= command.id %>',
    },
    {
      description: 'Run 50 imports, then end',
      command: '<%= config.bin %> <%= command.id %> --abilities arFileImportJob --max-job-count 50',
    },
    {
      description: 'Use another PHP',
      command: '<%= config.bin %> <%= command.id %> --php /usr/bin/php8.1',
    },
  ];
  static override enableJsonFlag = false;
  static override flags = {
    ...workerChoiceFlags,
    php: Flags.string({summary: 'The PHP interpreter.', helpValue: 'PATH', default: 'php'}),
  };

  async run(): Promise<void> {
    const root = await requireRoot(this.context);
    const status = await runForeground({
      root,
      php: this.flags.php,
      workerArguments: workerArguments(workerChoices(this.flags)),
      user: await workerUser(root, {env: this.io.env}),
      io: this.io,
      signals: this.io.signals,
    });
    this.exitWith(status);
  }
}
