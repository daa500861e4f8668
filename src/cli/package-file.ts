import {readFile} from 'node:fs/promises';
import {join} from 'node:path';

/**
 * The text of a file that comes with atomctl: below the package's directory, or in the executable, which has it as an
 * asset under the same path.
 */
export async function packageFile(root: string, path: string): Promise<string> {
  const {getAsset, isSea} = await import('node:sea');
  return isSea() ? getAsset(path, 'utf8') : readFile(join(root, path), 'utf8');
}
