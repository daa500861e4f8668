import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.ts';
import {confirmationFlags} from '../../cli/flags/shared-flags.ts';
import {withFlag} from '../../cli/read-only.ts';
import {
  requireRoot,
  scopeOf,
  serviceManager,
  sudoFlag,
  workerChoiceFlags,
  workerChoices,
} from '../../cli/worker/unit-flags.ts';
import {renderInstalled} from '../../render/worker.ts';
import {installUnit, proposeUnit, runningUnits, unitPath} from '../../worker/install-unit.ts';
import {requireUnitName, unitFile, workerArguments} from '../../worker/unit-file.ts';

export default class WorkerUnit extends BaseCommand<typeof WorkerUnit> {
  static override changes = withFlag('install');
  static override summary = "Print a unit file for this site's worker, or install it.";
  static override description =
    `The unit file is that of AtoM's manual, but it starts after MySQL and Gearman, and restarts the worker at its own limits if you set them. --install shows the changes, asks before it replaces a file, writes the file and reloads systemd.

Exit status: 0 printed or installed, 1 it could not be written, 2 usage error, 3 no systemd on this machine, 5 declined.`;
  static override examples = [
    {
      description: 'Use another PHP',
      command: '<%= config.bin %> <%= command.id %> --php /usr/bin/php8.1',
    },
    {
      description: 'Install a template for several workers that each end after 100 jobs',
      command: '<%= config.bin %> <%= command.id %> --template --max-job-count 100 --install',
    },
    {
      description: 'Install it without a question',
      command: '<%= config.bin %> <%= command.id %> --install --yes',
    },
  ];
  static override flags = {
    name: Flags.string({summary: 'The name of the unit.', helpValue: 'NAME', default: 'atom-worker'}),
    template: Flags.boolean({summary: 'Create a template for several workers: NAME@1, NAME@2, ...'}),
    user: Flags.string({summary: 'The user that runs the worker.', helpValue: 'NAME', default: 'www-data'}),
    php: Flags.string({summary: 'The PHP interpreter.', helpValue: 'PATH', default: '/usr/bin/php'}),
    ...workerChoiceFlags,
    install: Flags.boolean({summary: 'Write the unit file and reload systemd.'}),
    'user-manager': Flags.boolean({summary: 'Use the systemd of this user, not of the system.'}),
    ...sudoFlag,
    ...confirmationFlags,
  };

  async run(): Promise<void> {
    const {flags} = this;
    const scope = scopeOf(flags);
    requireUnitName(flags.name);
    const text = unitFile({
      ...flags,
      scope,
      root: await requireRoot(this.context),
      workerArguments: workerArguments(workerChoices(flags)),
    });
    const name = `${flags.name}${flags.template ? '@' : ''}.service`;
    const path = unitPath(name, scope, this.io.env);
    if (!flags.install) return this.present({path, unit: text, installed: false}, () => text);

    const manager = await serviceManager(this.context, flags);
    const proposal = await proposeUnit(path, text);
    if (proposal.before !== null && proposal.difference !== '') {
      for (const line of proposal.difference.split('\n')) this.notice(line);
      const assumeYes = flags.yes || flags['no-confirmation'];
      await this.confirm({question: `Replace ${path}? (y/N)`, assumeYes});
    }
    await installUnit(proposal, {manager, sudo: flags.sudo});
    const {difference} = proposal;
    const running = difference === '' ? [] : await runningUnits(name, manager);
    await this.presentSentences({path, unit: text, installed: true, difference, toRestart: running}, () =>
      renderInstalled(path, running),
    );
  }
}
