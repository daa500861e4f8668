import {readdir, utimes} from 'node:fs/promises';
import {join} from 'node:path';

/** Sets the files of a root back to before its jobs: otherwise these may be on servers that are no longer named. */
export async function ageConfiguration(root: string): Promise<void> {
  const before = new Date('2019-01-01');
  for (const name of await readdir(root, {recursive: true})) await utimes(join(root, name), before, before);
}
