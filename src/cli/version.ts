import packageJson from '../../package.json' with {type: 'json'};

/** The commit that bin/build.js built; empty outside a repository. Not defined in sources that are run as they are. */
declare const BUILD_COMMIT: string;

/** What `--version` prints: `atomctl/0.2.0 linux-x64 node-v24.21.0 (build 0123456789ab)`. */
export function versionLine(): string {
  const build = typeof BUILD_COMMIT === 'undefined' || BUILD_COMMIT === '' ? '' : ` (build ${BUILD_COMMIT})`;
  return `atomctl/${packageJson.version} ${process.platform}-${process.arch} node-${process.version}${build}`;
}
