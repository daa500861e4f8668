import {readFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import {transformWithEsbuild} from 'vite';

/** Node's hook for loading a module: takes the types out of TypeScript, leaves all else to Node. */
export async function load(url, context, nextLoad) {
  if (!url.endsWith('.ts')) return nextLoad(url, context);
  const path = fileURLToPath(url);
  const {code} = await transformWithEsbuild(await readFile(path, 'utf8'), path, {target: 'node20'});
  return {format: 'module', source: code, shortCircuit: true};
}
