/** The copy of the jobs that a hold can give back to no server. */
import {join} from 'node:path';
import {AtomctlError} from '../../errors.ts';
import {writeWholeFile} from '../../files/write-whole-file.ts';
import {type SavedJob, savedQueueText} from '../../queue/saved/saved-queue.ts';
import {historyFile} from '../history-file.ts';

/**
 * Writes the jobs as queue:save does, into the first of the directories that takes the file. No file is replaced.
 * @returns its path
 * @throws AtomctlError of the last directory, if none takes it
 */
export async function writeHeldCopy(
  jobs: readonly SavedJob[],
  {directories, savedAt}: {directories: readonly string[]; savedAt: Date},
): Promise<string> {
  const time = savedAt.toISOString();
  const text = savedQueueText({savedAt: time, jobs});
  let failure: AtomctlError | null = null;
  for (const directory of directories) {
    const path = join(directory, `atomctl-held-${time.replace(/[:.]/g, '')}.json`);
    try {
      await writeWholeFile({...historyFile(path, false), chunks: once(text)});
      return path;
    } catch (error) {
      if (!(error instanceof AtomctlError)) throw error;
      failure = error;
    }
  }
  throw failure!;
}

async function* once(text: string): AsyncIterable<string> {
  yield text;
}
