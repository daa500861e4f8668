import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.ts';
import {auditFlag, holdRecords} from '../../cli/change/audit-log.ts';
import {holdOptions, holdPreview} from '../../cli/change/hold.ts';
import {secondsFrom} from '../../cli/flags/shared-flags.ts';
import {unlessDryRun} from '../../cli/read-only.ts';
import {runCommand} from '../../cli/run-command.ts';
import {interruptibly} from '../../cli/terminal/interrupt.ts';
import {sudoFlag, unitFlags} from '../../cli/worker/unit-flags.ts';
import {usageError} from '../../errors.ts';
import {type HoldResult, holdExitStatus, holdQueue} from '../../jobs/hold/hold.ts';
import {holdDocument, holdPreviewDocument, renderHeld, renderHoldPreview} from '../../render/queue/held.ts';

export default class QueueHold extends BaseCommand<typeof QueueHold> {
  static override changes = unlessDryRun;
  static override strict = false;
  static override summary = 'Keep workers from starting jobs while a command runs, for example a deploy.';
  static override usage = '<%= command.id %> [FLAGS] -- COMMAND...';
  static override description =
    `Takes the waiting jobs, so that the queue becomes empty, and waits until no job executes. Then it stops the site's active units, runs COMMAND, returns the jobs in their order and starts the units again. AtoM can still submit jobs; they are held too. The jobs return if COMMAND ends in any way. If atomctl itself is killed, Gearman returns them, but the stopped units stay stopped. Jobs that no server takes back are written to a file atomctl-held-TIME.json, in the working directory or else in the directory for temporary files; to submit them, give it to queue:restore.

While it waits, it names the executing jobs with their workers. Imports and moves, which AtoM runs one at a time, are not taken while a worker for them is free: they stay in the queue and are executed before COMMAND runs. They are named, too. If one of several workers becomes free during the wait, an import that arrives then waits in it for older ones that were taken, and fails after 100 seconds.

Without a systemd unit on this host, the workers stay active: a new job may start before it is held, and imports and moves are held only if no worker for them is connected. The command says so before it waits. gearmand counts one retry of each held job, or two if more than 500 jobs wait. In the second case, a worker that is free and not stopped may begin some of the last jobs first.

If COMMAND moves the AtoM root, the function prefix of the site changes. The jobs then stay under the old prefix, and both prefixes are shown; --re-prefix submits them under the new one, except those whose rows have ended. If COMMAND gives the site another Gearman server, the jobs stay on the old one; the commands that move them are shown. During the hold, other commands that change jobs of the site are refused. If COMMAND calls worker:restart, give --yes to it: the held jobs count as executing, and without a terminal the question cannot be asked.

Exit status: that of COMMAND. If COMMAND did not run: 124 jobs still executed after --max-wait, 126 COMMAND cannot be run, 127 COMMAND was not found, 130 interrupted, 2 usage error, 3 a server is not reachable, 5 refused. If COMMAND ended with 0: 5 jobs stay under another prefix or on another server, 1 another problem occurred afterwards.`;
  static override examples = [
    {
      description: 'Run a deploy while no job executes',
      command: '<%= config.bin %> <%= command.id %> -- ./deploy.sh',
    },
    {
      description: 'A deploy that changes the root, with a limit for the jobs that execute',
      command: '<%= config.bin %> <%= command.id %> --max-wait 600 --re-prefix -- ./deploy.sh',
    },
    {
      description: 'Move the jobs that an earlier deploy has left under its prefix',
      command:
        '<%= config.bin %> <%= command.id %> --from-prefix 0123456789abcdef0123456789abcdef --re-prefix -- true',
    },
  ];
  static override flags = {
    'max-wait': Flags.custom<number>({
      summary: 'How long executing jobs may take to end; without it there is no limit.',
      helpValue: 'SECONDS',
      parse: secondsFrom(0),
    })(),
    're-prefix': Flags.boolean({
      summary: 'Submit the jobs under the function prefix that the site has after COMMAND.',
    }),
    'from-prefix': Flags.string({
      summary: 'Also hold the jobs that an earlier deploy left under this prefix.',
      helpValue: 'P',
    }),
    'dry-run': Flags.boolean({
      summary: 'Show what would be held and stopped; change nothing and do not run COMMAND.',
    }),
    ...unitFlags,
    ...sudoFlag,
    ...auditFlag,
  };

  async run(): Promise<void> {
    const {context, flags} = this;
    const command = this.#command();
    const notice = (text: string) => this.notice(text);
    const settings = {unit: flags, fromPrefix: flags['from-prefix'], notice};
    if (flags['dry-run']) {
      const preview = await holdPreview(context, settings);
      return this.presentSentences(holdPreviewDocument(preview), () => renderHoldPreview(preview));
    }
    const site = await holdOptions(context, settings);
    const held = await this.change({
      attempt: {holdFor: command[0]},
      work: () =>
        interruptibly(
          (signal) =>
            holdQueue({
              ...site,
              signal,
              notice,
              maxWaitSeconds: flags['max-wait'] ?? null,
              rePrefix: flags['re-prefix'],
              runCommand: () => runCommand(command, {io: this.io, keepStdout: this.jsonEnabled()}),
            }),
          () => notice('Interrupted: the jobs are returned when the command has ended.'),
        ),
      changes: (result) => holdRecords(result, command),
    });
    this.#present(held);
  }

  /** The words after `--`. */
  #command(): string[] {
    const at = this.argv.indexOf('--');
    const words = at < 0 ? [] : this.argv.slice(at + 1);
    if (words[0]) return words;
    const message = words.length === 0 ? 'No command was given.' : 'COMMAND is empty.';
    throw usageError(message, 'Put it after two dashes: atomctl queue:hold -- COMMAND...');
  }

  /** stdout is the command's own, except under --json. */
  #present(held: HoldResult): void {
    for (const problem of held.problems) this.notice(`Warning: ${problem}`);
    if (this.jsonEnabled()) void this.present(holdDocument(held), () => '');
    else {
      if (held.failure !== null) this.presentError(held.failure);
      this.notice(renderHeld(held));
    }
    this.exitWith(holdExitStatus(held));
  }
}
