import {execFile} from 'node:child_process';
import {createHash} from 'node:crypto';
import {access, mkdir, mkdtemp, rename, rm} from 'node:fs/promises';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';

const run = promisify(execFile);

const SUITE = 'bookworm';
/** What a host of AtoM has that its worker's unit meets; Node and this project are bound in when it boots. */
const PACKAGES = [
  'systemd-sysv',
  'libpam-systemd',
  'dbus',
  'sudo',
  'gearman-job-server',
  'mariadb-server',
  'php-cli',
  'php-mysql',
];
const TOOLS = ['debootstrap', 'systemd-nspawn', 'unshare', 'nsenter'];

/** Why this machine cannot boot a systemd of its own, one sentence; null where it can. */
export async function whyNoRig(): Promise<string | null> {
  if (process.platform !== 'linux') return 'a systemd of our own needs Linux.';
  if (process.getuid?.() !== 0) return 'booting a systemd of our own needs root.';
  for (const tool of TOOLS) {
    const found = await run('sh', ['-c', `command -v ${tool}`]).then(
      () => true,
      () => false,
    );
    if (!found) return `booting a systemd of our own needs ${tool}.`;
  }
  return run('unshare', ['--pid', '--fork', '--mount', 'true']).then(
    () => null,
    () => 'booting a systemd of our own needs the right to make namespaces.',
  );
}

/** The tree could not be built, for example without a network. */
export class NoTree extends Error {}

/**
 * The directory tree of a small Debian, built by debootstrap the first time and kept in the user's cache, from
 * which it is booted read-only. Takes a minute or two and some 700 MB.
 * @throws NoTree
 */
export async function systemTree(): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'atomctl');
  const recipe = createHash('sha256')
    .update([SUITE, ...PACKAGES].join(' '))
    .digest('hex')
    .slice(0, 12);
  const tree = join(cache, `systemd-tree-${recipe}`);
  if (await exists(tree)) return tree;
  await mkdir(cache, {recursive: true});
  // Built beside and renamed into place: a build that was interrupted is not taken for a tree.
  const building = await mkdtemp(join(cache, 'building-'));
  try {
    console.log(`Building a Debian tree in ${tree}, once; this takes a minute or two.`);
    await run(
      'debootstrap',
      ['--variant=minbase', `--include=${PACKAGES.join(',')}`, SUITE, join(building, 'tree')],
      {maxBuffer: 16 * 1024 * 1024, env: {...process.env, DEBIAN_FRONTEND: 'noninteractive'}},
    );
    await rename(join(building, 'tree'), tree);
  } catch (error) {
    const said = (error as {stdout?: string}).stdout?.trim().split('\n').at(-1) ?? String(error);
    throw new NoTree(`debootstrap failed: ${said}`);
  } finally {
    await rm(building, {recursive: true, force: true});
  }
  return tree;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
