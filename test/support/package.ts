import {execFile} from 'node:child_process';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {createScratch} from './scratch.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface PackedPackage {
  /** Path of the `.tgz`. */
  tarball: string;
  /** Paths in it. */
  files: string[];
  unpackedBytes: number;
}

/** Packs the build in dist as `npm pack` does for users. */
export async function packPackage(): Promise<PackedPackage> {
  const directory = createScratch('pack');
  const {stdout} = await run('npm', ['pack', '--json', `--pack-destination=${directory}`], {cwd: ROOT});
  const [packed] = JSON.parse(stdout) as [{filename: string; files: {path: string}[]; unpackedSize: number}];
  return {
    tarball: join(directory, packed.filename),
    files: packed.files.map(({path}) => path),
    unpackedBytes: packed.unpackedSize,
  };
}

/**
 * Installs a tarball globally below `prefix`, from no registry and with install scripts allowed. Returns the path of
 * the installed entry, as the link in `bin` has it.
 */
export async function installPackage(tarball: string, prefix: string): Promise<string> {
  const options = [`--prefix=${prefix}`, `--cache=${createScratch('npm-cache')}`, '--offline'];
  const cwd = createScratch('elsewhere');
  await run('npm', ['install', '--global', ...options, '--no-audit', '--no-fund', tarball], {cwd});
  return join(prefix, 'bin/atomctl');
}
