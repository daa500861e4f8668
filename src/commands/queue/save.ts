import {Args, Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.ts';
import {fileName, queueSources} from '../../cli/change/clear.ts';
import {historyFile} from '../../cli/history-file.ts';
import {ENDS_SOON, interruptibly} from '../../cli/interrupt.ts';
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
    `For a restart of gearmand, which forgets its queue unless the queue is durable (--queue-type of gearmand: the better answer), or for a move to another server. queue:restore submits the jobs again.

Gearman shows a job's payload only to a worker. So the jobs are taken and given back in their order, and gearmand counts a retry of each; the command says how many. If a job could be dropped or could run too early by that, nothing is saved: a server that is not gearmand, a limit of retries, or imports and moves while a worker for them is free. Stop the worker then. Jobs that execute are not saved: a worker goes on while gearmand restarts.

The file has mode 0600 and is written completely or not at all. It holds the parameters of jobs. The name may contain strftime's sequences, as in --export.

Exit status: 0 saved, 2 usage error, 3 a server unreachable, 5 refused, 130 interrupted. Nothing is written but with 0.`;
  static override examples = [
    {
      description: 'Restart gearmand without losing what waits',
      command:
        '<%= config.bin %> queue:save queue.json && systemctl restart gearman-job-server && <%= config.bin %> queue:restore queue.json --yes',
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
    await this.present(saved, () => renderSaved(saved));
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
