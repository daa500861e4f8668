import type {WholeFileOptions} from '../files/write-whole-file.ts';

/** A file with the history of jobs, which names users: only its owner may read it. */
export function historyFile(path: string, force: boolean): WholeFileOptions {
  return {path, force, mode: 0o600, uid: process.geteuid!()};
}
