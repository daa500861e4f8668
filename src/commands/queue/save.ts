import {Args, Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.ts';
import {queueSources} from '../../cli/change/clear.ts';
import {fileName, historyFile} from '../../cli/history-file.ts';
import {ENDS_SOON, interruptibly} from '../../cli/terminal/interrupt.ts';
import {AtomctlError} from '../../errors.ts';
import {checkWholeFile, type WholeFileOptions, writeWholeFile} from '../../files/write-whole-file.ts';
import {countSaved, type ReadQueue, readWaitingJobs} from '../../jobs/save/save.ts';
import {MOST_SAVED_BYTES, savedQueueText} from '../../queue/saved/saved-queue.ts';
import {renderSaved} from '../../render/queue/saved.ts';

export default class QueueSave extends BaseCommand<typeof QueueSave> {
  /** It takes waiting jobs and gives them back: gearmand counts a retry of each. */
  static override changes = true;
  static override summary = "Save a copy of this site's waiting jobs in a file.";
  static override usage = '<%= command.id %> FILE [FLAGS]';
  static override description =
    `Use it before gearmand restarts or before the queue moves to another server: gearmand forgets its queue, unless the queue is durable (--queue-type of gearmand, which is better). queue:restore submits the jobs again.

Gearman shows a job's payload only to a worker. So the jobs are taken and returned in their order, and gearmand counts a retry of each; the command says how many. If this could drop a job or start it too early, nothing is saved: the server is not gearmand, it limits retries, or a worker for waiting imports and moves is free. Then stop the worker. Executing jobs are not saved: their worker continues while gearmand restarts.

The file has mode 0600 and is written completely or not at all, also if a signal ends the command. It holds the parameters of jobs. The name may contain strftime's sequences, as in --export.

Exit status: 0 saved, 2 usage error, 3 a server unreachable, 5 refused, 130 interrupted. A file is written only with status 0, or if a signal comes at the last moment.`;
  static override examples = [
    {
      description: 'Save the waiting jobs',
      command: '<%= config.bin %> <%= command.id %> queue.json',
    },
    {
      description: 'Save them in a file with the date in its name',
      command: '<%= config.bin %> <%= command.id %> /var/backups/atomctl/queue-%F.json',
    },
    {
      description: 'With systemd, restart gearmand without losing what waits',
      command:
        '<%= config.bin %> <%= command.id %> queue.json && systemctl restart gearman-job-server && <%= config.bin %> queue:restore queue.json --yes',
    },
  ];
  static override args = {
    file: Args.string({description: 'The file to write.', required: true, ignoreStdin: true}),
  };
  static override flags = {
    force: Flags.boolean({summary: 'Replace the file if it exists.'}),
  };

  async run(): Promise<void> {
    const {context} = this;
    const {path} = await fileName(context, this.args.file, 'FILE');
    const file = {...historyFile(path, this.flags.force), exactMode: true};
    await checkWholeFile(file);
    const [queue, database] = await Promise.all([queueSources(context), context.database()]);
    const savedAt = context.now().toISOString();
    const read = await interruptibly(
      async (signal) => {
        const waiting = await readWaitingJobs({...queue, database, signal});
        await writeCopy(file, {savedAt, waiting, signal});
        return waiting;
      },
      () => this.notice(ENDS_SOON),
    );
    const {retriesAdded, warnings} = read;
    for (const warning of warnings) this.notice(`Warning: ${warning}`);
    const functions = countSaved(read.jobs);
    const saved = {file: path, savedAt, jobs: read.jobs.length, functions, retriesAdded, warnings};
    await this.presentSentences(saved, () => renderSaved(saved));
  }
}

/** @throws AtomctlError INTERRUPTED, FAILED if the copy is too large, as writeWholeFile does */
async function writeCopy(
  file: WholeFileOptions,
  {savedAt, waiting, signal}: {savedAt: string; waiting: ReadQueue; signal: AbortSignal},
): Promise<void> {
  if (signal.aborted) {
    throw new AtomctlError('INTERRUPTED', 'Interrupted before the copy was written.', {
      hint: 'No copy was made. The waiting jobs are back in their order.',
    });
  }
  const text = savedQueueText({savedAt, jobs: waiting.jobs});
  if (Buffer.byteLength(text) > MOST_SAVED_BYTES) {
    throw new AtomctlError('FAILED', `The copy would have more than ${MOST_SAVED_BYTES / 1024 / 1024} MiB.`, {
      hint: 'No copy was made. Give gearmand a durable queue: --queue-type.',
    });
  }
  await writeWholeFile({...file, chunks: once(text)});
}

async function* once(text: string): AsyncIterable<string> {
  yield text;
}
