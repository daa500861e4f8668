import {type PathLike, readdirSync, readFileSync, realpathSync, statSync} from 'node:fs';

/*
 * node:fs/promises for the files of a site. They are few, small and local: to ask Node's thread pool for each, and to
 * load what does that, takes ten times as long as reading them.
 */

export async function readFile(file: PathLike, encoding: 'utf8'): Promise<string> {
  return readFileSync(file, encoding);
}

export async function realpath(file: PathLike): Promise<string> {
  return realpathSync.native(file);
}

export async function stat(file: PathLike) {
  return statSync(file);
}

export async function readdir(directory: PathLike): Promise<string[]> {
  return readdirSync(directory);
}
