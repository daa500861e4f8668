import {execFile} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';

export const run = promisify(execFile);

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const VERSION: string = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version;

/** What `npm run package` makes. */
export const RELEASE = join(ROOT, 'release');
export const EXECUTABLE = join(ROOT, 'build/atomctl');
/** The modules in it, each with its code cache. */
export const MODULES = join(ROOT, 'build/modules');
export const DEB = join(RELEASE, `atomctl_${VERSION}_amd64.deb`);
export const TARBALL = join(RELEASE, `atomctl-${VERSION}-linux-x64.tar.gz`);
